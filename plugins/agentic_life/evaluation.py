"""Evaluations: what a saved agent was worth on several seeds, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from agentic import Interval
from agentic.metrics import expanded, finite, interquartile_mean, mean_interval, resampled, return_interval
from agentic.runs import stream

LEAST = 4  # returns of which there are quarters
SEEDS = 5  # of fewer no bootstrap tells how far the next might be
LEVEL = 0.95


@final
@dataclass(frozen=True, repr=False)
class Evaluation:
    """The `returns` of a saved agent's episodes by evaluation seed, in the order of the record.

    `remarks` are sentences on the agent.
    """

    subject: str
    returns: Mapping[int, np.ndarray]
    remarks: tuple[str, ...] = ()

    @property
    def by_seed(self) -> dict[int, tuple[float, Interval]]:
        """The mean return on each seed, and its interval over the episodes; see `return_interval`."""
        return {seed: return_interval(each, LEVEL) for seed, each in self.returns.items()}

    @property
    def mean(self) -> tuple[float, Interval]:
        """The mean over seeds of the mean return, and Student's interval over seeds; NaN bounds for one seed."""
        value, interval = mean_interval([mean for mean, _ in self.by_seed.values()], LEVEL)
        return value, replace(interval, method=f"Student t over {len(self.returns)} seeds")

    @property
    def interquartile_mean(self) -> tuple[float, Interval | None]:
        """The mean of the middle half of all seeds' returns, and its interval over seeds, None for fewer than five.

        A quarter of n returns, rounded down, is left out at each end (Agarwal et al. 2021). The interval is that of a
        bootstrap which draws whole seeds; one agent in one world is a single stratum. See `agentic.metrics.expanded`.
        Always the same resamples are drawn. NaN for fewer than four returns.
        """
        samples = list(self.returns.values())
        value, count = interquartile_mean(np.concatenate(samples)), len(samples)
        if count < SEEDS or not np.isfinite(value):
            return value, None
        draws = resampled(samples, np.random.default_rng(stream(0, "interquartile mean")))
        low, high = expanded(draws, count, LEVEL)
        return value, Interval(LEVEL, low, high, f"expanded percentile bootstrap over {count} seeds")

    @property
    def notes(self) -> list[str]:
        """The remarks, and why there is no number or no interval, a sentence each."""
        value, interval = self.interquartile_mean
        counts = {len(each) for each in self.returns.values()}
        least = sum(map(len, self.returns.values())) < LEAST
        said = [*self.remarks]
        said += ["an interval of a seed's mean takes two complete episodes or more"] if min(counts) < 2 else []
        said += ["an interval over seeds takes two of them or more"] if len(self.returns) < 2 else []
        said += [f"the interquartile mean takes {LEAST} returns or more"] if least else []
        short = interval is None and not least and bool(np.isfinite(value))
        return [*said, *([f"an interval of the interquartile mean takes {SEEDS} seeds or more"] if short else [])]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON; what is not finite or not there is None."""
        rows = [
            {"seed": seed, **_plain(*self.by_seed[seed]), "returns": [finite(value) for value in each.tolist()]}
            for seed, each in self.returns.items()
        ]
        outcome = {"mean": _plain(*self.mean), "interquartile_mean": _plain(*self.interquartile_mean)}
        return {"subject": self.subject, "seeds": rows, **outcome, "notes": self.notes}

    def __repr__(self) -> str:
        (mean, around), (middle, interval) = self.mean, self.interquartile_mean
        parts = f"mean = {mean:.4g} {around}; interquartile mean = {middle:.4g} {interval or ''}".rstrip()
        return f"{self.subject}, {len(self.returns)} seeds: {parts}"


def _plain(value: float, interval: Interval | None) -> dict[str, Any]:
    ends = {"low": None, "high": None} if interval is None else {"low": interval.low, "high": interval.high}
    return {"value": finite(value), **{name: finite(end) for name, end in ends.items()}}
