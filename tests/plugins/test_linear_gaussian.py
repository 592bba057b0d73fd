"""The linear-Gaussian model: matrices at the door, and what a learned one starts from."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import (
    Change,
    Evidence,
    Experiment,
    Gaussian,
    Real,
    Schedule,
    Simplex,
    Step,
    UserError,
    load,
    make,
    minimize,
    run,
)
from agentic.experiments.build import build
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_envs.changes import RemapActions, SetAttributes
from agentic_optimizers.newton import Newton

F64 = torch.float64


def model(**changed: Any) -> LinearGaussian:
    given = {"A": [[1.0, 0.1], [0.0, 1.0]], "B": [[0.0], [0.1]], "Q": [0.1, 0.1], "R": [0.5], "C": [[1.0, 0.0]]}
    return LinearGaussian(**{**given, **changed})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"A": [[1.0, 0.0]]}, r"A expects a matrix of 1 x 1, got shape \(1, 2\)"),
        ({"A": [1.0]}, r"A expects a matrix of any x any, got shape \(1,\)"),
        ({"B": [[1.0]]}, r"B expects a matrix of 2 x any, got shape \(1, 1\)"),
        ({"C": [[1.0]]}, r"C expects a matrix of any x 2, got shape \(1, 1\)"),
        ({"Q": [0.1]}, "Q expects a covariance of 2 variables"),
        ({"Q": [0.1, -0.1]}, "Q expects a covariance of 2 variables .* none negative"),
        ({"R": [[1.0, 0.0], [0.0, 1.0]]}, r"R expects a matrix of 1 x 1, got shape \(2, 2\)"),
        ({"d": [0.0, 0.0]}, r"d expects 1 numbers, got shape \(2,\)"),
        ({"c": [0.0]}, r"c expects 2 numbers, got shape \(1,\)"),
        ({"mean": [0.0]}, "mean expects 2 numbers"),
        ({"action": Simplex((3,))}, r"B has 1 columns, the actions Simplex\(sizes=\(3,\)\) have 3 numbers"),
    ],
)
def test_what_does_not_fit_is_said_with_both_shapes(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        model(**changed)


def test_what_is_not_given_is_the_identity_zero_and_one() -> None:
    plain = LinearGaussian([[1.0, 0.0], [0.0, 1.0]], [[1.0], [0.0]], Q=[1.0, 1.0], R=[1.0, 1.0])
    system, start = plain.system(), plain.begin(1)
    assert_close(system.C, torch.eye(2, dtype=F64))
    assert_close(system.c, torch.zeros(2, dtype=F64))
    assert isinstance(start, Gaussian)
    assert_close(start.mean, torch.zeros(1, 2, dtype=F64))
    assert_close(start.covariance[0], torch.eye(2, dtype=F64))


def test_closed_forms_are_derivatives_of_the_observation() -> None:
    full = model(d=[0.3], R=[[0.7]])
    z, obs = torch.randn(4, 2, dtype=F64, generator=torch.Generator().manual_seed(0)), torch.ones(4, 1, dtype=F64)
    free = z.clone().requires_grad_()
    slope = torch.autograd.grad(full.observation(free, obs).sum(), free)[0]
    surprise = full.observation.swapped()
    assert_close(surprise(obs, z), full.observation(z, obs))
    assert_close(surprise.gradient(obs, z), slope)
    whole = torch.autograd.functional.hessian(lambda at: full.observation(at, obs).sum(), z)
    assert_close(surprise.hessian(obs, z), torch.stack([whole[row, :, row] for row in range(4)]))


def test_a_batch_is_perceived_row_by_row() -> None:
    full, obs = model(), torch.tensor([[0.5], [-2.0], [4.0]], dtype=F64)

    def perceived(rows: list[int]) -> Gaussian:
        prior = full.begin(len(rows))
        assert isinstance(prior, Gaussian)
        belief = minimize(Evidence(full, obs[rows], prior), Newton(), prior.mean).belief
        assert isinstance(belief, Gaussian)
        return belief

    together = perceived([0, 1, 2])
    for row in range(3):
        assert_close(perceived([row]).mean, together.mean[[row]])
        assert_close(perceived([row]).covariance, together.covariance[[row]])


class TestLearned:
    model = LinearGaussian.learned(Real((2,)), Simplex((3,)), prior_precision=2.0, noise=0.01)

    def test_it_starts_by_expecting_that_everything_stays(self) -> None:
        system = self.model.system()
        assert_close(system.A, torch.eye(2, dtype=F64))
        assert_close(system.B, torch.zeros(2, 3, dtype=F64))
        assert_close(system.Q, 0.01 * torch.eye(2, dtype=F64))
        assert self.model.action == Simplex((3,))

    def test_the_guess_of_the_noise_is_where_the_belief_about_it_starts(self) -> None:
        assert self.model.regression is not None
        assert_close(self.model.regression.noise, torch.full((2,), 0.01, dtype=F64))

    def test_looking_where_nothing_was_seen_teaches_most(self) -> None:
        def promised(z: float) -> float:
            before = Gaussian(torch.tensor([[z, 0.0]], dtype=F64), torch.eye(2, dtype=F64).unsqueeze(0))
            step = Step(before, torch.eye(3, dtype=F64)[:1], before)
            return float(self.model.parameter_gain([step])["latent_parameter_gain"])

        assert promised(3.0) > promised(1.0) > promised(0.0) > 0

    @pytest.mark.parametrize("name", ["prior_precision", "noise", "confidence"])
    def test_positive_numbers(self, name: str) -> None:
        with pytest.raises(UserError, match=f"{name} expects a number > 0, got 0"):
            LinearGaussian.learned(Real((2,)), Real((1,)), **{name: 0.0})

    def test_discrete_observations_are_not_for_it(self) -> None:
        with pytest.raises(UserError, match="linear_gaussian"):
            LinearGaussian.from_env(make("agentic_envs:agentic/TMaze-v0"))


class Cart(gymnasium.Env[Any, Any]):
    """z' = A z + B a with two positions and a push to the left or to the right; over after 9 steps."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)
    A, B = np.array([[1.0, 0.1], [0.0, 0.9]]), np.array([[0.0, 0.0], [-0.5, 0.5]])

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.state, self.time = self.np_random.normal(size=2), 0
        return self.state.copy(), {}

    def step(self, action: Any) -> Any:
        self.state, self.time = self.A @ self.state + self.B[:, int(action)], self.time + 1
        return self.state.copy(), 0.0, self.time == 9, False, {}


class TestInAnotherWorld:
    def test_it_is_what_it_would_have_learned_there(self) -> None:
        env = make(Cart)
        model = LinearGaussian.from_env(env, prior_precision=1e-6)
        there = model.for_env(env).system()
        assert_close(there.A, torch.as_tensor(Cart.A), atol=1e-5, rtol=0)
        assert_close(there.B, torch.as_tensor(Cart.B), atol=1e-5, rtol=0)
        turned = model.for_env(make(lambda: RemapActions(Cart(), [1, 0]))).system()
        assert_close(turned.B, there.B.flip(1), atol=1e-5, rtol=0)

    def test_what_it_learned_here_is_not_taken_along_and_stays_here(self) -> None:
        env = make(Cart)
        model, fresh = (LinearGaussian.from_env(env) for _ in range(2))
        assert model.regression is not None
        model.regression.observe(torch.ones(4, dtype=F64), torch.full((2,), 9.0, dtype=F64))
        before = model.regression.mean.clone()
        assert_close(model.for_env(env).system().A, fresh.for_env(env).system().A)
        assert_close(model.regression.mean, before)
        assert model.version == 0

    def test_one_that_was_given_stays(self) -> None:
        given = model()
        assert given.for_env(make(Cart)) is given

    @pytest.mark.slow
    @pytest.mark.parametrize("change", [{"gravity": 100.0}, {"length": 2.0, "polemass_length": 0.2}])
    def test_informed_of_it_the_pole_is_balanced_again(self, change: dict[str, float]) -> None:
        registry = load()
        built = build(Experiment.load("examples/cartpole.toml", ["run.seed=100", "evaluate.episodes=1"]), registry)
        built.run()
        world: Any = lambda: SetAttributes(gymnasium.make("CartPole-v1"), **change)  # noqa: E731
        agent = built.agent.sealed()
        both = agent, agent.informed(Change(model=make(world)))
        returns = [run(each, make(world), Schedule(episodes=2)).returns().mean() for each in both]
        assert returns[0] < 100
        assert returns[1] == 500
