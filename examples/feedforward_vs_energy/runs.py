"""Running it: every learner on every number of data with every seed, over one or several processes."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, TypeVar, final

import torch
from rich.progress import Progress, track

from .questions import questions
from .study import Setting

Row = dict[str, Any]  # question, learner, variant, size, seed, and what was measured
T = TypeVar("T")


@final
@dataclass(frozen=True)
class Job:
    """One learner of one question, with so many data, a seed and a setting."""

    question: str
    learner: str
    size: int
    seed: int
    setting: Setting

    def run(self) -> list[Row]:
        """One row for each variant: what it was, and what was measured. On one thread, so that it is repeatable."""
        torch.set_num_threads(1)
        learner = questions()[self.question].learner(self.learner)
        about: Row = {"question": self.question, "learner": self.learner, "size": self.size, "seed": self.seed}
        found = learner.run(self.size, self.seed, self.setting)
        return [about | {"variant": variant} | dict(measures) for variant, measures in found.items()]


def spread(work: Sequence[Callable[[], T]], workers: int, label: str) -> list[T]:
    """What each piece of work returns, in order, whatever the number of processes; shows how far it is."""
    if workers == 1:
        return [piece() for piece in track(work, label)]
    found = dict[int, T]()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool, Progress() as progress:
        places = {pool.submit(piece): place for place, piece in enumerate(work)}
        for future in progress.track(as_completed(places), total=len(work), description=label):
            found[places[future]] = future.result()
    return [found[place] for place in range(len(work))]
