"""A recorded episode as a video: the world, and beside it belief, plan and energies."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import pyarrow.compute as pc

from agentic import Record, UserError
from agentic.errors import BREAKS, RunError, said
from agentic.plugins import Registry
from agentic.runs import EpisodeRecord
from agentic_exchange.frames import observed_frames, world_frames
from agentic_exchange.worlds import world_of_run
from agentic_exchange.writing import write_video

SHOWN = 8  # actions of a plan that are written


@final
@dataclass(frozen=True)
class Video:
    """A video that was written: its file, its frames, and why there is no picture of the world, where there is none."""

    path: Path
    frames: int
    note: str = ""


def make_video(
    folder: str | Path,
    path: str | Path,
    registry: Registry,
    *,
    episode: int = 0,
    phase: Literal["learn", "evaluate"] = "evaluate",
    fps: float = 4.0,
    trust: bool = False,
) -> Video:
    """Write a video of one episode of the run in a folder: a .gif or an .mp4, as `path` ends.

    The world is made again with the recorded seed and actions, and compared with what was seen; where that cannot be,
    the pictures that were observed are shown, or belief and energies alone. What only the folder names is run where it
    is given `trust`. Raises UserError without Pillow, for an episode that is not there or has nothing to draw, and for
    other endings.
    """
    try:
        from agentic_exchange.panel import Panel
    except ImportError as error:
        raise UserError(f"no video can be drawn here ({error}): pip install 'agentic[video]'") from None
    record = Record.open(folder)
    found = record.episode(episode, phase)
    agent = record.brief()["agent"]
    panel = Panel(found, f"{agent}, {phase} episode {episode}", plans_of(record, found))
    pictures, note = _pictures(record, found, registry, trust)
    with closing(pictures):
        count = write_video((panel.frame(t, each) for t, each in enumerate(pictures)), Path(path), fps)
    return Video(Path(path), count, note)


def plans_of(record: Record, episode: EpisodeRecord) -> dict[int, str]:
    """The best recorded plan of each step, its actions as text; empty where none were recorded."""
    table = record.candidates()
    if "plan" not in table.column_names:
        return {}
    place = (("phase", episode.phase), ("row", episode.row), ("episode", episode.episode), ("rank", 0))
    for name, value in place:
        table = table.filter(pc.equal(table[name], value))
    plans = zip(table["t"].to_pylist(), table["plan"].to_pylist(), strict=True)
    return {t: " ".join(f"{x:.3g}" for x in plan[:SHOWN]) + " ..." * (len(plan) > SHOWN) for t, plan in plans}


def _pictures(record: Record, episode: EpisodeRecord, registry: Registry, trust: bool) -> tuple[Any, str]:
    """A generator of what is drawn of the world at each observation, None for nothing, and why nothing is."""
    assert record.folder is not None
    try:
        for _ in _again(record, episode, registry, trust):  # once through: what is another world is known before
            pass
        return _again(record, episode, registry, trust), ""
    except UserError as error:
        if "--trust" in str(error):
            raise
        why = str(error)
    except RunError as error:
        why = str(error)
    except BREAKS as error:  # whatever a third party's world raises
        why = said(error)
    seen = observed_frames(episode)
    if seen is not None:
        return (each for each in seen), f"the pictures are those that were observed: {why}"
    if not any(_tells(name, array) for name, array in episode.arrays.items()):
        raise UserError(
            f"there is nothing to draw: no picture of the world, {why}, and neither belief nor energy was recorded; "
            "`agentic show --episode` prints what was done"
        )
    return (None for _ in range(episode.length + 1)), f"there is no picture of the world: {why}"


def _tells(name: str, array: np.ndarray) -> bool:
    """Whether a column is drawn beside the world: values of a belief or an energy."""
    return name.startswith(("belief.", "energy.")) and bool(np.isfinite(array.astype(float)).any())


def _again(record: Record, episode: EpisodeRecord, registry: Registry, trust: bool) -> Iterator[np.ndarray]:
    assert record.folder is not None
    world = world_of_run(record.folder, registry, trust=trust, render_mode="rgb_array")
    try:
        with world.frozen():
            yield from world_frames(record, episode, world)
    finally:
        world.close()
