"""The gain of an agent's own update: how far it expects its counts to move, in nats."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from agentic import Step, UserError
from agentic_energies.counts import Counts
from agentic_energies.dirichlet import divergence
from agentic_energies.learned import grouped, of_factor

if TYPE_CHECKING:
    from agentic_energies.categorical import CategoricalModel

LIMIT = 4_000_000  # pairs of states, times outcomes and beliefs, that may be followed
LIKELY = 1e-14


class OwnUpdate(ABC):
    """A model that says what its own update of its weights is expected to teach it."""

    @abstractmethod
    def update_gain(self, step: Step) -> Mapping[str, Tensor]:
        """The mean KL divergence in nats of the updated belief about weights from that before, (*s, b), by name.

        Over what may be observed after `step`; one update by fractions of counts, as the belief about states says.
        """


def own_update(model: "CategoricalModel", step: Step) -> dict[str, Tensor]:
    """E_o KL(Dir(a + rate q(z | o) o) || Dir(a)) of A, and the same of B by the belief about both states."""
    learned, gains = model.learned, dict[str, Tensor]()
    if not {"A", "B"} & {*learned.parts}:
        return gains
    before, action = step.before.mean, model.transition.joint(step.action, step.before.mean.dtype)
    shape = torch.broadcast_shapes(before.shape[:-1], action.shape[:-1])
    rows = [each.expand(*shape, -1).reshape(-1, each.shape[-1]) for each in (before, action)]
    likelihood, states = model.likelihood(), model.latent.count
    if len(rows[0]) * len(likelihood) * states**2 > LIMIT:
        raise UserError("the gain of the own update follows every outcome: use by='information' in a world this large")
    found: dict[str, list[Tensor]] = {}
    for q, weights in zip(*rows, strict=True):
        for name, gain in _row(model, q, weights, likelihood).items():
            found.setdefault(name, []).append(gain)
    return {name: torch.stack(each).view(shape) for name, each in found.items()}


def _row(model: "CategoricalModel", before: Tensor, action: Tensor, likelihood: Tensor) -> dict[str, Tensor]:
    learned, states = model.learned, model.latent.count
    table = model.transition.table  # (next, previous, actions)
    taken = (action > 0).nonzero().squeeze(-1).tolist()
    nothing = before.new_zeros(())
    gains = {name: nothing for part, name in NAMES.items() if part in learned.parts}
    for a in taken:
        moved = table[:, :, a] * before
        for outcome, row in enumerate(likelihood):
            chance = row @ moved.sum(1)
            if chance < LIKELY:
                continue
            pair, weight = moved * row.unsqueeze(-1) / chance, action[a] * chance
            if "A" in learned.parts:
                gains["parameter_gain"] = gains["parameter_gain"] + weight * _seen(model, outcome, pair.sum(1))
            if "B" in learned.parts:
                columns = torch.arange(states) * model.action.count + a
                moves = weight * _moved(model, pair, columns, before)
                gains["latent_parameter_gain"] = gains["latent_parameter_gain"] + moves
    return gains


NAMES = {"A": "parameter_gain", "B": "latent_parameter_gain"}


def _seen(model: "CategoricalModel", outcome: int, after: Tensor) -> Tensor:
    """What an outcome teaches about A where the states are then as likely as `after` (n,)."""
    values = torch.unravel_index(torch.tensor(outcome), model.outcome.sizes)
    gain, columns = after.new_zeros(()), torch.arange(len(after))
    for value, counts, index in zip(values, model.learned.counts("A"), model.learned.index["A"], strict=True):
        seen = torch.nn.functional.one_hot(value, counts.size).to(after.dtype)
        gain = gain + moves(counts, *grouped(seen.unsqueeze(-1) * after, columns, index))
    return gain


def _moved(model: "CategoricalModel", pair: Tensor, columns: Tensor, before: Tensor) -> Tensor:
    """What a belief about two states (n, n) teaches about B."""
    outer, gain = model.learned.lessons.lessons["B"].pairs == "outer", pair.new_zeros(())
    for f, (counts, index) in enumerate(zip(model.learned.counts("B"), model.learned.index["B"], strict=True)):
        weights = of_factor(pair.sum(1, keepdim=True) * before if outer else pair, model.factors, f)
        gain = gain + moves(counts, *grouped(weights, columns, index))
    return gain


def moves(counts: Counts, weights: Tensor, columns: Tensor) -> Tensor:
    """How far counts move that are given `weights` (size, c) in `columns` (c,), in nats; nothing is forgotten."""
    alpha = counts.alpha(columns)
    return divergence(torch.where(alpha > 0, alpha + counts.rate * weights, alpha), alpha).sum()
