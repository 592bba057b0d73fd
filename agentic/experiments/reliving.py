"""The world of a run made again, and recorded episodes lived through in it once more."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from agentic.environments.environment import Environment
from agentic.environments.spaces import Layout
from agentic.errors import RunError
from agentic.experiments.experiment import Experiment
from agentic.experiments.worlds import world_of
from agentic.plugins.registry import Registry
from agentic.runs.record import EpisodeRecord
from agentic.runs.seeds import environment_seed

CLOSE: dict[str, Any] = {
    "rtol": 1e-5,
    "atol": 1e-6,
    "equal_nan": True,
}  # by how much another machine may round otherwise


def world_again(experiment: Experiment, registry: Registry, **more: Any) -> Environment:
    """One row of the world of an experiment, with `more` arguments, as render_mode."""
    env = experiment.env.model_copy(update={"kwargs": {**experiment.env.kwargs, **more}})
    run = experiment.run.model_copy(update={"envs": 1})
    return world_of(experiment.model_copy(update={"env": env, "run": run}), registry)[0]


def relived(world: Environment, seed: int, episode: EpisodeRecord) -> Iterator[Any]:
    """What is seen in a recorded episode that is lived again, as the world gives it: one more than there are steps.

    `seed` is that of the run, `world` one row of its world. Episodes of its row before it have to be lived first: the
    chance of a world goes on through them. Raises RunError where it shows something else than was recorded.
    """
    env, seen = world.layers[0], world.observation_layout
    begin, after = (_columns(episode, name, seen) for name in ("obs", "next_obs"))
    actions = _columns(episode, "action", world.action_layout)
    first = environment_seed(seed, episode.row, phase=episode.phase) if episode.episode == 0 else None
    obs, _ = env.reset(seed=first)
    _check(seen, obs, begin, 0, episode)
    yield obs
    for t in range(episode.length):
        obs, *_ = env.step(world.action_layout.row(actions, t))
        _check(seen, obs, after, t, episode)
        yield obs


def _columns(episode: EpisodeRecord, name: str, layout: Layout) -> tuple[np.ndarray, ...]:
    found = []
    for leaf in layout.leaves:
        column = f"{name}.{leaf.name}" if leaf.path else name
        if column not in episode.arrays:
            raise RunError(f"the record has no column {column}: it is of another world")
        found.append(np.asarray(episode.arrays[column]).astype(leaf.dtype, copy=False))
    return tuple(found)


def _check(layout: Layout, obs: Any, recorded: Sequence[np.ndarray], t: int, episode: EpisodeRecord) -> None:
    seen = layout.empty(1)
    layout.store(seen, 0, obs)
    for new, old in zip(seen, recorded, strict=True):
        if not np.allclose(new[0].astype(np.float64), old[t].astype(np.float64), **CLOSE):
            raise RunError(f"the world, made again, is another one from episode {episode.episode}, step {t} on")
