"""Nearest-neighbor information of N samples: ours against ennemi and infomeasure, where they are installed.

Mutual information of two variables of one and of two columns each, and transfer entropy with one step of history;
k = 4 everywhere, one processor. The peers measure what we measure: how far the values are apart is in the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from agentic_metrics import Neighbors
from benchmarks.sample import Sample, seconds, side_by_side

Floats = NDArray[np.float64]
Work = Callable[[], float]  # a value in bits

COUNTS = (1_000, 10_000, 100_000)
REPEATS = 3  # at most, of the largest count
K = 4


@final
@dataclass(frozen=True)
class Measured:
    """One quantity at one number of samples: milliseconds of each package, and its value in bits."""

    what: str
    count: int
    taken: dict[str, Sample]
    bits: dict[str, float]

    @property
    def best_peer(self) -> str | None:
        """The peer whose median is lowest; None where none is installed."""
        peers = [name for name in self.taken if name != "ours"]
        return min(peers, key=lambda name: self.taken[name].median, default=None)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "samples": self.count,
            "milliseconds": {name: taken.plain() for name, taken in self.taken.items()},
            "bits": self.bits,
            "best_peer_over_ours": self.taken[self.best_peer].over(self.taken["ours"]).plain()
            if self.best_peer
            else None,
        }


def measure(quick: bool, repeats: int) -> list[Measured]:
    """Every quantity at every count; without the largest if quick."""
    return [
        _measure(what, tasks, count, min(repeats, REPEATS) if count == COUNTS[-1] else repeats)
        for count in COUNTS[: 2 if quick else 3]
        for what, tasks in _tasks(count).items()
    ]


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name, peer in (("ennemi", _ennemi()), ("infomeasure", _infomeasure())) if peer is None]


def _measure(what: str, tasks: dict[str, Work], count: int, repeats: int) -> Measured:
    taken = side_by_side({name: partial(_milliseconds, task) for name, task in tasks.items()}, repeats)
    return Measured(what, count, taken, {name: task() for name, task in tasks.items()})


def _milliseconds(task: Work) -> float:
    return 1e3 * seconds(task)


def _tasks(count: int) -> dict[str, dict[str, Work]]:
    source = np.random.default_rng(count)
    x, noise = source.normal(size=(2, count, 2))
    y = 0.8 * x + 0.6 * noise
    cause, effect = _driven(source, count)
    return {
        "mutual information, 1 + 1 columns": _of_pair(x[:, :1], y[:, :1]),
        "mutual information, 2 + 2 columns": _of_pair(x, y),
        "transfer entropy, 1 step": _of_series(cause, effect),
    }


def _of_pair(x: Floats, y: Floats) -> dict[str, Work]:
    tasks: dict[str, Work] = {"ours": lambda: Neighbors(K).information(x, y).value}
    ennemi, infomeasure = _ennemi(), _infomeasure()
    if ennemi and x.shape[1] == 1:  # it takes one column each
        tasks["ennemi"] = lambda: ennemi.estimate_mi(y[:, 0], x[:, 0], k=K)[0, 0] / np.log(2)
    if infomeasure:
        a, b = (x[:, 0], y[:, 0]) if x.shape[1] == 1 else (x, y)
        tasks["infomeasure"] = lambda: infomeasure.mutual_information(a, b, approach="ksg", k=K, base=2)
    return tasks


def _of_series(x: Floats, y: Floats) -> dict[str, Work]:
    before, after, past = x[:-1, None], y[1:, None], y[:-1, None]
    tasks: dict[str, Work] = {"ours": lambda: Neighbors(K).information(before, after, past).value}
    ennemi, infomeasure = _ennemi(), _infomeasure()
    if ennemi:
        tasks["ennemi"] = lambda: ennemi.estimate_mi(y[1:], x[:-1], k=K, cond=y[:-1])[0, 0] / np.log(2)
    if infomeasure:
        tasks["infomeasure"] = lambda: infomeasure.transfer_entropy(x, y, approach="ksg", k=K, base=2)
    return tasks


def _driven(source: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """x' = x / 2 + ex and y' = y / 2 + x / 2 + ey."""
    noise = source.normal(size=(2, count))
    x = lfilter([1], [1, -0.5], noise[0])
    noise[1, 1:] += 0.5 * x[:-1]
    return x, lfilter([1], [1, -0.5], noise[1])


def _ennemi() -> Any:
    try:
        import ennemi
    except ImportError:
        return None
    return ennemi


def _infomeasure() -> Any:
    try:
        import infomeasure
    except ImportError:
        return None
    return infomeasure
