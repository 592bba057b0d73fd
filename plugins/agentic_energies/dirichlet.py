"""Dirichlet beliefs about columns of probabilities: what draws from them teach, and evidence for simpler priors.

Counts of zero are structural: such a value is held impossible, and there is nothing to learn about it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from agentic import UserError
from agentic_energies.arrays import surprise


def expected_entropy(counts: Tensor) -> Tensor:
    """The expected entropy E[H(p)] in nats of p ~ Dirichlet(counts (k, ...)), along axis 0."""
    total = counts.sum(0)
    weights = counts / total
    return -(weights * (torch.digamma(counts + 1) - torch.digamma(total + 1))).sum(0)


def information(counts: Tensor) -> Tensor:
    """The information I(o; p) in nats of one draw o from p ~ Dirichlet(counts (k, ...)), along axis 0."""
    mean = counts / counts.sum(0)
    gain: Tensor = surprise(mean).sum(0) - expected_entropy(counts)
    return gain


def novelty(counts: Tensor) -> Tensor:
    """The weight W (k, ...) of each outcome: minus KL(Dirichlet(counts + its draw) || Dirichlet(counts)), in nats.

    So `-(mean * W).sum(0)` is `information`. Structural zeros weigh 0.
    """
    total, there = counts.sum(0), counts > 0
    safe = torch.where(there, counts, 1.0)
    gained = (total / safe).log() + torch.digamma(safe + 1) - torch.digamma(total + 1)
    return -torch.where(there, gained, 0.0)


def divergence(counts: Tensor, prior: Tensor) -> Tensor:
    """KL(Dirichlet(counts) || Dirichlet(prior)) in nats of every column (k, ...) along axis 0.

    Structural zeros are those of the prior, and count in neither.
    """
    there = prior > 0
    total, former = torch.where(there, counts, 0.0).sum(0), prior.sum(0)
    counts, prior = torch.where(there, counts, 1.0), torch.where(there, prior, 1.0)
    constant = torch.lgamma(total) - torch.lgamma(former) - (torch.lgamma(counts) - torch.lgamma(prior)).sum(0)
    moved = (counts - prior) * (torch.digamma(counts) - torch.digamma(total))
    return constant + moved.sum(0)


def log_beta(counts: Tensor) -> Tensor:
    """The logarithm of the Dirichlet's normalizer, ln B(counts (k, ...)), along axis 0, structural zeros left out."""
    there = counts > 0
    return torch.where(there, torch.lgamma(torch.where(there, counts, 1.0)), 0.0).sum(0) - torch.lgamma(counts.sum(0))


def reduction(counts: Tensor, prior: Tensor, reduced: Tensor) -> Tensor:
    """Bayesian model reduction: how much evidence the `reduced` prior loses to `prior`, in nats, (...).

    `counts` (k, ...) is the posterior under `prior`: ln B(q) + ln B(r) - ln B(p) - ln B(q + r - p), negative where the
    reduced prior explains the same data better (Friston and Penny 2011). Infinite where it forbids what was counted.
    Raises UserError where it allows what `prior` forbids, or leaves no positive counts.
    """
    other = torch.where(reduced > 0, counts + reduced - prior, 0.0)
    if bool(((prior == 0) & (reduced > 0)).any()) or bool(((reduced > 0) & (other <= 0)).any()):
        raise UserError(
            "model reduction expects a reduced prior that allows no more values than the prior, and counts that "
            "exceed what it takes away"
        )
    lost = ((reduced == 0) & (counts > prior)).any(0)
    return torch.where(lost, torch.inf, log_beta(counts) + log_beta(reduced) - log_beta(prior) - log_beta(other))


def impossibility(counts: Tensor, prior: Tensor) -> Tensor:
    """The evidence in nats that each value (k, ...) is impossible: minus `reduction` to the prior without it alone.

    What was counted of the value itself is left out. It is -ln of the probability, under `prior`, of not meeting the
    value in so many draws; 0 of structural zeros, and minus infinity of the only value there is.
    """
    total, former = (counts - prior).sum(0), prior.sum(0)
    others, drawn = former - prior, (total - (counts - prior)).clamp(min=0)
    none = torch.lgamma(former) - torch.lgamma(former + drawn) + torch.lgamma(others + drawn) - torch.lgamma(others)
    return torch.where(others > 0, -none, -torch.inf)


def joint_gain(counts: Tensor, draws: int) -> Tensor:
    """The information I(o_1..o_n; p) in nats of `draws` observations of a Dirichlet(counts (k,)), by the Polya urn."""
    gain = torch.zeros((), dtype=counts.dtype)
    urns: Mapping[tuple[int, ...], Tensor] = {(0,) * len(counts): torch.ones((), dtype=counts.dtype)}
    noise = expected_entropy(counts)
    for _ in range(draws):
        following: dict[tuple[int, ...], Tensor] = {}
        for seen, probability in urns.items():
            urn = counts + torch.tensor(seen, dtype=counts.dtype)
            predictive = urn / urn.sum()
            gain = gain - probability * torch.special.xlogy(predictive, predictive).sum()
            for outcome, chance in enumerate(predictive):
                more = (*seen[:outcome], seen[outcome] + 1, *seen[outcome + 1 :])
                following[more] = following.get(more, torch.zeros_like(chance)) + probability * chance
        gain, urns = gain - noise, following
    return gain


def path_gain(counts: Tensor, states: Tensor) -> Tensor:
    """Joint gain about the columns of Dirichlet(counts (k, n)) of visiting `states` (..., T) one after another."""
    flat = states.reshape(-1, states.shape[-1])
    known: dict[tuple[int, int], Tensor] = {}
    gains = []
    for path in flat.tolist():
        visits = {state: path.count(state) for state in set(path)}
        for item in visits.items():
            if item not in known:
                known[item] = joint_gain(counts[:, item[0]], item[1])
        gains.append(torch.stack([known[item] for item in visits.items()]).sum())
    return torch.stack(gains).reshape(states.shape[:-1])
