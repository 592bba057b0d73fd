"""Joint embedding prediction: the energy, its target, and that it collapses unless a population energy prevents it.

The world is a noisy pendulum, seen as two frames of eight bumps around the circle; its angle is linear in what is seen,
its velocity is not (R^2 0).
"""

from collections.abc import Mapping
from math import tau
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError, fit, make
from agentic_energies.anti_collapse import Covariance, InverseDynamics, SketchedGaussian, Variance
from agentic_energies.jepa import JointEmbedding
from agentic_optimizers.regularized import Regularized


class Swings(NamedTuple):
    """Transitions (obs, action, next obs), and the true (cos, sin, velocity) at the first."""

    rows: tuple[Tensor, Tensor, Tensor]
    state: Tensor


def swings(n: int, generator: torch.Generator, dt: float = 0.2) -> Swings:
    def seen(angle: Tensor, velocity: Tensor) -> Tensor:
        places = torch.arange(8) * tau / 8
        frames = [angle, angle - dt * velocity]
        return torch.cat([torch.exp(2 * (torch.cos(frame.unsqueeze(-1) - places) - 1)) for frame in frames], -1)

    angle = tau * torch.rand(n, generator=generator)
    velocity = torch.randn(n, generator=generator).clamp(-2, 2)
    push = 2 * torch.rand(n, 1, generator=generator) - 1
    noise = 0.02 * torch.randn(n, generator=generator)
    later = velocity + dt * (2 * push[:, 0] - torch.sin(angle)) + noise
    rows = (seen(angle, velocity), push, seen(angle + dt * later, later))
    return Swings(rows, torch.stack([angle.cos(), angle.sin(), velocity], -1).double())


def probe(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> list[float]:
    """R^2 on test data of states guessed linearly, fitted to training data: pairs (representations, states)."""
    (z, state), (new, truth) = [(torch.cat([z.double(), torch.ones(len(z), 1)], -1), s) for z, s in (train, test)]
    guess = new @ torch.linalg.lstsq(z, state).solution
    unexplained = (guess - truth).square().sum(0) / (truth - truth.mean(0)).square().sum(0)
    return [1 - float(part) for part in unexplained]


class Learned(NamedTuple):
    """How a small one came out: what `collapse` says of test data, the last epoch's info, and the probe's R^2."""

    collapse: Mapping[str, float]
    info: Mapping[str, float]
    fit: list[float]
    raw: list[float]


def learn(seed: int, weights: Mapping[str, float], *, n: int, epochs: int, rate: float, size: int) -> Learned:
    source = torch.Generator().manual_seed(seed)
    train, test = swings(n, source), swings(1000, source)
    populations = {
        "variance": Variance(),
        "covariance": Covariance(),
        "inverse_dynamics": InverseDynamics(size, 1, generator=source),
        "sigreg": SketchedGaussian(size),
    }
    asked = {name: populations[name] for name in weights}
    jepa = JointEmbedding(16, 1, size, hidden=[64], populations=asked, generator=source)
    optimizer = torch.optim.Adam(jepa.parameters(), lr=rate)
    done = fit(jepa, Regularized(weights), train.rows, optimizer=optimizer, epochs=epochs, batch=64, generator=source)
    with torch.no_grad():
        before, after = jepa.encode(train.rows[0]), jepa.encode(test.rows[0])
        message = {name: float(value) for name, value in jepa.collapse(after).items()}
    fitted = probe((before, train.state), (after, test.state))
    return Learned(message, done.info, fitted, probe((train.rows[0], train.state), (test.rows[0], test.state)))


class TestCollapse:
    def test_left_alone_it_collapses_and_says_so(self) -> None:
        """All observations come to be represented alike: the energy is then as good as 0."""
        learned = learn(0, {}, n=256, epochs=100, rate=2e-2, size=4)
        assert learned.collapse["effective_rank"] == 0
        assert learned.collapse["largest_deviation"] < 0.01
        assert learned.collapse["collapsed"] == learned.info["collapsed"] == 1
        assert learned.info["energy"] < 1e-4

    @pytest.mark.parametrize(
        "weights", [{"variance": 1.0, "covariance": 1.0}, {"sigreg": 0.05}], ids=["vicreg", "sigreg"]
    )
    def test_with_a_population_energy_it_does_not(self, weights: Mapping[str, float]) -> None:
        learned = learn(0, weights, n=1024, epochs=25, rate=1e-2, size=4)
        assert learned.collapse["effective_rank"] > 3
        assert learned.collapse["smallest_deviation"] > 0.3
        assert learned.collapse["collapsed"] == learned.info["collapsed"] == 0
        assert min(learned.fit[:2]) > 0.9  # cos and sin of the angle

    @pytest.mark.parametrize(
        "seed", [pytest.param(n, marks=pytest.mark.soak if n else pytest.mark.slow) for n in range(3)]
    )
    def test_to_tell_what_was_done_it_must_represent_the_velocity(self, seed: int) -> None:
        """VICReg alone keeps the angle and nothing of the velocity; inverse dynamics asks for both."""
        weights = {"variance": 0.1, "covariance": 0.1}
        learned = learn(seed, weights | {"inverse_dynamics": 3.0}, n=2048, epochs=60, rate=3e-3, size=6)
        without = learn(seed, weights, n=2048, epochs=60, rate=3e-3, size=6)
        assert learned.collapse["collapsed"] == without.collapse["collapsed"] == 0
        assert min(learned.fit) > 0.9
        assert max(without.fit[2], learned.raw[2]) < 0.2


class TestEnergy:
    jepa = JointEmbedding.example().double()

    def test_it_is_the_squared_error_of_prediction_in_representation_space(self) -> None:
        (obs, action), after = self.jepa.example_inputs(5, generator=torch.Generator().manual_seed(0))
        assert self.jepa.target is not None
        gap = self.jepa.predict(self.jepa.encode(obs), action) - self.jepa.target(after)
        assert_close(self.jepa((obs, action), after), gap.square().sum(-1))

    def test_what_learning_looks_at_agrees_with_it(self) -> None:
        x, z = self.jepa.example_inputs(5, generator=torch.Generator().manual_seed(0))
        study = self.jepa.study(x, z)
        assert_close(study.energies, self.jepa(x, z))
        assert_close(study.populations["variance"], Variance()(self.jepa.encode(x[0])))

    def test_one_for_an_environment_has_every_population(self) -> None:
        jepa = JointEmbedding.from_env(make("Pendulum-v1"), size=3, hidden=[4])
        batch = (torch.zeros(4, 3), torch.zeros(4, 1)), torch.zeros(4, 3)
        study = jepa.study(*batch)
        assert set(study.populations) == {"variance", "covariance", "inverse_dynamics", "sigreg"}
        assert study.representations.shape == (4, 3)

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="a momentum between 0 and 1, or none, got 2"):
            JointEmbedding(3, 1, momentum=2)


class TestTarget:
    def test_it_begins_as_the_encoder_and_follows_it_without_gradient(self) -> None:
        jepa = JointEmbedding(3, 1, 2, hidden=[4], momentum=0.75)
        assert jepa.target is not None
        old = jepa.target.weights[0].clone()
        with torch.no_grad():
            jepa.encoder.weights[0].add_(1)
        jepa.renew(generator=None)
        assert_close(jepa.target.weights[0], old + 0.25)
        x, z = torch.zeros(2, 3), torch.zeros(2, 1)
        torch.autograd.backward(jepa((x, z), x).sum())
        assert jepa.target.weights[0].grad is None
        assert jepa.encoder.weights[0].grad is not None

    def test_without_momentum_it_is_the_encoder(self) -> None:
        jepa = JointEmbedding(3, 1, 2, hidden=[4])
        assert jepa.target is None
        x, z = torch.zeros(2, 3), torch.ones(2, 3)
        slope = torch.autograd.grad(jepa((x, torch.zeros(2, 1)), z).sum(), jepa.encoder.weights[0])[0]
        assert float(slope.abs().max()) > 0

    def test_initialized_afresh_it_is_the_encoder_again(self) -> None:
        jepa = JointEmbedding.example()
        jepa.initialize(generator=torch.Generator().manual_seed(9))
        assert jepa.target is not None
        assert torch.equal(jepa.target.weights[0], jepa.encoder.weights[0])
        assert not torch.equal(jepa.encoder.weights[0], JointEmbedding.example().encoder.weights[0])
