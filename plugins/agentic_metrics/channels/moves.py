"""The transitions and the sensor of a finite world as sparse arrays: only what has a probability."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from agentic import UserError
from agentic_metrics.finite.arrays import Floats, Ints

SAME = 12  # decimals to which probabilities must agree to be equal


@final
@dataclass(frozen=True)
class Branches:
    """Sparse distributions over `size` outcomes: only the few that can happen.

    `outcomes` (n, b) names them and `probabilities` (n, b) says how likely they are; 0 pads.
    """

    outcomes: Ints
    probabilities: Floats
    size: int

    @classmethod
    def of(cls, table: Floats, name: str) -> Self:
        """The branches of rows (n, outcomes). Raises UserError, with their `name`, where they are no probabilities."""
        rows, columns = table.shape
        place = np.flatnonzero(table != 0)
        owner, values = place // columns, table.reshape(-1)[place]
        count = np.bincount(owner, minlength=rows)
        if not (values > 0).all() or np.abs(np.bincount(owner, values, rows) - 1).max() > 1e-9:
            raise UserError(f"{name} must hold probabilities that sum to 1 along the last axis: normalize them")
        outcomes, probabilities = np.zeros((rows, count.max()), np.int64), np.zeros((rows, count.max()))
        slot = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
        outcomes[owner, slot], probabilities[owner, slot] = place % columns, values
        return cls(outcomes, probabilities, columns)

    @classmethod
    def sure(cls, labels: Ints) -> Self:
        """The branches with one certain outcome each, named by its label (n,)."""
        return cls(labels[:, None], np.ones((len(labels), 1)), int(labels.max()) + 1)

    @property
    def certain(self) -> bool:
        """Whether nothing is left to chance."""
        return bool((self.probabilities.max(-1) > 1 - 10**-SAME).all())

    @cached_property
    def kinds(self) -> Ints:
        """The names (n, b) of probabilities: equal ones have the same, 0 is that of padding."""
        codes = np.unique(self.probabilities.round(SAME), return_inverse=True)[1].reshape(self.probabilities.shape)
        return np.where(self.probabilities > 0, codes + 1, 0)

    def matrix(self, rows: "slice | Ints" = slice(None)) -> csr_array:
        """The distributions of some rows as a sparse matrix (n, size)."""
        outcomes, probabilities = self.outcomes[rows], self.probabilities[rows]
        real = probabilities > 0
        ends = np.concatenate([[0], np.cumsum(real.sum(-1))])
        return csr_array((probabilities[real], outcomes[real], ends), shape=(len(outcomes), self.size))


@final
@dataclass(frozen=True)
class Moves:
    """A world of `states` and `actions` as two tables of branches.

    `steps` has a row for each pair, actions varying fastest; `sensor` one for each state.
    """

    steps: Branches
    sensor: Branches
    states: int
    actions: int

    @classmethod
    def of(cls, dynamics: ArrayLike, sensor: ArrayLike | None = None) -> Self:
        """The moves of dynamics (s, a, s') and a sensor: probabilities (s, o) or readings (s,); None sees states."""
        table = np.asarray(dynamics, np.float64)
        if table.ndim != 3 or table.shape[0] != table.shape[2] or not table.size:
            raise UserError(f"dynamics must have shape (states, actions, states), got {table.shape}")
        states, actions, _ = table.shape
        steps = Branches.of(table.reshape(states * actions, states), "dynamics")
        return cls(steps, _sensor(sensor, states), states, actions)

    @property
    def certain(self) -> bool:
        """Whether nothing is left to chance, neither what happens nor what is seen."""
        return self.steps.certain and self.sensor.certain

    def under(self, action: int) -> csr_array:
        """The transition matrix of an action, (s, s')."""
        return self.steps.matrix(slice(action, None, self.actions))


def _sensor(sensor: ArrayLike | None, states: int) -> Branches:
    if sensor is None:
        return Branches.sure(np.arange(states))
    readings = np.asarray(sensor)
    if readings.shape == (states,):
        return Branches.sure(np.unique(readings, return_inverse=True)[1].reshape(-1).astype(np.int64))
    if readings.ndim != 2 or len(readings) != states:
        raise UserError(
            f"a sensor of {states} states is one reading each, ({states},), or probabilities ({states}, readings); "
            f"got shape {readings.shape}"
        )
    return Branches.of(readings.astype(np.float64), "sensor")
