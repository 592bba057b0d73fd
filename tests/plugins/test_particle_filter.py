"""The particle filter's parts: whatever prior it meets, weights by hand, resampling, and where it says no."""

from math import log

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Evidence, Gaussian, Particles, Point, Real, UserError, minimize
from agentic.engine import Either, PushForward
from agentic.testing.worlds import Ladder
from agentic_energies.goals import QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.newton import Newton
from agentic_optimizers.particle_filter import ParticleFilter

F64 = torch.float64
MODEL = LinearGaussian([[1.0]], [[1.0]], Q=[0.5], R=[0.5])
OBS = torch.tensor([[1.0], [-1.0]], dtype=F64)
CLOUD = Particles(
    torch.tensor([[[0.0], [0.0]], [[1.0], [1.0]], [[2.0], [-1.0]]], dtype=F64),
    torch.tensor([[0.5, 0.2], [0.25, 0.3], [0.25, 0.5]], dtype=F64).log(),
)

ACTION = torch.tensor([[0.5], [0.0]], dtype=F64)
AHEAD = PushForward(MODEL.transition, CLOUD, ACTION)
COPIES = Particles(CLOUD.z.repeat(9_000, 1, 1), CLOUD.log_weights.repeat(9_000, 1) - log(9_000))
MANY = PushForward(MODEL.transition, COPIES, ACTION)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(x: Tensor, variance: float) -> Tensor:
    density: Tensor = (-0.5 * x.square() / variance).exp() / (2 * torch.pi * variance) ** 0.5
    return density


class TestParticlesAsAPrior:
    solution = minimize(Evidence(MODEL, OBS, CLOUD), ParticleFilter(threshold=0.0))
    likelihood = normal(OBS - CLOUD.z, 0.5).squeeze(-1)

    def test_they_are_weighed_where_they_are(self) -> None:
        belief = self.solution.belief
        assert isinstance(belief, Particles)
        assert torch.equal(belief.z, CLOUD.z)
        weights = CLOUD.log_weights.exp() * self.likelihood
        assert_close(belief.log_weights.exp(), weights / weights.sum(0))

    def test_the_value_is_minus_the_log_of_the_mean_weight(self) -> None:
        assert self.solution.kind == "free_energy"
        assert_close(self.solution.value, -(CLOUD.log_weights.exp() * self.likelihood).sum(0).log())
        assert (self.solution.steps, self.solution.evaluations, self.solution.converged) == (1, 2, None)

    def test_the_effective_sample_size(self) -> None:
        belief = self.solution.belief
        assert isinstance(belief, Particles)
        assert_close(self.solution.diagnostics["ess"], 1 / belief.log_weights.exp().square().sum(0))
        assert not bool(self.solution.diagnostics["resampled"].any())

    def test_only_rows_of_few_effective_particles_are_resampled(self) -> None:
        ess = self.solution.diagnostics["ess"] / 3
        between = float(ess.mean())
        solution = minimize(Evidence(MODEL, OBS, CLOUD), ParticleFilter(threshold=between), generator=seeded())
        assert solution.diagnostics["resampled"].tolist() == (ess < between).tolist()
        belief = solution.belief
        assert isinstance(belief, Particles)
        even = (belief.log_weights + log(3)).abs().amax(0) < 1e-12
        assert even.tolist() == (ess < between).tolist()
        assert_close(solution.value, self.solution.value)

    def test_an_observation_that_nothing_explains_leaves_the_weights(self) -> None:
        far = torch.full((2, 1), 1e200, dtype=F64)
        solution = minimize(Evidence(MODEL, far, CLOUD), ParticleFilter(threshold=0.0))
        assert solution.value.tolist() == [float("inf")] * 2
        belief = solution.belief
        assert isinstance(belief, Particles)
        assert_close(belief.log_weights, CLOUD.log_weights)


def test_systematic_resampling_keeps_each_particle_as_often_as_it_weighs() -> None:
    """Within one copy of weight x count, and on average exactly."""
    weights = torch.tensor([0.05, 0.61, 0.34], dtype=F64)
    prior = Particles(
        torch.arange(3.0, dtype=F64).view(3, 1, 1).expand(3, 500, 1), weights.log()[:, None].expand(3, 500)
    )
    flat = LinearGaussian([[1.0]], [[1.0]], Q=[0.5], R=[1e12])
    evidence = Evidence(flat, torch.zeros(500, 1, dtype=F64), prior)
    belief = minimize(evidence, ParticleFilter(threshold=1.0), generator=seeded(3)).belief
    assert isinstance(belief, Particles)
    counts = torch.stack([(belief.z == i).sum((0, 2)) for i in range(3)], -1).double()
    assert bool(((counts - 3 * weights).abs() < 1).all())
    assert_close(counts.mean(0), 3 * weights, atol=0.1, rtol=0)


def test_a_point_stays_where_it_is_and_tells_what_it_explains() -> None:
    place = torch.tensor([[0.5], [0.0]], dtype=F64)
    solution = minimize(Evidence(MODEL, OBS, Point(place)), ParticleFilter(particles=4), generator=seeded())
    assert_close(solution.belief.mean, place)
    assert_close(solution.value, -normal(OBS - place, 0.5).squeeze(-1).log())


def test_a_finite_world() -> None:
    """Drawn corners, counted: Bayes' rule within Monte-Carlo error."""
    model = Ladder()
    obs = torch.eye(4, dtype=F64)
    prior = model.begin(4)
    solution = minimize(Evidence(model, obs, prior), ParticleFilter(particles=20_000), generator=seeded(1))
    joint = model.likelihood() * prior.mean
    assert_close(solution.belief.mean, joint / joint.sum(-1, keepdim=True), atol=0.03, rtol=0)
    assert_close(solution.value, -joint.sum(-1).log(), atol=0.1, rtol=0)


class TestWhereParticlesGo:
    """The mixture that particles become under a transition, as the prior of the next observation."""

    def test_langevin_and_the_filter_agree_on_its_posterior(self) -> None:
        evidence = Evidence(MODEL, OBS, AHEAD)
        walked = minimize(evidence, Langevin(steps=1200, rate=0.1, burn=20), OBS.clone(), generator=seeded(7))
        weighed = minimize(Evidence(MODEL, OBS, MANY), ParticleFilter(), generator=seeded(8))
        assert_close(walked.belief.mean, weighed.belief.mean, atol=0.15, rtol=0)

    def test_rows_of_two_families(self) -> None:
        fresh, mask = MODEL.begin(2), torch.tensor([True, False])
        assert isinstance(fresh, Gaussian)
        both = Either(mask, fresh, AHEAD)
        solution = minimize(Evidence(MODEL, OBS, both), ParticleFilter(particles=20_000), generator=seeded(9))
        exact = minimize(Evidence(MODEL, OBS, fresh), Newton(), fresh.mean).belief
        assert_close(solution.belief.mean[0], exact.mean[0], atol=0.03, rtol=0)


def test_doors() -> None:
    with pytest.raises(UserError, match="expected Evidence, got Clamped"):
        minimize(Clamped(QuadraticGoal([1.0]), None, Real((1,))), ParticleFilter())
    with pytest.raises(UserError, match="a prior belief with a density, got Particles: weigh particles with"):
        minimize(Evidence(MODEL, OBS, CLOUD), Newton())
    for wrong in ({"particles": 0}, {"threshold": 1.5}, {"steps": -1}):
        with pytest.raises(UserError, match="particle_filter expects particles >= 1 and threshold in"):
            ParticleFilter(**wrong)
