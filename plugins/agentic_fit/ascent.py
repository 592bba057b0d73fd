"""Newton's ascent to the most probable parameters, with derivatives through the replay or around it.

Parameters are counted here in standard deviations of their priors from the priors' centers: there the prior is a
standard normal, and what the likelihood curves more than it is what the record tells.
"""

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic import UserError
from agentic_fit.parameters import Prior
from agentic_fit.replay import Replay

ROUNDS = 60  # Newton steps at most; five to ten are usual
ENOUGH = 1e-10  # nats that another step would gain
STRIDE, NARROW = 1e-3, 1e-5  # of numerical derivatives: of second ones, of first ones
LONG, LEVEL = 3.0, 0.1  # the longest step; the least curvature that a step reckons with
DRAWS = 32  # places that are tried where the center has no likelihood


class Place(NamedTuple):
    """A place `w` (p,), and there the log likelihood with its gradient (p,) and Hessian (p, p)."""

    w: Tensor
    value: float
    gradient: Tensor
    hessian: Tensor

    @property
    def height(self) -> float:
        """The log posterior up to a constant."""
        return self.value - 0.5 * float(self.w @ self.w)

    @property
    def precision(self) -> Tensor:
        """Minus the Hessian of the log posterior."""
        return torch.eye(len(self.w), dtype=self.w.dtype) - self.hessian


@final
@dataclass(frozen=True)
class Landscape:
    """The log likelihood of a record over parameters `w`, in standard deviations of the `prior`.

    `smooth` says that gradients pass through the replay; otherwise derivatives are differences of its values.
    """

    replay: Replay
    prior: Prior
    smooth: bool

    def each(self, w: Tensor) -> Tensor:
        """The log-probabilities (n,) of the decisions."""
        return self.replay(self.prior.natural(self.prior.center + self.prior.spread * w))

    @torch.no_grad()
    def value(self, w: Tensor) -> float:
        """The log likelihood."""
        return float(self.each(w).sum())

    @torch.no_grad()
    def information(self, w: Tensor) -> Tensor:
        """The information (p, p) that the decisions give about `w`: the squares of their scores, summed."""
        steps = NARROW * torch.eye(len(w), dtype=w.dtype)
        scores = torch.stack([(self.each(w + step) - self.each(w - step)) / (2 * NARROW) for step in steps])
        return scores @ scores.T

    def look(self, w: Tensor) -> Place:
        """The log likelihood at `w` with two derivatives."""
        if not self.smooth:
            return self._around(w)
        w = w.detach().requires_grad_()
        total = self.each(w).sum()
        (slope,) = torch.autograd.grad(total, w, create_graph=True)
        rows = [torch.autograd.grad(each, w, retain_graph=True, materialize_grads=True)[0] for each in slope.unbind()]
        hessian = torch.stack(rows)
        return Place(w.detach(), float(total.detach()), slope.detach(), (hessian + hessian.T) / 2)

    def _around(self, w: Tensor) -> Place:
        """The same by central differences."""
        p, steps = len(w), STRIDE * torch.eye(len(w), dtype=w.dtype)
        middle = self.value(w)
        up, down = ([self.value(w + sign * step) for step in steps] for sign in (1, -1))
        hessian = torch.zeros(p, p, dtype=w.dtype)
        for i in range(p):
            hessian[i, i] = up[i] - 2 * middle + down[i]
            for j in range(i):
                both = sum(self.value(w + sign * (steps[i] + steps[j])) for sign in (1, -1))
                hessian[i, j] = hessian[j, i] = (both - up[i] - up[j] - down[i] - down[j] + 2 * middle) / 2
        gradient = torch.tensor([(a - b) / (2 * STRIDE) for a, b in zip(up, down, strict=True)], dtype=w.dtype)
        return Place(w, middle, gradient, hessian / STRIDE**2)


def landscape(replay: Replay, prior: Prior, w: Tensor) -> Landscape:
    """The landscape of a replay: gradients pass through it where they agree with differences of its values at `w`."""
    smooth = Landscape(replay, prior, True)
    direction = torch.linspace(0.5, 1.0, len(w), dtype=w.dtype)
    ahead, behind = (smooth.value(w + sign * NARROW * direction) for sign in (1, -1))
    try:
        place = smooth.look(w)
    except (RuntimeError, TypeError):  # some part of the agent, a solver or a learner, cuts the gradient
        return Landscape(replay, prior, False)
    slope, seen = float(place.gradient @ direction), (ahead - behind) / (2 * NARROW)
    agree = abs(slope - seen) <= 1e-4 * (1 + abs(seen)) and bool(place.hessian.isfinite().all())
    return Landscape(replay, prior, agree)


def begin(replay: Replay, prior: Prior) -> Tensor:
    """A place where what was done is possible: the prior's center, else the first of some draws that is.

    Raises UserError, with the first decision that is impossible everywhere, where there is none.
    """
    smooth, draws = Landscape(replay, prior, True), torch.Generator().manual_seed(0)
    center = torch.zeros_like(prior.center)
    never = torch.ones(len(replay), dtype=torch.bool)
    for number in range(DRAWS):
        w = center if number == 0 else torch.randn(center.shape, generator=draws, dtype=center.dtype)
        with torch.no_grad():
            found = smooth.each(w)
        if bool(found.isfinite().all()):
            return w
        never &= ~found.isfinite()
    raise UserError(_impossible(replay, never))


def climb(land: Landscape, w: Tensor, held: int | None = None, enough: float = ENOUGH) -> tuple[Place, bool]:
    """The highest place of the log posterior that Newton's steps from `w` lead to, and whether they converged there.

    The parameter `held` stays where it is. Steps are halved until they rise enough; directions that curve upward are
    followed uphill all the same. `enough` is the gain, in nats, below which no step is taken.
    """
    place, moves = land.look(w), [i for i in range(len(w)) if i != held]
    for _ in range(ROUNDS):
        slope = (place.gradient - place.w)[moves]
        curved, axes = torch.linalg.eigh(place.precision[moves][:, moves])
        step = torch.zeros_like(w).index_copy(
            0, torch.tensor(moves, dtype=torch.int64), axes @ ((axes.T @ slope) / curved.abs().clamp(min=LEVEL))
        )
        step = step * min(1.0, LONG / max(float(step.norm()), 1e-300))
        gain = float(slope @ step[moves])
        if gain < enough:
            return place, True
        size = 1.0
        while not _rises(land, place, place.w + size * step, 1e-4 * size * gain):
            size /= 2
            if size < 1e-8:
                return place, False
        place = land.look(place.w + size * step)
    return place, False


def _rises(land: Landscape, place: Place, w: Tensor, enough: float) -> bool:
    return land.value(w) - 0.5 * float(w @ w) >= place.height + enough


def _impossible(replay: Replay, never: Tensor) -> str:
    if not bool(never.any()):
        return "no parameters that were tried make all that was done possible: narrow the priors around values that do"
    first, done = int(never.nonzero()[0]), replay.behavior
    where = f"subject {done.subject[first]}, episode {done.episode[first]}, t {done.t[first]}"
    return (
        f"decision {first} ({where}) took action {done.action[first].tolist()}, which the agent never takes there, "
        f"whatever the parameters, as {int(never.sum())} of {len(never)} decisions: forbid less (E, values of -inf), "
        "or leave them out"
    )
