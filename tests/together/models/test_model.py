"""The built-in models and solvers: push-forwards, survival, and evidence as an objective."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Evidence, Gaussian, Model, Particles, Point, minimize
from agentic.engine import Density
from agentic_energies.categorical import CategoricalModel
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton

F64 = torch.float64
FINITE = CategoricalModel.example()
LINEAR = LinearGaussian(
    [[1.0, 0.1], [0.0, 0.9]],
    [[0.0], [0.5]],
    Q=[[0.2, 0.05], [0.05, 0.1]],
    R=[0.3],
    C=[[1.0, 0.5]],
    c=[0.1, -0.2],
    d=[0.4],
    mean=[1.0, -1.0],
    covariance=[0.5, 2.0],
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestPredict:
    def test_a_finite_push_forward_averages_where_each_state_leads(self) -> None:
        belief, action = FINITE.begin(2), torch.eye(2, dtype=F64)
        after = FINITE.predict(belief, action).mean
        for row in range(2):
            expected = FINITE.dynamics()[:, :, row] @ belief.mean[row]
            assert_close(after[row], expected)

    def test_a_linear_push_forward_of_particles_has_their_spread(self) -> None:
        z = torch.tensor([[[0.0, 0.0]], [[4.0, 2.0]]], dtype=F64)
        belief = Particles(z, torch.tensor([[0.75], [0.25]], dtype=F64).log())
        matched = Gaussian(belief.mean, torch.tensor([[[3.0, 1.5], [1.5, 0.75]]], dtype=F64))
        actions = torch.tensor([[[2.0]], [[-1.0]]], dtype=F64)
        predicted, expected = LINEAR.predict(belief.beside(1), actions), LINEAR.predict(matched, actions)
        assert isinstance(predicted, Gaussian)
        assert isinstance(expected, Gaussian)
        assert_close(predicted.mean, expected.mean)
        assert_close(predicted.covariance, expected.covariance)

    def test_a_linear_push_forward_has_the_moments_of_draws(self) -> None:
        belief, action = LINEAR.begin(1), torch.tensor([[2.0]], dtype=F64)
        z = belief.sample(60_000, seeded())
        after = LINEAR.transition.given((z, action.expand(60_000, 1, 1))).sample(1, seeded(1))[0, :, 0]
        predicted = LINEAR.predict(belief, action)
        assert isinstance(predicted, Gaussian)
        assert_close(after.mean(0), predicted.mean[0], atol=0.03, rtol=0)
        assert_close(torch.cov(after.T), predicted.covariance[0], atol=0.04, rtol=0)

    def test_a_point_spreads_by_the_noise_alone(self) -> None:
        predicted = LINEAR.predict(Point(torch.zeros(3, 2, dtype=F64)), torch.zeros(3, 1, dtype=F64))
        assert isinstance(predicted, Gaussian)
        assert_close(predicted.covariance, LINEAR.system().Q.expand(3, 2, 2))

    @pytest.mark.parametrize("model", [FINITE, LINEAR], ids=["finite", "linear"])
    def test_sample_axes_stay_on_the_left(self, model: Model) -> None:
        action = model.action.draw(4, generator=seeded()).unsqueeze(1).expand(4, 3, -1)
        belief = model.predict(model.begin(3), action)
        assert belief.mean.shape == (4, 3, *model.latent.event)
        assert model.emit(belief).mean.shape == (4, 3, *model.outcome.event)
        assert model.ambiguity(belief).shape == (4, 3)
        assert model.alive(belief.mean) is None


class TestSurvival:
    ending = CategoricalModel([[[0.5, 0.5], [0.5, 0.5]]], [[[[1.0], [0.0]], [[0.0], [1.0]]]], [[0.5, 0.5]], ends=[0, 1])

    def test_a_world_without_ends_says_so(self) -> None:
        belief = FINITE.begin(1)
        assert FINITE.condition_on_alive(belief) == (belief, None)
        assert LINEAR.condition_on_alive(LINEAR.begin(1))[1] is None

    def test_who_is_alive_is_not_where_episodes_end(self) -> None:
        belief, alive = self.ending.condition_on_alive(self.ending.begin(2))
        assert alive is not None
        assert alive.tolist() == [0.5, 0.5]
        assert belief.mean.tolist() == [[1, 0], [1, 0]]


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

    def test_free_energy_is_complexity_minus_accuracy(self) -> None:
        for objective, _ in self.cases():
            solver = Mirror() if objective.model is FINITE else Newton()
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
        exact = minimize(objective, Newton(), z)
        slow = minimize(objective, GradientDescent(steps=2000, rate=0.05, tolerance=1e-9), z)
        assert_close(slow.belief.mean, exact.belief.mean, atol=1e-7, rtol=0)


def test_fresh_episodes_begin_at_the_prior() -> None:
    finite, linear = FINITE.begin(3), LINEAR.begin(3)
    assert isinstance(finite, Categorical)
    assert_close(finite.mean, torch.tensor([[0.6, 0.4]] * 3, dtype=F64))
    assert isinstance(linear, Gaussian)
    assert_close(linear.mean, torch.tensor([[1.0, -1.0]] * 3, dtype=F64))


def test_certain_weights_promise_nothing() -> None:
    assert FINITE.parameter_gain([]) == {}
    assert LINEAR.parameter_gain([]) == {}
