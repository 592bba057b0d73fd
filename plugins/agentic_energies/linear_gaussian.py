"""The linear-Gaussian generative model: given, or learned online from what the agent sees and does.

z' = A z + B a + c + w, obs = C z + d + v. Learning is exact Bayesian regression, the minimization over weights in
closed form; what the weights still leave open is the parameter gain. Discrete actions enter as one-hot vectors.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import inf
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import (
    Belief,
    Conjugate,
    Domain,
    Environment,
    Gaussian,
    LinearModel,
    Particles,
    Real,
    Simplex,
    Step,
    Tick,
    UncertainWeights,
    UserError,
    make,
)
from agentic.models import LinearSystem
from agentic_energies.arrays import CLOSE, check_finite, numbers, side_by_side
from agentic_energies.linear_factors import GaussianPrior, LinearObservation, LinearTransition
from agentic_energies.regression import Regression

PRACTICE = 200  # steps in a world that a learned model is told of


@final
class LinearGaussian(LinearModel, UncertainWeights, Conjugate):
    """A linear-Gaussian model of matrices, float64 lists or tensors; latents (d,), actions (k,), observations (o,).

    `Q`, `R` and `covariance` are covariances (a list of numbers is a diagonal); `mean` and `covariance` the first
    latent's. The next latent is `A` z + `B` a + `c`; what is seen of it is `C` z + `d`; `action` is the domain of a.
    `C` defaults to the identity, `c`, `d` and `mean` to 0, `covariance` to 1. With a `regression` over [z, a] the
    transition is its mean and learns. Raises UserError for shapes that do not fit.
    """

    observation: LinearObservation
    transition: LinearTransition
    prior: GaussianPrior

    def __init__(
        self,
        A: Any,
        B: Any,
        *,
        Q: Any,
        R: Any,
        C: Any = None,
        c: Any = None,
        d: Any = None,
        mean: Any = None,
        covariance: Any = None,
        action: Domain | None = None,
        regression: Regression | None = None,
    ) -> None:
        super().__init__()
        a = _matrix("A", A, None, None)
        n = len(a)
        a, b = _matrix("A", A, n, n), _matrix("B", B, n, None)
        see = torch.eye(n, dtype=torch.float64) if C is None else _matrix("C", C, None, n)
        o, k = len(see), b.shape[1]
        self.latent, self.outcome = Real((n,)), Real((o,))
        self.action = Real((k,)) if action is None else action
        if self.action.size != k:
            raise UserError(f"B has {k} columns, the actions {self.action} have {self.action.size} numbers")
        self.observation = LinearObservation(see, _vector("d", d, o), _spread("R", R, o))
        self.transition = LinearTransition(a, b, _vector("c", c, n), _spread("Q", Q, n))
        start = torch.ones(n) if covariance is None else covariance
        self.prior = GaussianPrior(_vector("mean", mean, n), _spread("covariance", start, n))
        self.regression = regression
        self.untaught = deepcopy(regression)

    @classmethod
    def learned(
        cls,
        outcome: Domain,
        action: Domain,
        *,
        prior_precision: float = 1.0,
        noise: float = 1e-4,
        confidence: float = 1.0,
        sensor_noise: float = 1e-8,
        start_variance: float = 1.0,
    ) -> Self:
        """A model of fully observed vectors that starts by expecting that everything stays as it is.

        The weights' prior is N(identity for z, zero for a; s / `prior_precision`) with s the noise variance, guessed as
        `noise` with the weight of 2 x `confidence` samples. `sensor_noise` is the variance of the observation,
        `start_variance` that of the first latent.
        """
        n, k = outcome.size, action.size
        for name, value in {"prior_precision": prior_precision, "noise": noise, "confidence": confidence}.items():
            if not 0 < value < inf:
                raise UserError(f"{name} expects a number > 0, got {value}")
        mean = torch.cat([torch.eye(n), torch.zeros(k, n)]).double()
        rate = torch.full((n,), noise * (confidence + 1), dtype=torch.float64)
        regression = Regression(mean, prior_precision * torch.eye(n + k), rate, confidence)
        ones = torch.ones(n, dtype=torch.float64)
        return cls(
            mean[:n].T,
            mean[n:].T,
            Q=noise * ones,
            R=sensor_noise * ones,
            covariance=start_variance * ones,
            action=action,
            regression=regression,
        )

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The model with the given matrices, or where A is not given one to be learned from `env`."""
        if isinstance(env.observation, Simplex):
            raise UserError(
                f"linear_gaussian needs Box observations, {env.id} has {env.observation}: use the categorical model"
            )
        if "A" in parameters:
            return cls(action=env.action, **parameters)
        return cls.learned(env.observation, env.action, **parameters)

    def for_env(self, env: Environment) -> Self:
        """The model learned from `PRACTICE` steps of uniformly random actions in a copy of `env`, and nothing else.

        They are the same each time, and span as many episodes as it takes. A model that was given stays as it is.
        Raises UserError where `env` cannot be copied.
        """
        if self.untaught is None:
            return self
        model, world = deepcopy(self), make(env.copies())
        regression = model.regression = deepcopy(self.untaught)
        draws = torch.Generator().manual_seed(0)
        obs = world.encode(world.reset([0]), torch.float64)
        for _ in range(PRACTICE):
            action = world.action.draw(1, generator=draws, dtype=torch.float64)
            step = world.step(world.decode(action))
            after = world.encode(step.next_obs, torch.float64)
            regression.observe(torch.cat([obs, action], -1)[0], after[0])
            obs = after if step.begins is None else world.encode(world.restart(step.begins), torch.float64)
        world.close()
        model._follow(regression)
        return model

    @classmethod
    def example(cls) -> Self:
        """A damped double integrator seen through its position, for the conformance kit."""
        return cls([[1.0, 0.1], [0.0, 0.9]], [[0.0], [0.1]], Q=[0.01, 0.02], R=[0.1], C=[[1.0, 0.0]])

    def system(self) -> LinearSystem:
        t, o = self.transition, self.observation
        return LinearSystem(t.A, t.B, t.c, t.Q, o.C, o.d, o.R)

    def predict(self, belief: Belief, action: Tensor) -> Gaussian:
        """The predicted belief, exact for Gaussians and points; of particles a Gaussian of their moments."""
        t = self.transition
        mean = t.mean(belief.mean, action)
        spread: Tensor = t.Q
        if isinstance(belief, Gaussian | Particles):
            spread = t.A @ (belief.covariance if isinstance(belief, Gaussian) else _scatter(belief)) @ t.A.T + t.Q
        return Gaussian(mean, spread.expand(*mean.shape, -1))

    def emit(self, belief: Belief) -> Belief:
        return self.observation.push(belief)

    def ambiguity(self, belief: Belief) -> Tensor:
        return self.observation.ambiguity(belief)

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The joint information about [A B] of the path's regressors at their means, credited at the latents."""
        if self.regression is None:
            return {}
        looks = [side_by_side(step.before.mean, step.action.to(torch.float64)) for step in path]
        regressors = torch.stack(torch.broadcast_tensors(*looks), -2)
        return {"latent_parameter_gain": self.regression.gain(regressors)}

    def condition(self, tick: Tick) -> Mapping[str, float]:
        if self.regression is None:
            raise UserError("this linear_gaussian model was given, not learned: leave out A, or leave out the learner")
        n, rows = self.latent.size, [i for i, valid in enumerate(tick.valid) if valid]
        regressors = torch.cat([tick.obs.double(), tick.action.double()], -1)
        error = torch.zeros(n, dtype=torch.float64)
        for i in rows:
            error = self.regression.observe(regressors[i], tick.next_obs[i].double())
        self._follow(self.regression)
        return {"prediction_error": float(error.norm())}

    def _follow(self, regression: Regression) -> None:
        """Take the transition from what the regression expects."""
        n = self.latent.size
        self.transition.A.copy_(regression.mean[:n].T)
        self.transition.B.copy_(regression.mean[n:].T)
        self.transition.Q.copy_(torch.diag(regression.noise))
        self.version += 1


def _matrix(name: str, value: Any, rows: int | None, columns: int | None) -> Tensor:
    matrix = numbers(name, value)
    wanted = (rows, columns)
    fits = matrix.dim() == 2 and all(w in (None, s) for w, s in zip(wanted, matrix.shape, strict=True))
    if not fits:
        shape = " x ".join("any" if w is None else str(w) for w in wanted)
        raise UserError(f"{name} expects a matrix of {shape}, got shape {tuple(matrix.shape)}")
    return check_finite(name, matrix)


def _vector(name: str, value: Any, size: int) -> Tensor:
    vector = torch.zeros(size, dtype=torch.float64) if value is None else numbers(name, value)
    if vector.shape != (size,):
        raise UserError(f"{name} expects {size} numbers, got shape {tuple(vector.shape)}")
    return check_finite(name, vector)


def _spread(name: str, value: Any, size: int) -> Tensor:
    given = check_finite(name, numbers(name, value))
    matrix = torch.diag(given) if given.dim() == 1 else _matrix(name, given, size, size)
    if bool((matrix - matrix.T).abs().max() > CLOSE * matrix.abs().max()):
        raise UserError(f"{name} expects a symmetric covariance, got {matrix.tolist()}")
    least = -1e-12 * float(matrix.abs().max())  # what rounding leaves of a singular one
    if matrix.shape != (size, size) or float(torch.linalg.eigvalsh(matrix).min()) < least:
        raise UserError(f"{name} expects a covariance of {size} variables (or their {size} variances), none negative")
    return matrix.clone()


def _scatter(belief: Particles) -> Tensor:
    """The covariance of particles, (*s, b, d, d)."""
    gap = belief.z - belief.mean
    return belief.expected(gap.unsqueeze(-1) * gap.unsqueeze(-2))
