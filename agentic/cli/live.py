"""The numbers of a run as lines below its bars: return, energy and model error, over the whole phase so far."""

from collections import deque
from collections.abc import Iterator, Mapping
from math import isfinite, isnan, nan
from typing import final

import numpy as np
import torch

from agentic.cli.tables import sparkline
from agentic.runs.run import Progress

DRAWN = 32  # bars of a line
LATELY = 20  # steps of which the mean is told
ENERGIES = ("free_energy", "expected_energy")  # the first that an agent reports is drawn
ERROR = "model error"


@final
class Trace:
    """The course of a number over a phase, in less than twice `DRAWN` means: before there are more, neighbors join."""

    def __init__(self) -> None:
        self.recent = deque[float](maxlen=LATELY)
        self._means: list[float] = []
        self._sum, self._count, self._each = 0.0, 0, 1

    def add(self, value: float) -> None:
        """Take a number; what is not finite is left out."""
        if not isfinite(value):
            return
        self.recent.append(value)
        self._sum, self._count = self._sum + value / self._each, self._count + 1
        if self._count < self._each:
            return
        self._means.append(self._sum)
        self._sum, self._count = 0.0, 0
        if len(self._means) >= 2 * DRAWN:
            self._means = [a / 2 + b / 2 for a, b in zip(self._means[::2], self._means[1::2], strict=True)]
            self._each *= 2

    @property
    def latest(self) -> float:
        """The mean of the last ones; NaN before the first."""
        return sum(value / len(self.recent) for value in self.recent) if self.recent else nan

    def drawn(self, encoding: str) -> str:
        """A bar for each part of the course, as high as it is between the least and the largest."""
        return sparkline(self._means, encoding, DRAWN) if len(self._means) > 1 else ""


@final
class Live:
    """What is drawn of a phase: returns of its episodes, energies of its steps, and what learning reports."""

    def __init__(self, encoding: str) -> None:
        self.encoding, self.phase = encoding, ""
        self.traces: dict[str, Trace] = {}

    def hear(self, reported: Progress, returns: list[float]) -> None:
        """Take a tick, and the returns of the episodes that ended with it."""
        if reported.phase != self.phase:
            self.phase, self.traces = reported.phase, {}
        for value in returns:
            self._trace("return").add(value)
        tick = reported.tick
        for name in ENERGIES:
            energy = tick.decision.energies.get(name)
            if energy is not None and tick.valid.any():
                values = torch.as_tensor(energy).detach().cpu().double().numpy()[tick.valid]
                with np.errstate(all="ignore"):
                    self._trace(name.replace("_", " ")).add(float(values.mean()))
                break
        if error := error_of(reported.learned):
            self._trace(f"{ERROR} ({error.replace('_', ' ')})").add(float(reported.learned[error]))

    def lines(self, latest_return: str) -> Iterator[str]:
        """The lines, return, energy and model error: a name, its course and its latest value."""
        width = max((len(name) for name in self.traces), default=0)
        for name in sorted(self.traces, key=lambda name: (name != "return", name.startswith(ERROR))):
            trace = self.traces[name]
            latest = latest_return if name == "return" else "-" if isnan(trace.latest) else f"{trace.latest:.4g}"
            yield " ".join(part for part in (name.ljust(width), trace.drawn(self.encoding), latest) if part)

    def _trace(self, name: str) -> Trace:
        return self.traces.setdefault(name, Trace())


def error_of(learned: Mapping[str, float]) -> str:
    """The name of the number that tells how wrong the model is: the first that is an error, else the loss."""
    return next((name for name in learned if name.endswith("error")), "loss" if "loss" in learned else "")
