"""Dirichlet beliefs about columns of probabilities: the information that observing draws from them gives."""

from collections.abc import Mapping

import torch
from torch import Tensor


def expected_entropy(counts: Tensor) -> Tensor:
    """The expected entropy E[H(p)] in nats of p ~ Dirichlet(counts (k, ...)), along axis 0."""
    total = counts.sum(0)
    weights = counts / total
    return -(weights * (torch.digamma(counts + 1) - torch.digamma(total + 1))).sum(0)


def divergence(counts: Tensor, prior: Tensor) -> Tensor:
    """KL(Dirichlet(counts) || Dirichlet(prior)) in nats of every column (k, ...) along axis 0, positive everywhere."""
    total, former = counts.sum(0), prior.sum(0)
    constant = torch.lgamma(total) - torch.lgamma(former) - (torch.lgamma(counts) - torch.lgamma(prior)).sum(0)
    moved = (counts - prior) * (torch.digamma(counts) - torch.digamma(total))
    return constant + moved.sum(0)


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
