"""What a checkpoint costs: saved, and put back, where an ensemble has experienced so many steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import torch
from rich.table import Table

import agentic
from agentic.experiments import example
from agentic.experiments.build import build
from agentic.runs.checkpoint import sound
from agentic.runs.folder import RunFolder
from agentic.runs.going import Going
from agentic.runs.manifest import Manifest
from agentic.runs.recorder import Recorder
from agentic.runs.saver import Saver
from agentic.runs.schedule import Checkpoints
from benchmarks.sample import Sample, seconds, side_by_side

STEPS = (1_000, 10_000)


@final
@dataclass(frozen=True)
class Cost:
    """The seconds of saving or putting back after so many steps of experience, and the bytes of the checkpoint."""

    steps: int
    what: str
    taken: Sample
    bytes: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"steps": self.steps, "what": self.what, "bytes": self.bytes, "seconds": self.taken.plain()}


def measure(quick: bool, repeats: int) -> list[Cost]:
    """Both, after each number of steps of Pendulum's warm-up."""
    return [cost for steps in STEPS[: 1 if quick else None] for cost in _costs(steps, repeats)]


def _costs(steps: int, repeats: int) -> list[Cost]:
    settings = [f"learn.steps={steps}", f"learn.warmup={steps}", "learn.cut=0", f"learner.every={2 * steps}"]
    table = agentic.Experiment.load(example("continuous"), settings)
    with TemporaryDirectory() as name:
        folder, built = RunFolder(Path(name)), build(table, agentic.load())
        recorder = Recorder(built.environment, folder, manifest=Manifest(folder, {}))
        going = Going(built.agent, built.environment, table.schedule, recorder, seed=0, dtype=torch.float32)
        saver, learner = Saver(going, folder, Checkpoints()), built.agent.learner
        assert going.course is not None
        assert learner is not None
        for tick in going.course:
            recorder.add("learn", tick)
            learner.update(tick)
            going.ticks += 1
        saver.save()
        kept = sound(folder)[0]
        tasks = {
            "save": lambda: seconds(saver.save),
            "put back, the world done again": lambda: seconds(lambda: saver.put_back(kept)),
        }
        size = sum(path.stat().st_size for path in kept.path.iterdir())
        found = side_by_side(tasks, repeats)
        recorder.close()
        return [Cost(steps, what, sample, size) for what, sample in found.items()]


def table(found: Sequence[Cost]) -> Table:
    """A row for each."""
    made = Table(
        "steps", "what", "ms", "kB", title="Checkpoints: Pendulum, an ensemble's experience", title_justify="left"
    )
    for cost in found:
        made.add_row(f"{cost.steps:,}", cost.what, _milliseconds(cost.taken), f"{cost.bytes / 1e3:,.0f}")
    return made


def _milliseconds(taken: Sample) -> str:
    return f"{1e3 * taken.median:.0f} ({1e3 * taken.low:.0f}-{1e3 * taken.high:.0f})"
