"""Evidence: the objective of perceiving, minus the log joint of an observation and a latent."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Density
from agentic.engine.domain import Domain
from agentic.engine.energy import Encoder
from agentic.engine.mixture import density
from agentic.engine.objective import Clamped, Objective
from agentic.errors import UserError, shown
from agentic.models.model import Model


@final
@dataclass(frozen=True)
class Evidence(Objective):
    """The objective -log p(obs, z) of one observation (b, *event) under a prior belief, in nats.

    Its free energy bounds minus log evidence from above. Under a categorical belief the value at probabilities q is
    E_q[-log p(obs, z)]. A point or particles have no density to evaluate, UserError says so: solvers that look inside
    may weigh them all the same. Raises UserError for an observation of another shape than the model's outcomes and the
    belief's rows have.
    """

    model: Model
    obs: Tensor
    prior: Belief

    def __post_init__(self) -> None:
        if not isinstance(self.obs, Tensor):
            raise UserError(f"an observation is a tensor (b, *event), got {shown(self.obs)}: use torch.as_tensor")
        expected = (len(self.prior.mean), *self.model.outcome.event)
        if self.obs.shape != expected:
            raise UserError(
                f"an observation of {type(self.model).__name__} has shape {expected}, a row for each of the belief, "
                f"got {tuple(self.obs.shape)}"
            )

    @property
    def domain(self) -> Domain:
        return self.model.latent

    def proposal(self) -> Tensor | None:
        return self.model.start(self.obs) if isinstance(self.model, Encoder) else None

    @cached_property
    def surprise(self) -> Clamped:
        """The objective -log p(obs | z) over `z`, in nats."""
        return Clamped(self.model.observation.swapped(), self.obs, self.model.latent)

    def __call__(self, z: Tensor) -> Tensor:
        return self.surprise(z) + density(self.prior).energy(z)

    def start(self, z: Any) -> Tensor:
        """The place where a solver begins: `z`, or where that is None the prior belief's mean."""
        return self.prior.mean if z is None else z

    def gradient(self, z: Tensor) -> Tensor:
        return self.surprise.gradient(z) + density(self.prior).gradient(z)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        (value, slope), believed = self.surprise.value_and_gradient(z), density(self.prior)
        return value + believed.energy(z), slope + believed.gradient(z)

    def hessian(self, z: Tensor) -> Tensor:
        return self.surprise.hessian(z) + density(self.prior).hessian(z)

    def residuals(self, z: Tensor) -> Tensor | None:
        seen = self.surprise.residuals(z)
        believed = self.prior.residuals(z) if isinstance(self.prior, Density) else None
        return None if seen is None or believed is None else torch.cat([seen, believed], -1)

    def terms(self, belief: Density, free_energy: Tensor) -> Mapping[str, Tensor]:
        """The free energy as complexity - accuracy, each in nats (b,): complexity is KL(belief || prior)."""
        assert isinstance(self.prior, type(belief))
        complexity = belief.divergence(self.prior)
        return {"free_energy": free_energy, "accuracy": complexity - free_energy, "complexity": complexity}
