"""Smoothing of a finite model: what a window of observations says about every state in it, exactly, forward and back.

Rabiner 1989, scaled: the forward pass is filtering, and the sum of its free energies is minus the log evidence.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic import Evidence, FiniteModel, Simplex, UserError, minimize
from agentic_optimizers.exact import Exact


@final
class Smoothed(NamedTuple):
    """The exact posterior over the states of a window of T observations, in nats.

    `beliefs` (T, b, n) given all of the window, `filtered` (T, b, n) given what came before and then, `pairs`
    (T - 1, b, n, n) of two states in succession, the earlier first; `free_energies` (T, b), whose sum is minus the log
    evidence of the window.
    """

    beliefs: Tensor
    filtered: Tensor
    pairs: Tensor
    free_energies: Tensor


@torch.no_grad()
def smooth(model: FiniteModel, obs: Tensor, actions: Tensor) -> Smoothed:
    """The smoothed beliefs of an episode's beginning: `obs` (T, b, event), and `actions` (T - 1, b, event) in between.

    Observations may be distributions, and missing where their blocks are NaN. The table of a transition is built, n^2
    numbers for each row and step. Raises UserError for models of several factors and lengths that do not fit.
    """
    if not isinstance(model.latent, Simplex) or len(model.latent.sizes) > 1:
        raise UserError(f"smooth needs one discrete latent, got {model.latent}: use the joint state")
    if not len(obs) or len(actions) != len(obs) - 1:
        raise UserError(f"smooth expects T observations and T - 1 actions, got {len(obs)} and {len(actions)}")
    belief, filtered, free_energies, moves = model.begin(obs.shape[1]), [], [], []
    tables = model.dynamics()
    for t, seen in enumerate(obs):
        if t > 0:
            belief = model.predict(belief, actions[t - 1])
            moves.append(_taken(model, tables, actions[t - 1]))
        solution = minimize(Evidence(model, seen.to(belief.mean.dtype), belief), Exact())
        belief = solution.belief
        filtered.append(belief.mean)
        free_energies.append(solution.value)
    beliefs, pairs = _backward(filtered, moves)
    return Smoothed(beliefs, torch.stack(filtered), pairs, torch.stack(free_energies))


def _backward(filtered: list[Tensor], moves: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The smoothed beliefs (T, b, n) and pairs (T - 1, b, n, n), from the last step to the first."""
    beliefs, pairs = [filtered[-1]], [filtered[0].new_zeros(0, *filtered[0].shape, filtered[0].shape[-1])]
    for q, move in zip(reversed(filtered[:-1]), reversed(moves), strict=True):
        pair = q.unsqueeze(-1) * move.transpose(-1, -2)
        ahead = pair.sum(-2, keepdim=True)
        pair = torch.where(ahead > 0, pair * beliefs[-1].unsqueeze(-2) / ahead, 0.0)
        beliefs.append(pair.sum(-1))
        pairs.append(pair.unsqueeze(0))
    return torch.stack(beliefs[::-1]), torch.cat(pairs[::-1])


def _taken(model: FiniteModel, tables: Tensor, action: Tensor) -> Tensor:
    """The transition p(z' | z, a) under the actions (b, event) of each row, (b, n, n), the later state first."""
    moved: Tensor = torch.tensordot(model.action.joint(action.to(tables.dtype)), tables, ([-1], [-1]))
    return moved
