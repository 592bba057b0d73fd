"""Evidence: the objective of perceiving, its derivatives, and its parts."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Evidence, UserError, minimize
from agentic.engine import Density
from agentic.testing.parts import BayesRule
from agentic.testing.worlds import Cart
from tests.agentic.standins import FINITE, LINEAR, Bell, Descent

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestEvidence:
    def cases(self) -> list[tuple[Evidence, Tensor]]:
        seen = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=F64)
        finite, linear = FINITE.begin(2), LINEAR.begin(2)
        assert isinstance(finite, Density)
        assert isinstance(linear, Density)
        return [
            (Evidence(FINITE, seen, finite), torch.tensor([[0.3, 0.7], [0.9, 0.1]], dtype=F64)),
            (
                Evidence(LINEAR, torch.tensor([[0.5], [3.0]], dtype=F64), linear),
                torch.randn(2, 2, dtype=F64, generator=seeded()),
            ),
        ]

    def test_it_is_minus_the_log_joint(self) -> None:
        for objective, z in self.cases():
            assert isinstance(objective.prior, Density)
            assert_close(objective(z), objective.model.observation(z, objective.obs) + objective.prior.energy(z))
            assert objective.domain is objective.model.latent

    def test_its_closed_forms_are_its_derivatives(self) -> None:
        for objective, z in self.cases():
            free = z.clone().requires_grad_()
            slope = torch.autograd.grad(objective(free).sum(), free)[0]
            assert_close(objective.gradient(z), slope)
            whole = torch.autograd.functional.hessian(lambda at, f=objective: f(at).sum(), z)
            rows = torch.stack([whole[row, :, row] for row in range(2)])
            assert_close(objective.hessian(z), rows)

    def test_without_closed_forms_its_derivatives_are_autograds(self) -> None:
        cart, z = Cart(), torch.randn(2, 2, dtype=F64, generator=seeded())
        prior = cart.begin(2)
        assert isinstance(prior, Density)
        objective = Evidence(cart, torch.tensor([[0.5], [3.0]], dtype=F64), prior)
        free = z.clone().requires_grad_()
        slope = torch.autograd.grad(objective(free).sum(), free)[0]
        assert_close(objective.gradient(z), slope)
        value, both = objective.value_and_gradient(z)
        assert_close(value, objective(z))
        assert_close(both, slope)
        whole = torch.autograd.functional.hessian(lambda at: objective(at).sum(), z)
        assert_close(objective.hessian(z), torch.stack([whole[row, :, row] for row in range(2)]))

    def test_free_energy_is_complexity_minus_accuracy(self) -> None:
        for objective, _ in self.cases():
            solver = BayesRule() if objective.model is FINITE else Bell()
            solution = minimize(objective, solver, objective.prior.mean)
            assert isinstance(solution.belief, Density)
            assert isinstance(objective.prior, Density)
            terms = objective.terms(solution.belief, solution.value)
            assert_close(terms["free_energy"], terms["complexity"] - terms["accuracy"])
            assert_close(terms["complexity"], solution.belief.divergence(objective.prior))
            assert bool((terms["complexity"] >= 0).all())

    def test_it_starts_at_the_prior_belief(self) -> None:
        objective, z = self.cases()[1]
        assert torch.equal(objective.start(None), objective.prior.mean)
        assert objective.start(z) is z

    def test_another_solver_finds_the_same_place(self) -> None:
        objective, z = self.cases()[1]
        exact = minimize(objective, Bell(), z)
        slow = minimize(objective, Descent(steps=2000, rate=0.05, tolerance=1e-9), z)
        assert_close(slow.belief.mean, exact.belief.mean, atol=1e-7, rtol=0)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (2,), (1, 2, 2), ()])
def test_an_observation_of_another_shape_is_one_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"observation of Finite has shape \(2, 2\), a row for each of the belief, got"):
        Evidence(FINITE, torch.ones(shape, dtype=F64), FINITE.begin(2))


@pytest.mark.parametrize("seen", [None, [[1.0, 0.0]], np.eye(2), 3])
def test_an_observation_is_a_tensor(seen: object) -> None:
    with pytest.raises(UserError, match="an observation is a tensor"):
        Evidence(FINITE, seen, FINITE.begin(2))  # type: ignore[arg-type]
