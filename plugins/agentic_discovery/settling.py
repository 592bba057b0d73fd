"""Roles settled to the minimum of their energy: Gibbs sampling of labels, cooled down, many chains at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.energies import IDLE, Form, log_factorials

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


FREELY = 0.6  # the share of sweeps in which sensors and actuators need not do what they are for
WAYS = ("hears", "reaches", "meets", "holds")  # of a form: what labels are for


@final
class Chains:
    """Labels of columns in many chains, each under a form of its own, drawn one column at a time given all others.

    Chains are the last axis of everything here: `labels` are (columns, chains).
    """

    def __init__(self, couplings: Floats, forms: Sequence[Form], labels: Ints) -> None:
        self.columns, self._price = len(labels), IDLE
        self.labels = labels.copy()
        size = len(forms[0].used)
        self._places, self._eye = np.arange(size)[:, None], np.eye(size, dtype=np.intp)[:, :, None]
        self._allowed = np.stack([form.allowed for form in forms], axis=-1)
        self._heard = self._allowed.transpose(1, 0, 2) & (self._eye == 0)  # without the diagonal, counted once
        self._shut = (~self._allowed).astype(float)
        self._unused = np.where(np.stack([form.used for form in forms], axis=-1), 0.0, np.inf)
        self._logs = log_factorials(self.columns)
        self._names = np.log(np.arange(self.columns + 1) + 1.0)
        self._wants = [np.stack([getattr(form, way) for form in forms], axis=-1) * 1.0 for way in WAYS]
        self._busy = [wants.any(1) for wants in self._wants]
        graph = (couplings > 0).astype(float)
        self._next = [[np.flatnonzero(row) for row in way] for way in (graph.T, graph)]  # who is heard, who is reached
        self._near = [_near(couplings, column) for column in range(self.columns)]
        self._one = (labels[:, None, :] == self._places).astype(float)
        self._counts = self._one.sum(0).astype(np.intp)
        there = np.einsum("irc,ij,jsc->rsc", self._one, graph, self._one, optimize=True)
        self._around = [np.tensordot(way, self._one, 1) for way in (graph.T, graph)]  # labels of those, counted
        self._there = there.round().astype(np.intp)

    def sweep(self, temperature: float, generator: np.random.Generator, idle: float = IDLE) -> None:
        """Draw each column's label once, in random order, at a temperature in nats; `idle` is what `IDLE` counts."""
        self._price = idle
        for column in generator.permutation(self.columns):
            self._draw(int(column), temperature, generator)

    def _draw(self, column: int, temperature: float, generator: np.random.Generator) -> None:
        near, ways = self._near[column]
        totals = (ways @ self._one[near].reshape(len(near), self._counts.size)).reshape(4, *self._counts.shape)
        out, into = totals[0], totals[1]
        self._move(column, -1, out, into)
        costs = self._costs(out.astype(np.intp), into.astype(np.intp))
        costs += (self._shut * totals[2]).sum(1) + (self._shut * totals[3][:, None]).sum(0)
        if self._price:
            costs += self._price * self._idle(column, out, into)
        self.labels[column] = np.argmin(costs / temperature - generator.gumbel(size=costs.shape), axis=0)
        self._one[column] = self.labels[column] == self._places
        self._move(column, 1, out, into)

    def _move(self, column: int, sign: int, out: Floats, into: Floats) -> None:
        """Count a column with its couplings (1), or no longer (-1)."""
        one = self._one[column]
        # Those that hear it count it among whom they hear, those that reach it among whom they reach.
        for way in range(2):
            self._around[way][self._next[1 - way][column]] += sign * one
        self._counts += sign * one.astype(np.intp)
        self._there += (sign * (one[:, None] * out + into[:, None] * one)).astype(np.intp)

    def _costs(self, out: Ints, into: Ints) -> Floats:
        """What the code of pairs and labels grows by if the column is given each label; (labels, chains)."""
        counts, there, eye = self._counts, self._there, self._eye
        more = (counts[:, None] + 1) * counts[None]  # pairs of each label, one longer, with each
        before = self._code(counts[:, None] * (counts[None] - eye), there)
        along = self._code(more, there + out + eye * into)
        against = self._code(more, np.minimum(there.transpose(1, 0, 2) + into, more))
        grown = (self._allowed * (along - before)).sum(1) + (self._heard * (against - before.transpose(1, 0, 2))).sum(1)
        return np.asarray(grown - self._names.take(counts) + self._unused)

    def _idle(self, column: int, out: Floats, into: Floats) -> Floats:
        """Columns that do not do what they are for if the column is given each label: itself, less those it helps."""
        heard, reached = self._next[0][column], self._next[1][column]
        near = self._near[column][0]
        hears, reaches = self._around
        both = into + out
        total = self._lacking(0, into, reached, hears[reached]) + self._lacking(1, out, heard, reaches[heard])
        if self._busy[2].any():
            around = hears[near] + reaches[near]
            total += self._lacking(2, both, near, around) + self._lacking(3, both, near, around)
        return total

    def _lacking(self, way: int, own: Floats, near: Ints, around: Floats) -> Floats:
        """The same of one thing to do, given the labels around the column itself and around those it may help."""
        wants = self._wants[way]
        idle = self._busy[way] & ((wants * own).sum(1) == 0)
        lacking = self._one[near] * (self._busy[way] & ((wants * around[:, None]).sum(2) == 0))
        return np.asarray(idle - (wants * lacking.sum(0)[:, None]).sum(0))

    def _code(self, pairs: Ints, there: Ints) -> Floats:
        logs = self._logs
        return np.asarray(logs.take(pairs + 1) - logs.take(there) - logs.take(pairs - there))


def _near(couplings: Floats, column: int) -> tuple[Ints, Floats]:
    """The columns that a column is coupled with, and how: out, in, and the nats of both."""
    out, into = couplings[column], couplings[:, column]
    near = np.flatnonzero((out > 0) | (into > 0))
    ways = np.stack([out > 0, into > 0, out, into]).astype(float)
    return near, ways[:, near]


@final
@dataclass(frozen=True)
class Schedule:
    """How roles are cooled down: so many chains for each form, from the hot to the cold (nats) in so many sweeps."""

    chains: int = 32
    sweeps: int = 60
    hot: float = 4.0
    cold: float = 0.7

    def temperatures(self) -> Floats:
        """The temperature of each sweep in nats: a geometric row, and then a few at almost none."""
        return np.concatenate([np.geomspace(self.hot, self.cold, self.sweeps), np.full(6, 1e-3)])


def annealed(
    couplings: Floats, forms: Sequence[Form], *, generator: np.random.Generator, schedule: Schedule = Schedule()
) -> Ints:
    """Labels at which chains of each form settled; (forms, chains, columns)."""
    chains, columns = schedule.chains, len(couplings)
    starts = [generator.choice(np.flatnonzero(form.used), (columns, chains)) for form in forms]
    each = [form for form in forms for _ in range(chains)]
    settled = Chains(couplings, each, np.concatenate(starts, axis=1))
    for number, temperature in enumerate(schedule.temperatures()):
        started = number >= schedule.sweeps * FREELY  # first who belongs to whom, then who is needed between
        settled.sweep(float(temperature), generator, IDLE if started else 0.0)
    return settled.labels.T.reshape(len(forms), chains, columns)
