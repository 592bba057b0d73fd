"""Laplace over weights: a Gaussian belief around fitted weights, and the evidence of the model (MacKay 1992)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from agentic import Categorical, Conditional, Gaussian, UserError
from agentic_optimizers.laplace import laplace_free_energy, log_determinant, positive_root
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.rows import given_and_free
from agentic_optimizers.weight_posterior import WeightPosterior, at_weights


class WeightCurvature(ABC):
    """A curvature of minus log posterior by the weights: its Hessian, or what stands for it."""

    @abstractmethod
    def __call__(self, f: WeightPosterior, z: Tensor) -> Tensor:
        """The matrix (p, p) at the weights z (p,)."""


@final
@dataclass(frozen=True)
class Hessian(WeightCurvature):
    """All second derivatives, exactly, in p backward passes; indefinite where the weights are no minimum."""

    def __call__(self, f: WeightPosterior, z: Tensor) -> Tensor:
        return f.hessian(z.unsqueeze(0))[0]


@final
@dataclass(frozen=True)
class Fisher(WeightCurvature):
    """The Fisher information of what the module predicts of each datum, plus the prior's Hessian; never indefinite.

    For `Conditional` modules whose `given(x)` is Gaussian or Categorical and rows (x, z). It is the generalized
    Gauss-Newton matrix where the mean alone (of a fixed covariance), or the logits, depend on the weights (Martens
    2020). With `diagonal`, only its diagonal. Needs a `Likelihood` as loss; labels do not enter.
    """

    diagonal: bool = False

    def __call__(self, f: WeightPosterior, z: Tensor) -> Tensor:
        if not isinstance(f.loss, Likelihood):
            raise UserError(f"fisher is of likelihoods, and the loss is {type(f.loss).__name__}: use Hessian")
        x, target = given_and_free(tuple(f.data))
        module: Any = f.module
        found = module.given(x)
        if not isinstance(found, Gaussian | Categorical):
            kind = type(found).__name__
            raise UserError(f"fisher needs predictions that are Gaussian or Categorical, got {kind}: use Hessian")
        if found.mean.shape != target.shape:
            shapes = f"{tuple(found.mean.shape)} and {tuple(target.shape)}"
            raise UserError(f"fisher expects predictions of the data's shape, got {shapes}")

        def predicted(z: Tensor) -> tuple[Tensor, ...]:
            return at_weights(module, z, lambda other: _parts(other.given(x)))

        with torch.enable_grad():
            values, slopes = predicted(z), torch.func.jacrev(predicted)(z)
        information = sum(_information(type(found), values, slopes), torch.zeros_like(z[:1]))
        total = f.count / len(target) * information + f.prior.hessian(None, z.unsqueeze(0))[0]
        return torch.diag(total.diagonal()) if self.diagonal else total


@final
@dataclass(frozen=True)
class WeightBelief:
    """Laplace's approximation over weights: a Gaussian `belief`, one row (1, p), and minus log evidence in nats.

    `free_energy` is E(mode) + log det H / 2 - p log(2 pi) / 2: minus log p(data) exactly where the posterior is
    Gaussian, an approximation, and no bound, elsewhere. `slope` is the norm of the gradient that was left at the mode.
    """

    belief: Gaussian
    free_energy: float
    slope: float


@final
@dataclass(frozen=True)
class WeightLaplace:
    """Laplace's approximation N(mode, curvature^-1) of a posterior over weights, at weights that were fitted before.

    Exact for models that are linear in Gaussian weights. For small modules: the covariance is p x p.
    """

    curvature: WeightCurvature = field(default_factory=Fisher)

    def __call__(self, f: WeightPosterior, z: Any = None) -> WeightBelief:
        """The belief at weights z (1, p), by default the module's own.

        Raises UserError where the curvature is not positive definite and where the prior is not normalized.
        """
        mode = f.start(z)
        if not isinstance(f.prior, Conditional):
            raise UserError(f"weight_laplace needs a normalized prior, a Conditional, got {type(f.prior).__name__}")
        with torch.no_grad():
            energy, gradient = f.value_and_gradient(mode)
            curve = self.curvature(f, mode[0]).detach()
            needs, remedy = "positive curvature", "fit further, or use Fisher"
            root = positive_root("weight_laplace", curve, needs=needs, remedy=remedy)
            free_energy = laplace_free_energy(energy[0], log_determinant(root), len(curve))
            belief = Gaussian(mode.detach(), torch.cholesky_inverse(root).unsqueeze(0))
        return WeightBelief(belief, float(free_energy), float(gradient.norm()))


def _parts(belief: Gaussian | Categorical) -> tuple[Tensor, ...]:
    """Mean and covariance, or probabilities."""
    return (belief.probs,) if isinstance(belief, Categorical) else (belief.mean, belief.covariance)


def _information(family: type, values: tuple[Tensor, ...], slopes: tuple[Tensor, ...]) -> list[Tensor]:
    """Fisher information summed over rows, (p, p) each: of probabilities, or of a mean and of a covariance."""
    if family is Categorical:
        probs, slope = values[0].flatten(), slopes[0].flatten(0, 1)
        scaled = slope / probs.clamp(min=torch.finfo(probs.dtype).tiny).sqrt().unsqueeze(-1)
        return [scaled.T @ scaled]
    (_, covariance), (of_mean, of_spread) = values, slopes
    root = torch.linalg.cholesky(covariance)
    scaled = torch.linalg.solve_triangular(root, of_mean, upper=False).flatten(0, 1)
    whitened = torch.linalg.solve(covariance.unsqueeze(1), of_spread.movedim(-1, 1))  # (n, p, d, d)
    spread = 0.5 * torch.einsum("npij,nqji->pq", whitened, whitened)
    return [scaled.T @ scaled, spread]
