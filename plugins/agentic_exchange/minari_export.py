"""Records as Minari data sets: what happened, as `agentic.subject_of("minari:...")` reads it back."""

import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from gymnasium.envs.registration import EnvSpec

from agentic import Environment, Record, UserError
from agentic.environments import Layout
from agentic.errors import BREAKS, described
from agentic.runs import EpisodeRecord, environment_seed

KEPT = ("phase", "episode", "row", "t", "obs", "next_obs", "action", "reward", "terminated", "truncated")
Phase = Literal["learn", "evaluate"]


@final
@dataclass(frozen=True)
class Exported:
    """A data set that was written: its name, its folder, how much is in it, and what Minari has no place for."""

    name: str
    folder: Path
    episodes: int
    steps: int
    lost: tuple[str, ...] = ()


def to_minari(record: Record, name: str, world: Environment, *, phase: Phase = "evaluate") -> Exported:
    """Write the completed episodes of a phase as a local Minari data set, named as "namespace/name-v0".

    Observations, actions, rewards and both ends are kept to the bit, pictures too; the seed of each row's first
    episode, and the spec of `world`, whose spaces are the data set's. Rows come one after the other.

    Raises UserError where Minari is not installed or has such a data set already, where no episode was completed, and
    where the record is not of this world.
    """
    create, buffer, place = _minari(name)
    whole = record.episodes(phase)
    episodes = [each for each in whole if each.complete]
    if not episodes:
        raise UserError(f"the record holds no completed episode of the phase {phase}: nothing can be exported")
    seed, spec = record.manifest.get("seed"), _spec(world)
    lost = [*_lost(record), *([] if spec else ["the environment's spec, which has parts that no text can say"])]
    lost += [f"{len(whole) - len(episodes)} episodes that were not completed"] * (len(whole) > len(episodes))
    seen, done = world.observation_layout, world.action_layout
    given: dict[str, Any] = {"observation_space": seen.space, "action_space": done.space, "data_format": "arrow"}
    given |= {"algorithm_name": str(record.brief()["agent"]), "jpeg_encoding": False}
    buffers = (buffer(**each) for each in _buffers(episodes, seen, done, seed, phase))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nobody is named as its author
            dataset = create(name, list(buffers), env=world.layers[0] if spec else None, **given)
        folder = Path(place(name))
    except UserError:
        raise
    except BREAKS as error:
        shutil.rmtree(place(name), ignore_errors=True)  # which was not there before
        raise UserError(f"the data set {name} cannot be written, {described(error)}") from error
    return Exported(name, folder, int(dataset.total_episodes), int(dataset.total_steps), tuple(lost))


def _minari(name: str) -> tuple[Any, Any, Any]:
    """What Minari writes with. Raises UserError where it is not installed, and for a name that cannot be given."""
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
        from minari.dataset.minari_dataset import parse_dataset_id
        from minari.storage import get_dataset_path
    except ImportError as error:
        said = " ".join(str(error).split())
        raise UserError(f"no Minari data set can be written here ({said}): pip install 'agentic[minari]'") from None
    try:
        parse_dataset_id(name)
    except BREAKS:  # whatever it meets in a name of another form
        raise UserError(f"expected a name as namespace/name-v0 for the data set, got {name!r}") from None
    try:
        found = Path(get_dataset_path(name)).exists()
    except BREAKS as error:
        raise UserError(f"no Minari data set can be written here, {described(error)}") from None
    if found:
        raise UserError(f"there is a data set {name} already: give another name, as with -v1 at its end")
    return minari.create_dataset_from_buffers, EpisodeBuffer, get_dataset_path


def _buffers(
    episodes: Sequence[EpisodeRecord], seen: Layout, done: Layout, seed: Any, phase: Phase
) -> Iterator[dict[str, Any]]:
    """What Minari keeps of each episode; the seed of the first of each row, whose generator goes on in the others."""
    number = 0
    for row, own in groupby(episodes, key=lambda each: each.row):
        for each in own:
            first = each.episode == 0 and isinstance(seed, int)
            yield {
                "id": number,
                "seed": environment_seed(int(seed), row, phase=phase) if first else None,
                "observations": _nested(seen, each, "obs"),
                "actions": _nested(done, each, "action"),
                "rewards": each.arrays["reward"].tolist(),
                "terminations": each.arrays["terminated"].tolist(),
                "truncations": each.arrays["truncated"].tolist(),
            }
            number += 1


def _nested(space: Layout, episode: EpisodeRecord, prefix: str) -> Any:
    """The values of an episode in the nesting of their space; observations with the last one, after all actions."""
    arrays = []
    for leaf in space.leaves:
        end = f".{leaf.name}" if leaf.path else ""
        found = [episode.arrays.get(f"{prefix}{end}")]
        if prefix == "obs":
            found.append(episode.arrays.get(f"next_obs{end}"))
        if any(part is None or part.shape[1:] != leaf.shape for part in found):
            raise UserError(f"the record has no column {prefix}{end} of shape {leaf.shape}: it is of another world")
        value, *after = (np.asarray(part).astype(leaf.dtype) for part in found)
        if after and not np.array_equal(value[1:], after[0][:-1], equal_nan=value.dtype.kind == "f"):
            raise UserError(
                f"row {episode.row}, episode {episode.episode} lacks steps: what is left of it is no episode"
            )
        arrays.append(np.concatenate([value, *(each[-1:] for each in after)]))
    return space.whole(tuple(arrays))


def _lost(record: Record) -> list[str]:
    """The columns that Minari has no place for, by what stands before their dot."""
    others = [name for name in record.columns if name.partition(".")[0] not in KEPT]
    heads = list(dict.fromkeys(name.partition(".")[0] for name in others))
    return [f"{head} ({sum(each.partition('.')[0] == head for each in others)} columns)" for head in heads]


def _spec(world: Environment) -> EnvSpec | None:
    """The spec of a single environment where a text can say it; None for others."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            spec = world.layers[0].spec
            return EnvSpec.from_json(spec.to_json()) if isinstance(spec, EnvSpec) else None
    except BREAKS:
        return None
