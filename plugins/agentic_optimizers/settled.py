"""Learning at settled beliefs: two minimizations of one energy, the inner one over latents, the outer over weights.

The gradient is E_q[dE/dtheta] at the belief q that settling ended in, which is held fixed: nothing is differentiated
through inference. It is the gradient of the free energy where q is stationary for it (Neal and Hinton 1998).
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, final, runtime_checkable

import torch
from torch import Tensor

from agentic import (
    Belief,
    Clamped,
    Domain,
    Energy,
    Gaussian,
    Loss,
    Minimizer,
    Particles,
    Point,
    Solution,
    UserError,
    minimize,
)
from agentic.engine import Density
from agentic_optimizers.newton import Newton
from agentic_optimizers.rows import Lowered, Rows


@runtime_checkable
class Joint(Protocol):
    """An energy of a joint distribution: E(x, z) plus this scalar is -log p(x, z), so that evidence is defined."""

    def joint_log_normalizer(self) -> Tensor: ...


@dataclass(frozen=True)
class SettledLoss(Loss):
    """A loss at the latents in which `solver` ends, with what is given of every row clamped.

    A row is (x,), or (x, y, ...) where the energy's given part is a tuple; with `warm_start` its last tensor is where
    its latents start, otherwise they start where the energy says (`start(x)`) or in the middle. `over` is the latents'
    domain, where the energy has no `latent`.
    """

    solver: Minimizer = field(default_factory=Newton)
    over: Domain | None = None
    warm_start: bool = field(default=False, kw_only=True)
    allow_collapse: bool = field(default=False, kw_only=True)

    def settle(self, module: Energy, rows: Rows, generator: torch.Generator | None) -> tuple[Any, Solution]:
        """The given part of rows, and the solution for their latents. Raises UserError where a row lacks a part."""
        if len(rows) < 1 + self.warm_start:
            also = ", and a start after it" if self.warm_start else ""
            raise UserError(f"rows to settle expect something given{also}")
        given, start = (rows[:-1], rows[-1]) if self.warm_start else (rows, None)
        x = given[0] if len(given) == 1 else given
        return x, settle(module, x, self.solver, over=self.over, start=start, generator=generator)


@final
@dataclass(frozen=True)
class Settled(SettledLoss):
    """The free energy at settled beliefs: the mean over rows of E_q[E(x, z)] - H[q] + log Z of the joint, in nats.

    q is the belief in which `solver` ends. For an exact posterior this is minus log evidence, for another Gaussian an
    upper bound of it (as far as the mean below is exact). Rows, `over` and `warm_start` are those of `SettledLoss`. An
    encoder that only supplies the start is not learned.

    What q is depends on the solver. Gaussians: the mean over 2 d cubature points, exact for quadratic energies, or over
    `samples` draws. Particles: their weighted mean, whose entropy is left out: its gradient is that of -log evidence if
    they follow the posterior. A point: E(x, z*), entropy counted as 0, whose minimum over weights may collapse (louder
    decoders make any x cheap); so may that of an energy whose normalizer is unknown (no `joint_log_normalizer`). Both
    are refused unless `allow_collapse`. `LaplaceEvidence` keeps the log determinant and does not collapse.

    Reports `energy`, `residual` and `residual_max` (how far from settled: the gradient is wrong by about that much),
    `converged` (fraction of rows), `entropy`, and where it is one the `free_energy`. Raises UserError as said.
    """

    samples: int = 0

    def __call__(self, module: Energy, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        x, solution = self.settle(module, rows, generator)
        belief = solution.belief
        if not self.allow_collapse:
            refuse_unnormalized(module)
            if isinstance(belief, Point):
                raise UserError(
                    f"{type(self.solver).__name__} settles to a point, and the lowest energy of points may collapse: "
                    "settle with newton or a sampler, learn with LaplaceEvidence, or say allow_collapse=True"
                )
        energy = self.expected(module, x, belief, generator=generator).mean()
        info = {"energy": energy.detach(), **settling(solution)}
        value = energy + module.joint_log_normalizer() if isinstance(module, Joint) else energy
        if isinstance(belief, Density):
            entropy = belief.entropy().mean()
            value, info["entropy"] = value - entropy, entropy
            if isinstance(module, Joint):
                info["free_energy"] = value.detach()
        return value, info

    def expected(self, module: Energy, x: Any, belief: Belief, *, generator: torch.Generator | None) -> Tensor:
        """The expected energy E_q[E(x, z)] of every row, (b,), differentiable in the weights."""
        if isinstance(belief, Point):
            return module(x, belief.z)
        if isinstance(belief, Particles):
            return belief.expected(module(x, belief.z))
        if isinstance(belief, Gaussian) and not self.samples:
            return module(x, belief.cubature()).mean(0)
        if generator is None or not self.samples:
            raise UserError(
                f"the energy of a {type(belief).__name__} is a mean over draws: say samples, and a generator"
            )
        return module(x, belief.sample(self.samples, generator)).mean(0)


def refuse_unnormalized(module: Energy) -> None:
    """Raise UserError for an energy without a known normalizer of the joint, which learning would lower everywhere."""
    if not isinstance(module, Joint):
        raise UserError(
            f"{type(module).__name__} has no joint_log_normalizer, so that nothing keeps its energy from falling "
            "everywhere: learn it with a loss for energies without a normalizer, or say allow_collapse=True"
        )


def settle(
    module: Energy,
    x: Any,
    solver: Minimizer,
    *,
    over: Domain | None = None,
    start: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Solution:
    """Lower `module`'s energy over its latents with `x` clamped, from `start` (b, *event) or where the energy says."""
    domain = module.latent if over is None else over
    if not isinstance(domain, Domain):
        raise UserError(f"{type(module).__name__} does not say where its latents live (`latent`): say it with `over`")
    f = Clamped(module, x, domain)
    with torch.no_grad():
        begin = f.start(start)
    return minimize(f, solver, begin, generator=generator)


def settling(solution: Solution) -> dict[str, Tensor]:
    """Diagnostics of settling: mean and largest residual, where there is one, and the fraction of rows converged."""
    info = dict[str, Tensor]()
    if not bool(solution.residual.isnan().all()):
        info = {"residual": solution.residual.mean(), "residual_max": solution.residual.max()}
    if solution.converged is not None:
        info["converged"] = solution.converged.to(solution.residual).mean()
    return info
