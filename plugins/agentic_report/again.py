"""The world of a run made again, and what it draws in its recorded episodes."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from agentic import Environment, Experiment
from agentic.cli import find_nearby
from agentic.experiments import relived, world_again
from agentic.plugins import Registry
from agentic.runs import EpisodeRecord

Look = Callable[[Any], Any]


@final
@dataclass(frozen=True)
class Lived:
    """What a world has `drawn` at each observation of an episode, and the `texts` seen there, by dotted name."""

    drawn: Sequence[Any]
    texts: Mapping[str, Sequence[str]]


@contextmanager
def world_drawn(experiment: Experiment, registry: Registry, mode: str | None = None) -> Iterator[Environment]:
    """One row of the world of an experiment, which draws itself as `mode` says, None for not at all."""
    find_nearby(experiment.env.names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were said when the run was made
        world = world_again(experiment, registry, **({} if mode is None else {"render_mode": mode}))
        try:
            with world.frozen():
                yield world
        finally:
            world.close()


def lived(world: Environment, seed: int, episode: EpisodeRecord, names: Sequence[str], look: Look = str) -> Lived:
    """An episode lived again, those of its row before it having been; `names` are those of the texts to keep.

    `look` is what is kept of what the world draws.
    Raises RunError where the world shows something else than was recorded.
    """
    env = world.layers[0]
    drawn, texts = [], {name: list[str]() for name in names}
    for obs in relived(world, seed, episode):
        drawn.append(None if env.render_mode is None else look(env.render()))
        for name, kept in texts.items():
            kept.append(_text(obs, name))
    return Lived(drawn, texts)


def _text(obs: Any, name: str) -> str:
    """The text of a dotted name in what is seen; keys may have dots of their own, and be places in a Tuple."""
    if not name:
        return str(obs)
    pairs = enumerate(obs) if isinstance(obs, tuple | list) else obs.items()
    found = ((part, name.removeprefix(str(key))) for key, part in pairs if f"{name}.".startswith(f"{key}."))
    part, rest = next(found)
    return _text(part, rest.removeprefix("."))
