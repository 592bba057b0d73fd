"""The world of a run made again, and its recorded episodes lived through once more, compared with the record."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from agentic import Environment, Experiment
from agentic.cli import find_nearby
from agentic.environments import Layout, Leaf
from agentic.errors import RunError
from agentic.experiments import world_of
from agentic.plugins import Registry
from agentic.runs import EpisodeRecord, environment_seed

Look = Callable[[Any], Any]


@final
@dataclass(frozen=True)
class Lived:
    """What a world has `drawn` at each observation of an episode, and the `texts` seen there, by dotted name."""

    drawn: Sequence[Any]
    texts: Mapping[str, Sequence[str]]


@contextmanager
def world_again(experiment: Experiment, registry: Registry, mode: str | None = None) -> Iterator[Environment]:
    """One row of the world of an experiment, which draws itself as `mode` says, None for not at all."""
    more = {} if mode is None else {"render_mode": mode}
    env = experiment.env.model_copy(update={"kwargs": {**experiment.env.kwargs, **more}})
    run = experiment.run.model_copy(update={"envs": 1})
    find_nearby(experiment.env.names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were said when the run was made
        world, _ = world_of(experiment.model_copy(update={"env": env, "run": run}), registry)
        try:
            with world.frozen():
                yield world
        finally:
            world.close()


def lived(world: Environment, seed: int, episode: EpisodeRecord, names: Sequence[str], look: Look = str) -> Lived:
    """An episode done again, those of its row before it having been; `names` are those of the texts to keep.

    `look` is what is kept of what the world draws.
    Raises RunError where the world shows something else than was recorded.
    """
    env, seen, acted = world.layers[0], world.observation_layout, world.action_layout
    first = environment_seed(seed, episode.row, phase="evaluate") if episode.episode == 0 else None
    draws = (lambda: look(env.render())) if env.render_mode is not None else (lambda: None)
    obs, _ = env.reset(seed=first)
    _check(seen, obs, episode, "obs", 0)
    drawn, texts = [draws()], {name: [_text(obs, name)] for name in names}
    for t in range(episode.length):
        native = tuple(_column(episode, "action", leaf)[t : t + 1] for leaf in acted.leaves)
        obs, *_ = env.step(acted.row(native, 0))
        _check(seen, obs, episode, "next_obs", t)
        drawn.append(draws())
        for name, kept in texts.items():
            kept.append(_text(obs, name))
    return Lived(drawn, texts)


def _check(seen: Layout, obs: Any, episode: EpisodeRecord, name: str, t: int) -> None:
    for leaf in seen.leaves:
        recorded = _column(episode, name, leaf)[t]
        if not np.allclose(np.asarray(leaf.part(obs), np.float64), recorded, rtol=1e-5, atol=1e-6):
            raise RunError(f"the world, made again, is another one from episode {episode.episode}, step {t} on")


def _column(episode: EpisodeRecord, name: str, leaf: Leaf) -> np.ndarray:
    return episode.arrays[f"{name}.{leaf.name}" if leaf.path else name]


def _text(obs: Any, name: str) -> str:
    """The text of a dotted name in what is seen; keys may have dots of their own, and be places in a Tuple."""
    if not name:
        return str(obs)
    pairs = enumerate(obs) if isinstance(obs, tuple | list) else obs.items()
    found = ((part, name.removeprefix(str(key))) for key, part in pairs if f"{name}.".startswith(f"{key}."))
    part, rest = next(found)
    return _text(part, rest.removeprefix("."))
