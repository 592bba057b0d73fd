"""The pictures of a recorded episode: its world made again and looked at, or the pictures that were observed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from agentic import Environment, Record, UserError
from agentic.environments import Layout
from agentic.runs import EpisodeRecord, environment_seed

CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}  # by how much another machine may round otherwise


def one(record: Record, phase: Any, row: int, episode: int) -> EpisodeRecord:
    """One episode of one row, read alone."""
    where = (pc.field("row") == row) & (pc.field("episode") == episode)
    return record.episodes(phase, where)[0]


def world_frames(record: Record, episode: EpisodeRecord, world: Environment) -> Iterator[np.ndarray]:
    """What the world draws at each observation of an episode, (height, width, 3) uint8, one more than there are steps.

    The episodes of its row before it are done again, since its generator goes on through them. Raises UserError where
    what is seen is not what is recorded, and where nothing is drawn.
    """
    env, seed = world.layers[0], record.manifest.get("seed")
    if not isinstance(seed, int):
        raise UserError("the manifest has no seed to make the world again with")
    for before in range(episode.episode + 1):
        last = before == episode.episode
        each = episode if last else one(record, episode.phase, episode.row, before)
        first = environment_seed(seed, each.row, phase=each.phase) if before == 0 else None
        begin, after = (_columns(each, prefix, world.observation_layout) for prefix in ("obs", "next_obs"))
        actions = _columns(each, "action", world.action_layout)
        obs, _ = env.reset(seed=first)
        _check(world.observation_layout, obs, begin, 0, each)
        if last:
            yield _drawn(env)
        for t in range(each.length):
            obs, *_ = env.step(world.action_layout.row(actions, t))
            _check(world.observation_layout, obs, after, t, each)
            if last:
                yield _drawn(env)


def observed_frames(episode: EpisodeRecord) -> Iterator[np.ndarray] | None:
    """The pictures that were observed, the first of several leaves; None where none are."""
    for name, array in episode.arrays.items():
        if (
            name.partition(".")[0] == "obs"
            and array.dtype == np.uint8
            and array.ndim == 4
            and array.shape[-1] in (1, 3)
        ):
            last = episode.arrays[f"next_{name}"][-1:]
            return (np.broadcast_to(each, (*each.shape[:2], 3)) for part in (array, last) for each in part)
    return None


def _drawn(env: Any) -> np.ndarray:
    frame = np.asarray(env.render())
    if frame.ndim != 3 or frame.shape[-1] != 3:
        raise UserError(f"the world draws an array of shape {frame.shape}, where (height, width, 3) is wanted")
    if frame.dtype.kind in "bf" and frame.size and frame.max() <= 1:  # fractions of full color
        frame = np.rint(frame * 255.0)
    return frame.astype(np.uint8)


def _columns(episode: EpisodeRecord, prefix: str, space: Layout) -> tuple[np.ndarray, ...]:
    found = []
    for leaf in space.leaves:
        name = f"{prefix}.{leaf.name}" if leaf.path else prefix
        if name not in episode.arrays:
            raise UserError(f"the record has no column {name}: it is of another world")
        found.append(np.asarray(episode.arrays[name]).astype(leaf.dtype, copy=False))
    return tuple(found)


def _check(space: Layout, obs: Any, recorded: tuple[np.ndarray, ...], t: int, episode: EpisodeRecord) -> None:
    seen = space.empty(1)
    space.store(seen, 0, obs)
    for new, old in zip(seen, recorded, strict=True):
        if not np.allclose(new[0].astype(np.float64), old[t].astype(np.float64), equal_nan=True, **CLOSE):
            raise UserError(f"the world, made again, is another one from episode {episode.episode}, step {t} on")
