"""Smoothing of discrete models: what a window of observations says about every state in it, forward and back.

Rabiner 1989, scaled: the forward pass is filtering, and the sum of its free energies is minus the log evidence. Models
of several factors are smoothed chain by chain (`StructuredMeanField`); `Window` is the objective for other solvers.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic import Categorical, Evidence, FiniteModel, Model, Solution, UserError, minimize
from agentic.engine import FactorGraph
from agentic_optimizers.exact import Exact
from agentic_optimizers.structured import StructuredMeanField, free_energies
from agentic_optimizers.window import Window, check_lengths

NEGLIGIBLE = 1e-100


@final
class Smoothed(NamedTuple):
    """The posterior over the states of a window of T observations, in nats.

    `beliefs` (T, b, n) given all of the window, `filtered` (T, b, n) given what came before and then, `pairs`
    (T - 1, b, n, n) of two states in succession, the earlier first; `free_energies` (T, b), whose sum is minus the log
    evidence of the window. For models of several factors, n is the sum of their sizes, `filtered` is the forward pass
    of each chain under what the others are expected to cost it in the end, `pairs` of two factors are independent, and
    the sum of the free energies bounds minus the log evidence from above.
    """

    beliefs: Tensor
    filtered: Tensor
    pairs: Tensor
    free_energies: Tensor


def smooth(model: Model, obs: Tensor, actions: Tensor) -> Smoothed:
    """The smoothed beliefs of an episode's beginning: `obs` (T, b, event), and `actions` (T - 1, b, event) in between.

    Exact for one discrete latent; the best product of chains for models of several factors, and the same where those
    are independent. Observations may be distributions, and missing where their blocks are NaN. That the episode went on
    is not counted as observed. The table of a transition is built, n^2 numbers for each row and step. Gradients pass
    where numbers of the model have some. Raises UserError for other models and lengths that do not fit.
    """
    known = not any(each.requires_grad for each in model.buffers())
    with torch.set_grad_enabled(torch.is_grad_enabled() and not known):
        return _smooth(model, obs, actions)


def _smooth(model: Model, obs: Tensor, actions: Tensor) -> Smoothed:
    if isinstance(model.transition, FactorGraph):
        return _by_chains(Window(model, obs, actions))
    if not isinstance(model, FiniteModel) or len(model.latent.sizes) > 1:
        raise UserError(f"smooth needs one discrete latent or a factored model, got {model.latent}")
    check_lengths("smooth", obs, actions)
    belief, filtered, free_energies, moves = model.begin(obs.shape[1]), [], [], []
    tables = model.dynamics()
    for t, seen in enumerate(obs):
        if t > 0:
            belief = model.predict(belief, actions[t - 1])
            moves.append(_taken(model, tables, actions[t - 1]))
        assert isinstance(belief, Categorical)
        solution = _settled(model, seen.to(belief.mean.dtype), belief)
        belief = solution.belief
        filtered.append(belief.mean)
        free_energies.append(solution.value)
    beliefs, pairs = _backward(filtered, moves)
    return Smoothed(beliefs, torch.stack(filtered), pairs, torch.stack(free_energies))


def _settled(model: FiniteModel, seen: Tensor, prior: Categorical) -> Solution:
    """What `minimize` finds, with the gradient that it cuts; the logarithm of zero has no slope."""
    found, solver = minimize(Evidence(model, seen, prior), Exact()), Exact()
    if not torch.is_grad_enabled():
        return found
    near = Categorical(torch.where(prior.probs > 0, prior.probs, NEGLIGIBLE), prior.sizes)
    f = Evidence(model, seen, near)
    return solver.solution(f, solver.init(f, None))


def _by_chains(f: Window) -> Smoothed:
    solver = StructuredMeanField()
    iterate = solver.run(f, solver.init(f, None), solver.steps, generator=None)
    chains = iterate.memory
    beliefs, filtered = (
        torch.cat([each.permute(1, 2, 0) for each in parts], -1)
        for parts in ([chain.marginals for chain in chains], [chain.filtered for chain in chains])
    )
    pairs, at = beliefs[:-1].unsqueeze(-1) * beliefs[1:].unsqueeze(-2), 0
    for chain in chains:
        own = slice(at, at + len(chain.marginals))
        pairs[..., own, own] = chain.pairs.permute(2, 3, 0, 1)
        at = own.stop
    return Smoothed(beliefs, filtered, pairs, free_energies(f, chains))


def _backward(filtered: list[Tensor], moves: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The smoothed beliefs (T, b, n) and pairs (T - 1, b, n, n), from the last step to the first."""
    beliefs, pairs = [filtered[-1]], [filtered[0].new_zeros(0, *filtered[0].shape, filtered[0].shape[-1])]
    for q, move in zip(reversed(filtered[:-1]), reversed(moves), strict=True):
        pair = q.unsqueeze(-1) * move.transpose(-1, -2)
        ahead = pair.sum(-2, keepdim=True)
        pair = pair * beliefs[-1].unsqueeze(-2) / torch.where(ahead > 0, ahead, 1.0)
        beliefs.append(pair.sum(-1))
        pairs.append(pair.unsqueeze(0))
    return torch.stack(beliefs[::-1]), torch.cat(pairs[::-1])


def _taken(model: FiniteModel, tables: Tensor, action: Tensor) -> Tensor:
    """The transition p(z' | z, a) under the actions (b, event) of each row, (b, n, n), the later state first."""
    moved: Tensor = torch.tensordot(model.action.joint(action.to(tables.dtype)), tables, ([-1], [-1]))
    return moved
