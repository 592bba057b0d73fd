"""Models: push-forwards, survival, fresh episodes."""

from math import log

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Categorical,
    Gaussian,
    LinearModel,
    Model,
    Particles,
    Point,
)
from tests.agentic.standins import FINITE, LINEAR, Mortal

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestPredict:
    def test_a_finite_push_forward_averages_where_each_state_leads(self) -> None:
        belief, action = FINITE.begin(2), torch.eye(2, dtype=F64)
        after = FINITE.predict(belief, action).mean
        for row in range(2):
            expected = FINITE.dynamics()[:, :, row] @ belief.mean[row]
            assert_close(after[row], expected)

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


class TestSurvival:
    ending = Mortal([[0.5, 0.5], [0.5, 0.5]], [[[1.0], [0.0]], [[0.0], [1.0]]], [0.5, 0.5], [0, 1])

    def test_a_world_without_ends_says_so(self) -> None:
        belief = FINITE.begin(1)
        assert FINITE.condition_on_alive(belief) == (belief, None)
        assert LINEAR.condition_on_alive(LINEAR.begin(1))[1] is None
        assert FINITE.alive(belief.mean) is None
        assert LINEAR.alive(LINEAR.begin(1).mean) is None

    def test_who_is_alive_is_not_where_episodes_end(self) -> None:
        belief, alive = self.ending.condition_on_alive(self.ending.begin(2))
        assert alive is not None
        assert alive.tolist() == [0.5, 0.5]
        assert belief.mean.tolist() == [[1, 0], [1, 0]]

    def test_sample_axes_stay_on_the_left(self) -> None:
        assert self.ending.alive(self.ending.begin(3).mean.expand(4, 3, 2)).shape == (4, 3)

    def test_a_model_of_particles_needs_only_alive(self) -> None:
        class Cliff(LinearModel):
            """Who goes below zero falls."""

            latent = LINEAR.latent

            def predict(self, belief: object, action: Tensor) -> Point:
                raise NotImplementedError

            emit = predict  # type: ignore[assignment]
            ambiguity = predict  # type: ignore[assignment]
            system = predict  # type: ignore[assignment]

            def alive(self, z: Tensor) -> Tensor:
                return (z[..., 0] > 0).to(z.dtype)

        z = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]]], dtype=F64)
        belief, alive = Cliff().condition_on_alive(Particles(z, torch.full((2, 1), -log(2), dtype=F64)))
        assert alive is not None
        assert alive.tolist() == pytest.approx([0.5])
        assert belief.mean.tolist() == [[1.0, 0.0]]


def test_fresh_episodes_begin_at_the_prior() -> None:
    finite, linear = FINITE.begin(3), LINEAR.begin(3)
    assert isinstance(finite, Categorical)
    assert_close(finite.mean, torch.tensor([[0.6, 0.4]] * 3, dtype=F64))
    assert isinstance(linear, Gaussian)
    assert_close(linear.mean, torch.tensor([[1.0, -1.0]] * 3, dtype=F64))
