"""A particle filter as an agent's inference on a linear-Gaussian system: Kalman's answers, within Monte-Carlo error."""

from math import sqrt

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Belief, EnergyAgent, Evidence, Gaussian, Particles, Purpose, minimize
from agentic.engine import select
from agentic_energies.goals import QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.newton import Newton
from agentic_optimizers.particle_filter import ParticleFilter

F64 = torch.float64
MODEL = LinearGaussian([[1.0, 0.3], [0.0, 0.9]], [[0.0], [0.5]], Q=[0.05, 0.1], R=[0.3], C=[[1.0, 0.0]])
SEEN = [0.4, 1.1, 0.2, -0.5, 0.9, 1.5]


class Course:
    """An agent that perceives by particles through `SEEN`, and the Kalman filter fed with what it did."""

    def __init__(self, rows: int, particles: int, threshold: float, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        purpose = Purpose(QuadraticLatentGoal([1.0, 0.1]))
        filtering = ParticleFilter(particles=particles, threshold=threshold)
        agent = EnergyAgent(MODEL, purpose, filtering, GradientDescent(steps=2, rate=0.5))
        state, prior = agent.start(rows, generator=generator), MODEL.begin(rows)
        self.log_evidence = torch.zeros(rows, dtype=F64)
        self.exact = torch.zeros(rows, dtype=F64)
        self.pairs = list[tuple[Particles, Gaussian]]()
        for value in SEEN:
            obs = torch.full((rows, 1), value, dtype=F64)
            decision = agent.decide(state, obs, generator=generator)
            assert isinstance(prior, Gaussian)
            settled = minimize(Evidence(MODEL, obs, prior), Newton(), prior.mean, steps=1)
            self.exact -= settled.value
            self.log_evidence -= decision.energies["free_energy"]
            self._note(decision.belief, settled.belief)
            prior = MODEL.predict(settled.belief, decision.action)
            state = decision.state

    def _note(self, found: Belief | None, exact: Belief) -> None:
        assert isinstance(found, Particles)
        assert isinstance(exact, Gaussian)
        self.pairs.append((found, exact))


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_means_and_covariances_are_the_kalman_filters(threshold: float) -> None:
    """Averages over 200 independent filters, compared with the spread between them."""
    for found, exact in Course(200, 400, threshold, seed=1).pairs:
        off = found.z - exact.mean
        for estimate, expected in (
            (found.expected(off), torch.zeros(2, dtype=F64)),
            (found.expected(off.unsqueeze(-1) * off.unsqueeze(-2)).flatten(1), exact.covariance[0].flatten()),
        ):
            error = estimate.std(0) / sqrt(len(estimate))
            bias = 5 / 400  # of weights that are normalized, to first order in 1 / particles
            assert bool(((estimate.mean(0) - expected).abs() <= 4.5 * error + bias).all())


def test_rows_that_begin_anew_forget_the_particles_and_the_others_do_not() -> None:
    """The first row's episode ends: at the next observation it believes as if it were its first, the other goes on."""
    generator = torch.Generator().manual_seed(3)
    purpose = Purpose(QuadraticLatentGoal([1.0, 0.1]))
    agent = EnergyAgent(MODEL, purpose, ParticleFilter(particles=20_000), GradientDescent(steps=2, rate=0.5))
    state = agent.start(2, generator=generator)
    decision = agent.decide(state, torch.full((2, 1), 1.5, dtype=F64), generator=generator)
    state = select(torch.tensor([True, False]), agent.start(2, generator=generator), decision.state)
    obs = torch.full((2, 1), 0.5, dtype=F64)
    belief = agent.decide(state, obs, generator=generator).belief
    assert isinstance(belief, Particles)
    first = MODEL.begin(2)
    later = minimize(Evidence(MODEL, torch.full((2, 1), 1.5, dtype=F64), first), Newton(), first.mean).belief
    for row, prior in enumerate((first, MODEL.predict(later, decision.action))):
        exact = minimize(Evidence(MODEL, obs, prior), Newton(), prior.mean).belief
        assert_close(belief.mean[row], exact.mean[row], atol=0.06, rtol=0)


def test_the_estimate_of_the_evidence_is_unbiased() -> None:
    """However few the particles: the mean of exp(-value) over 4,000 filters of 20 is what is seen's probability."""
    course = Course(4_000, 20, 0.5, seed=2)
    ratio: Tensor = (course.log_evidence - course.exact).exp()
    error = float(ratio.std()) / sqrt(len(ratio))
    assert float(ratio.mean()) == pytest.approx(1, abs=4.5 * error)
    assert error < 0.05
    assert float((course.log_evidence - course.exact).mean()) < -4.5 * error, "its logarithm is biased downwards"
