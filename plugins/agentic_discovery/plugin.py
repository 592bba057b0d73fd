"""What columns of few values tell about each other, by counting: log marginal likelihoods of tables."""

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from agentic import UserError
from agentic_discovery.columns import Columns
from agentic_discovery.couplings import stacked
from agentic_discovery.greedy import Scores

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

VALUES = 16  # of a column, at most
KEPT = 64  # ways of telling steps apart that are remembered


@final
class Tables(Scores):
    """Dirichlet-multinomial scores of the next value of each column given others, from codes (steps, places).

    The log marginal likelihood of a target with r values in a table with a row for what the given places have been is,
    with n the count of each cell and N that of its row, the sum over rows of

        log G(r/2) - log G(N + r/2) + sum over cells of log G(n + 1/2) - log G(1/2)

    (Heckerman, Geiger and Chickering 1995, with half a count in each cell beforehand: Krichevsky and Trofimov 1981).
    """

    def __init__(self, codes: Ints, sizes: Sequence[int]) -> None:
        self.codes, self.sizes = codes, sizes
        self._cells = gammaln(np.arange(len(codes) + 1) + 0.5) - gammaln(0.5)
        self._remembered: dict[tuple[int, ...], tuple[Ints, int]] = {}

    @classmethod
    def of(cls, recording: Columns, lag: int) -> Self:
        """Tables of a recording."""
        codes, sizes = np.empty_like(recording.values), []
        for place, column in enumerate(recording.values.T):
            values, codes[:, place] = np.unique(column, return_inverse=True)
            sizes.append(len(values))
        return cls(stacked(codes, recording.episodes, lag).astype(np.intp), sizes * (lag + 1))

    def gain(self, target: int, place: int, given: Sequence[int]) -> float:
        return self.likelihood(target, [*given, place]) - self.likelihood(target, given)

    def likelihood(self, target: int, given: Sequence[int]) -> float:
        """The log marginal likelihood of a target given places, in nats."""
        row, rows = self._rows(tuple(given))
        r = self.sizes[target]
        counts = np.bincount(row * r + self.codes[:, target], minlength=rows * r).reshape(rows, r)
        whole = counts.sum(1)
        whole = whole[whole > 0]
        tables = len(whole) * gammaln(r / 2) - gammaln(whole + r / 2).sum()
        return float(self._cells[counts].sum() + tables)

    def _rows(self, given: tuple[int, ...]) -> tuple[Ints, int]:
        """For each step the row of the table, and how many rows there are."""
        if not given:
            return np.zeros(len(self.codes), np.intp), 1
        if given not in self._remembered:
            if len(self._remembered) >= KEPT:
                self._remembered.clear()
            row, rows = self._rows(given[:-1])
            row = row * self.sizes[given[-1]] + self.codes[:, given[-1]]
            rows *= self.sizes[given[-1]]
            if rows > len(row):
                names, row = np.unique(row, return_inverse=True)
                rows = len(names)
            self._remembered[given] = row, rows
        return self._remembered[given]


def check_countable(recording: Columns, lag: int) -> None:
    """Raise UserError for a column with too many values."""
    for name, column in zip(recording.names, recording.values.T, strict=True):
        count = len(np.unique(column))
        if count > VALUES:
            raise UserError(
                f"the plugin estimator counts values, at most {VALUES} of a column, and {name!r} has {count}: round "
                "it, leave it out, or use the gaussian or the neighbors estimator"
            )
