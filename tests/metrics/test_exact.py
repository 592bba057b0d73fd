"""Exact informations: what rounding takes below zero is zero, and what is negative by nature stays so."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import UserError
from agentic_metrics import (
    Machine,
    autoregressive_storage,
    closure_of,
    control_bound,
    effective_information,
    exact_directed_information,
    exact_lag_information,
    exact_plasticity,
    exact_storage,
    excess_complexity,
    excess_entropy,
    gaussian_transfer_entropy,
    information_flow,
    integration,
    linear_lag_information,
    policy_complexity,
    semantic_information,
)
from agentic_metrics.finite.laws import conditional_information, entropy, mutual_information


def laws(seed: int, *sizes: int) -> list[Any]:
    source = np.random.default_rng(seed)
    return [source.dirichlet(np.ones(size)) for size in sizes]


def independent(seed: int) -> dict[str, float]:
    """Informations of variables that are independent, by every function that knows one exactly."""
    p, q, r = laws(seed, 3, 4, 2)
    pair, three = np.outer(p, q), np.einsum("x,y,z->xyz", p, q, r)
    blind, diagonal = np.tile(p, (3, 1)), np.diag(np.random.default_rng(seed).uniform(-0.9, 0.9, 2))
    coins = np.einsum("a,b,c,d->abcd", r, r, r, r)
    closed = closure_of(np.einsum("s,e,n->sen", p, q, p))
    machine = Machine.of_chain(blind)
    return {
        "mutual": mutual_information(pair),
        "conditional": conditional_information(three),
        "policy complexity": policy_complexity(blind, p),
        "excess complexity": excess_complexity(blind, np.outer(q[:3], p), p),
        "effective information": effective_information(blind),
        "information flow": information_flow({"x": ((), r), "y": (("x",), np.tile(p, (2, 1)))}, "x", "y"),
        "integration": integration(np.tile(np.kron(r, r), (4, 1)), (2, 2)).bits,
        "directed information": exact_directed_information(coins),
        "plasticity": exact_plasticity(coins),
        "autonomy": closed.autonomy,
        "transfer": closed.transfer,
        "storage": closed.storage,
        "closure": closed.ntic,
        "stored": semantic_information(pair, np.ones_like(pair)).stored,
        "controller": control_bound(p, np.tile(r, (3, 1)), np.tile(p, (3, 2, 1))).information,
        "storage of a machine": exact_storage(machine, history=2),
        "excess entropy": excess_entropy(machine),
        "storage of noise": autoregressive_storage(0.0),
        "lag information": float(exact_lag_information(np.tile(p, (2, 3, 1)), r, lags=2).min()),
        "linear lag information": float(linear_lag_information(np.zeros((2, 2)), np.eye(2), lags=2)[1:].min()),
        "linear transfer": gaussian_transfer_entropy(diagonal, np.eye(2), source=[0], target=[1]),
        "linear transfer, all pasts": gaussian_transfer_entropy(
            diagonal, np.eye(2), source=[0], target=[1], history=None
        ),
        "entropy": float(entropy([1.0, 0.0])),
    }


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_independent_variables_have_no_information_and_never_less(seed: int) -> None:
    for name, bits in independent(seed).items():
        assert 0 <= bits < 1e-9, name
        assert not np.signbit(bits), name


def test_what_may_be_negative_is() -> None:
    """A system that is its world xor itself closes on -1 bit; two copies of one memory integrate -1 bit."""
    xor = np.zeros((2, 2, 2))
    for state in (0, 1):
        for world in (0, 1):
            xor[state, world, state ^ world] = 0.25
    assert closure_of(xor).ntic == pytest.approx(-1)
    assert integration(np.eye(4), (2, 2), law=[0.5, 0, 0, 0.5]).bits == pytest.approx(-1)


def test_numbers_that_are_none_are_no_laws() -> None:
    for wrong in (np.nan, np.inf):
        with pytest.raises(UserError, match="sum to 1"):
            semantic_information([[wrong, 0.5], [0.25, 0.25]], np.ones((2, 2)))
        with pytest.raises(UserError, match="viability must be finite"):
            semantic_information([[0.25, 0.25], [0.25, 0.25]], [[wrong, 0.0], [0.0, 1.0]])
        with pytest.raises(UserError, match="sum to 1"):
            control_bound([0.5, wrong], np.full((2, 2), 0.5), np.full((2, 2, 2), 0.5))
