"""What acme-agency offers keeps the contracts of agentic, and is what its formulas say."""

import pytest
import torch

import agentic
from agentic.testing import checks

REGISTRY = agentic.load()
OFFERED = [
    ("energies", "curiosity"),
    ("energies", "stubborn"),
    ("optimizers", "epsilon_greedy"),
    ("optimizers", "worst_case"),
    ("optimizers", "squashed"),
    ("agents", "two"),
]
CHECKS = [
    pytest.param(check, id=f"{name}-{check.name}")
    for kind, name in OFFERED
    for check in checks(kind, REGISTRY.resolve(kind, f"acme-agency/{name}"))
]


@pytest.mark.parametrize("check", CHECKS)
def test_keeps_its_contract(check):
    assert check.finding.passed, check.finding.message


def test_stubborn():
    stubborn = REGISTRY.resolve("energies", "acme-agency/stubborn")
    assert stubborn(2.0)(None, torch.tensor([[3.0, 4.0]])) == pytest.approx(25 / 8)


def test_worst_case():
    worst = REGISTRY.resolve("optimizers", "acme-agency/worst_case")
    assert worst().value(torch.tensor([[1.0, 3.0]]), None).tolist() == [3.0]
