"""Information gains, and a bonus for disagreement.

`SummedGain` adds one-step gains over modalities and steps as the literature does, which counts twice what two looks
share; `JointGain` is the mutual information with a named target.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from agentic import (
    Categorical,
    FiniteModel,
    Gain,
    Gaussian,
    LinearModel,
    Model,
    Particles,
    Step,
    UncertainWeights,
    UserError,
)
from agentic.planning import Folded, state_gain
from agentic_energies.histories import begin, step as follow
from agentic_energies.own_update import OwnUpdate


@final
@dataclass(frozen=True)
class SummedGain(Gain):
    """One-step gains, summed over modalities and steps without conditioning (Friston et al. 2017; pymdp).

    `target` is "states", "weights" or "both". The sum may exceed the prior entropy of its target. What is learned about
    weights is counted `by` the "information" I(o; weights | z), an upper bound where states are uncertain and rates are
    1 at most, or by the "update": the mean KL divergence of the agent's own next belief about them from that of now.
    Nothing is gained about the weights of a model in evaluation mode, `model.eval()`, as of one that learns no more.
    """

    target: str = "states"
    by: str = "information"

    def __post_init__(self) -> None:
        _one_of("SummedGain", self.target, ("states", "weights", "both"))
        if self.by not in ("information", "update"):
            raise UserError(f"SummedGain counts by 'information' or by the agent's own 'update', got {self.by!r}")

    @property
    def memoryless(self) -> bool:
        return True

    def folded(self, model: FiniteModel) -> Mapping[str, Folded] | None:
        gains: dict[str, Folded] = {}
        if self.by == "update" and self.target != "states":
            return None
        kind = model.begin(1).mean.dtype
        blocks = [Categorical(sure) for sure in torch.eye(model.latent.count, dtype=kind).split(256)]
        if self.target != "weights":
            gains["state_gain"] = Folded(1.0, -torch.cat([model.ambiguity(sure) for sure in blocks]))
        if self.target != "states":
            action = model.action.corners(kind)[0]
            each = [_parameter_gain(model, [Step(q, action.expand(len(q.probs), -1), q)]) for q in blocks]
            if "latent_parameter_gain" in each[0]:  # which looks at the action too
                return None
            gains |= {name: Folded(0.0, torch.cat([gain[name] for gain in each])) for name in each[0]}
        return gains

    def start(self, model: Model, belief: Any) -> Any:
        return None

    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        gains: dict[str, Tensor] = {}
        if self.target != "weights":
            gains["state_gain"] = state_gain(model, step.after)
        if self.target != "states":
            gains.update(self._learned(model, step))
        return None, gains

    def _learned(self, model: Model, step: Step) -> Mapping[str, Tensor]:
        if self.by == "information":
            return _parameter_gain(model, [step])
        if not isinstance(model, OwnUpdate):
            raise UserError(f"{type(model).__name__} does not say what its own update gains: use by='information'")
        return model.update_gain(step) if model.training else {}


@final
@dataclass(frozen=True)
class JointGain(Gain):
    """Mutual information between the plan's observations and a target, exact by the chain rule.

    `target`: "trajectory" (all latents the plan will visit), "first" or "final" (the first or last of them), "static"
    (what no action can change) or "weights". Of finite models all possible histories of outcomes are followed, of
    linear-Gaussian ones the covariance. Nothing is gained about the weights of a model in evaluation mode. Raises
    UserError where that is not affordable, with the number of outcome sequences it needs.
    """

    target: str = "trajectory"
    TARGETS: ClassVar = ("trajectory", "first", "final", "static", "weights")

    def __post_init__(self) -> None:
        _one_of("JointGain", self.target, self.TARGETS)

    @property
    def additive(self) -> bool:
        return self.target in ("trajectory", "static")

    def start(self, model: Model, belief: Any) -> Any:
        if self.target == "weights":
            return ()
        if isinstance(model, FiniteModel) and isinstance(belief, Categorical):
            return begin(model, belief, self.target)
        if isinstance(model, LinearModel) and isinstance(belief, Gaussian):
            return _start_linear(belief, self.target)
        raise UserError(
            f"JointGain needs a finite or a linear-Gaussian model, got {type(model).__name__}: use SummedGain"
        )

    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        if self.target == "weights":
            path = (*memory, step)
            return path, _parameter_gain(model, path) if last else {}
        if isinstance(model, FiniteModel):
            memory, gain = follow(model, memory, step.action, self.target, last)
        else:
            assert isinstance(model, LinearModel)
            memory, gain = _step_linear(model, memory, self.target, last)
        return memory, {"state_gain": gain}


@final
@dataclass(frozen=True)
class Disagreement(Gain):
    """The variance of the members' predictions, summed over latents: a bonus for places on which members disagree.

    `weight` is in nats per squared unit of the latent. A variance is no information: where members only differ in
    confidence it sees nothing. Raises UserError for models that do not plan with particles.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < inf:
            raise UserError(f"Disagreement expects a weight > 0 nats per squared unit, got {self.weight}")

    @property
    def memoryless(self) -> bool:
        return True

    def start(self, model: Model, belief: Any) -> Any:
        return None

    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        after = step.after
        if not isinstance(after, Particles):
            raise UserError(
                "disagreement needs a model that plans with a particle for each member, got a "
                f"{type(after).__name__} of {type(model).__name__}: use an ensemble, and plan with the whole belief"
            )
        spread = after.expected((after.z - after.mean).square().sum(-1))
        return None, {"disagreement": self.weight * spread}


def _start_linear(belief: Gaussian, target: str) -> tuple[Tensor, Tensor]:
    """Covariance of (target, z) before and after looking; for a trajectory the target is the latent itself."""
    if target == "static":
        raise UserError(
            "JointGain(target='static') needs a finite model: a linear-Gaussian latent has no static classes"
        )
    return belief.covariance, belief.covariance


def _step_linear(model: LinearModel, memory: tuple[Tensor, Tensor], target: str, last: bool) -> tuple[Any, Tensor]:
    system, (blind, looking) = model.system(), memory
    d = len(system.A)
    carry = looking.shape[-1] - d
    move = torch.block_diag(torch.eye(carry, dtype=system.A.dtype), system.A)
    noise = torch.block_diag(torch.zeros(carry, carry, dtype=system.A.dtype), system.Q)
    see = torch.cat([torch.zeros(len(system.C), carry, dtype=system.A.dtype), system.C], 1)
    blind, ahead = system.A @ blind @ system.A.T + system.Q, move @ looking @ move.T + noise
    if target == "first" and not carry:
        carry, see = d, torch.cat([torch.zeros_like(see), see], 1)
        ahead = torch.cat([torch.cat([ahead, ahead], -1)] * 2, -2)
    spread = see @ ahead @ see.T + system.R
    looking = ahead - ahead @ see.T @ torch.linalg.solve(spread, see @ ahead)
    if target == "trajectory":
        gain = 0.5 * (torch.logdet(spread) - torch.logdet(system.R))
    else:
        block = slice(0, carry) if target == "first" else slice(carry, None)
        before = blind if target == "final" else ahead
        gain = 0.5 * (torch.logdet(before[..., block, block]) - torch.logdet(looking[..., block, block]))
        if target == "final" and not last:
            gain = torch.zeros_like(gain)
    return (blind, looking), gain


def _parameter_gain(model: Model, path: Sequence[Step]) -> Mapping[str, Tensor]:
    return model.parameter_gain(path) if isinstance(model, UncertainWeights) and model.training else {}


def _one_of(owner: str, got: str, names: tuple[str, ...]) -> None:
    if got not in names:
        raise UserError(f"{owner} expects a target among {', '.join(names)}, got {got!r}")
