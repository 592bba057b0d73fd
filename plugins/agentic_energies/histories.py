"""Joint information gain along the possible histories of what is observed, in finite models.

Only histories that can happen are held, each with what it says about the states: never a table of all sequences.
"""

from math import prod
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor
from torch.special import xlogy

from agentic import Categorical, FiniteModel, UserError

LIMIT = 4_000_000  # numbers that the histories of one course may need
HELD = 50_000_000  # numbers that the histories of all courses may need together
OUTCOMES = 64  # of one history that a block counts on, where there are more


@final
class Histories(NamedTuple):
    """p(label, history, z | alive) of the possible histories: the label is what the gain is about.

    `mass` (h, labels, n), and `row` (h,) which of the rows of `shape` (*s, b) each is of.
    """

    shape: tuple[int, ...]
    row: Tensor
    mass: Tensor

    def by_row(self, values: Tensor) -> Tensor:
        """The sums (rows, ...) of `values` (h, ...) over the histories of each row."""
        return values.new_zeros(prod(self.shape), *values.shape[1:]).index_add(0, self.row, values)


def begin(model: FiniteModel, belief: Categorical, target: str) -> Histories:
    """The one history of every row before anything is observed."""
    probs = belief.probs.reshape(-1, 1, belief.probs.shape[-1])
    mass = probs * _static_classes(model).to(probs.dtype) if target == "static" else probs
    return Histories(belief.probs.shape[:-1], torch.arange(len(probs), device=probs.device), mass)


def step(model: FiniteModel, memory: Histories, action: Tensor, target: str, last: bool) -> tuple[Histories, Tensor]:
    """The histories after one action (*s, b, *event) and what is seen then, and the gain about `target`, (*s, b)."""
    ahead = _moved(model, memory, action)
    if target == "first" and memory.mass.shape[1] == 1:
        ahead = ahead._replace(mass=torch.diag_embed(ahead.mass[:, 0]))
    after = _seen(model, ahead)
    if target == "final":
        gain = _information(after) if last else torch.zeros_like(after.by_row(after.mass[:, 0, 0]))
    elif target == "trajectory":
        noise = ahead.by_row(model.ambiguity(Categorical(ahead.mass.sum(1))))
        gain = _fresh_entropy(ahead, after, (1, 2)) - noise
    else:
        gain = _fresh_entropy(ahead, after, (1, 2)) - _fresh_entropy(ahead, after, (2,)).sum(-1)
    survival = model.survival()
    going_on = after.mass if survival is None else after.mass * survival
    total = after.by_row(going_on.sum((1, 2))).clamp(min=1e-300)
    return after._replace(mass=going_on / total[after.row].view(-1, 1, 1)), gain.view(after.shape)


def _moved(model: FiniteModel, memory: Histories, action: Tensor) -> Histories:
    """The histories of every row of `action`, one step on."""
    shape = np.broadcast_shapes(action.shape[:-1], memory.shape)
    device = memory.row.device
    origin = torch.arange(prod(memory.shape), device=device).view(memory.shape).expand(shape).reshape(-1)
    order, counts = memory.row.argsort(stable=True), torch.bincount(memory.row, minlength=prod(memory.shape))
    starts, own = (counts.cumsum(0) - counts)[origin], counts[origin]
    _check_held(int(own.sum()) * prod(memory.mass.shape[1:]), len(origin))
    row = torch.arange(len(origin), device=device).repeat_interleave(own)
    rank = torch.arange(len(row), device=device) - (own.cumsum(0) - own)[row]
    actions = action.expand(*shape, -1).reshape(len(origin), -1)[row]
    mass = memory.mass[order[starts[row] + rank]]
    return Histories(shape, row, model.predict(Categorical(mass), actions.unsqueeze(1)).mean)


def _seen(model: FiniteModel, ahead: Histories) -> Histories:
    """The histories with one more observation. Raises UserError where they are too many, with how many of a course."""
    labels, states = ahead.mass.shape[1:]
    width = labels * states * min(model.outcome.count, OUTCOMES)
    counts = ahead.row.new_zeros(prod(ahead.shape))
    found: list[tuple[Tensor, Tensor]] = []
    for block in torch.arange(len(ahead.row), device=ahead.row.device).split(max(1, LIMIT // width)):
        outcome, column, _, joint = model.outcomes(ahead.mass[block].flatten(0, 1).T, 0.0)
        key, label = outcome * len(block) + column // labels, column % labels
        keys, group = torch.unique(key, return_inverse=True)
        mass = joint.new_zeros(len(keys), labels, states).index_put((group, label), joint)
        row = ahead.row[block][keys % len(block)]
        counts += torch.bincount(row, minlength=len(counts))
        found.append((row, mass))
        if max(int(counts.max()) / LIMIT, int(counts.sum()) / HELD) * labels * states > 1:  # now they are only counted
            found.clear()
    needed = int(counts.max())
    if needed * labels * states > LIMIT:
        raise UserError(f"JointGain needs {needed} outcome sequences, more than it enumerates: shorten the horizon")
    _check_held(int(counts.sum()) * labels * states, len(counts))
    rows, masses = zip(*found, strict=True)
    return Histories(ahead.shape, torch.cat(rows), torch.cat(masses))


def _check_held(numbers: int, courses: int) -> None:
    """Raise UserError where the histories of all courses together are too many."""
    if numbers > HELD:
        raise UserError(
            f"JointGain needs {numbers:,} numbers for the outcome sequences of {courses} courses, more than {HELD:,}: "
            "shorten the horizon, list plans, or use tree"
        )


def _fresh_entropy(ahead: Histories, after: Histories, summed: tuple[int, ...]) -> Tensor:
    """H[o | history] weighted by its probability, by row: of each label apart where states alone are `summed`."""
    past, joint = ahead.mass.sum(summed), after.mass.sum(summed)
    return ahead.by_row(xlogy(past, past)) - after.by_row(xlogy(joint, joint))


def _information(after: Histories) -> Tensor:
    """Mutual information of history and state, by row."""
    joint = after.mass[:, 0]
    histories, states = joint.sum(-1), after.by_row(joint)
    whole = xlogy(joint, joint).sum(-1) - xlogy(histories, histories)
    value: Tensor = after.by_row(whole) - xlogy(states, states).sum(-1)
    return value


def _static_classes(model: FiniteModel) -> Tensor:
    """One-hot membership (classes, n) of the sets of states that no action ever leaves for one another."""
    reached, chances = model.successors()
    there = (chances > 0).flatten(1)
    ahead, name = reached.flatten(1)[there], torch.arange(len(reached), device=reached.device)
    origin = name.unsqueeze(-1).expand_as(there)[there]
    while True:
        least = torch.minimum(name[origin], name[ahead])
        wider = name.scatter_reduce(0, origin, least, "amin").scatter_reduce(0, ahead, least, "amin")
        wider = wider[wider]
        if bool((wider == name).all()):
            return torch.nn.functional.one_hot(torch.unique(name, return_inverse=True)[1]).T
        name = wider
