"""The pictures of a recorded episode: its world made again and looked at, or the pictures that were observed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from agentic import Environment, Record, UserError
from agentic.experiments import relived
from agentic.runs import EpisodeRecord


def one(record: Record, phase: Any, row: int, episode: int) -> EpisodeRecord:
    """One episode of one row, read alone."""
    where = (pc.field("row") == row) & (pc.field("episode") == episode)
    return record.episodes(phase, where)[0]


def world_frames(record: Record, episode: EpisodeRecord, world: Environment) -> Iterator[np.ndarray]:
    """What the world draws at each observation of an episode, (height, width, 3) uint8, one more than there are steps.

    The episodes of its row before it are lived again first. Raises RunError where what is seen is not what is recorded,
    UserError where nothing is drawn.
    """
    env, seed = world.layers[0], record.manifest.get("seed")
    if not isinstance(seed, int):
        raise UserError("the manifest has no seed to make the world again with")
    for before in range(episode.episode):
        for _ in relived(world, seed, one(record, episode.phase, episode.row, before)):
            pass
    return (_drawn(env) for _ in relived(world, seed, episode))


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
    return frame.astype(np.uint8)
