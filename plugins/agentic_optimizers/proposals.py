"""Proposals of sampling planners: candidates, the color of their noise over time, and their energies.

Candidates are time first, (T, k, b, *event), so that each imagined step reads contiguous memory; noise is drawn once a
round, outside of what may be compiled, and used with both signs (Brockhoff et al. 2010). A proposal's mean is a plan in
full; what is drawn around it may be held.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from math import inf
from typing import NamedTuple, Self

import torch
from torch import Tensor

from agentic import Box, Domain, ExpectedEnergy, Objective, Repeated, Simplex, UserError
from agentic.engine import normal_like


class Space(NamedTuple):
    """A bounded box or a simplex, `times` events in a row or a single one (None, which counts as one step)."""

    base: Box | Simplex
    times: int | None

    @classmethod
    def of(cls, domain: Domain, solver: str) -> Self:
        """The space of a domain. Raises UserError where it is neither discrete nor bounded."""
        base, times = (domain.base, domain.times) if isinstance(domain, Repeated) else (domain, None)
        if isinstance(base, Simplex) or (isinstance(base, Box) and bounded(base)):
            return cls(base, times)
        raise UserError(f"{solver} needs bounded boxes or discrete variables, got {base}: bound the action space")

    def split(self, z: Tensor) -> Tensor:
        """The events `z` (*s, b, T, *event) with time first, (T, *s, b, *event)."""
        return z.unsqueeze(0) if self.times is None else z.movedim(-1 - len(self.base.event), 0)

    def join(self, places: Tensor) -> Tensor:
        """The events with time first (T, *s, b, *event) as the domain has them, (*s, b, T, *event)."""
        return places[0] if self.times is None else places.movedim(0, -1 - len(self.base.event))

    def place(self, mean: Tensor, spread: Tensor | None, noise: Tensor, count: int) -> Tensor:
        """`count` candidates (T, count, b, *event): the mean (T, b, *event), then both signs of the noise around it.

        In a box mean +- spread x noise, projected. On a simplex `mean` are probabilities (no spread) and candidates
        one-hot draws by the Gumbel trick, in which noise that hangs together in time makes draws that do.
        """
        mean = mean.unsqueeze(1)
        if spread is not None:
            step = spread.unsqueeze(1) * noise
            return self.base.project(torch.cat([mean, mean + step, mean - step], 1)[:, :count])
        limits = torch.finfo(noise.dtype)
        share = torch.special.ndtr(torch.cat([noise, -noise], 1)[:, : count - 1]).clamp(limits.tiny, 1 - limits.eps)
        scores = mean.clamp(min=limits.tiny).log()
        return self.base.project(torch.cat([scores, scores - (-share.log()).log()], 1))

    def noise(self, count: int, like: Tensor, color: float, hold: int, generator: torch.Generator | None) -> Tensor:
        """Standard normal (T, count // 2, b, *event), its power falling with frequency^-color, each held `hold` steps.

        That is what `count` candidates need. `like` (T, b, *event) gives shape, dtype and device; the draw is made on
        the generator's device.
        """
        steps = len(like)
        knots = -(-steps // hold)
        drawn = normal_like(like[0], generator, knots, count // 2)
        if color and knots > 1:
            drawn = (coloring(knots, color).to(like) @ drawn.flatten(1)).view_as(drawn)
        return drawn if hold == 1 else drawn[torch.arange(steps, device=like.device) // hold]


@lru_cache(64)
def bounded(box: Box) -> bool:
    """Whether every side of a box is finite."""
    return bool((torch.isfinite(box.low) & torch.isfinite(box.high)).all())


@lru_cache(64)
def widths(box: Box, fraction: float, like: tuple[torch.Size, torch.dtype, torch.device]) -> Tensor:
    """A fraction of each side of a box as a tensor of the given shape, dtype and device."""
    shape, dtype, device = like
    return (fraction * (box.high - box.low)).to(device, dtype).expand(shape).contiguous()


@cache
def coloring(steps: int, color: float) -> Tensor:
    """The matrix (steps, steps) that gives white noise a power of frequency^-color at unit variance, float64.

    Frequencies below one period in `steps` count as that (Timmer and Koenig 1995; Pinneri et al. 2020).
    """
    scale = torch.fft.rfftfreq(steps, dtype=torch.float64).clamp(min=1 / steps) ** (-color / 2)
    spectrum = torch.fft.rfft(torch.eye(steps, dtype=torch.float64), dim=0) * scale.unsqueeze(-1)
    matrix = torch.fft.irfft(spectrum, n=steps, dim=0)
    value: Tensor = matrix / matrix[0].norm()
    return value


class Scored(NamedTuple):
    """Candidates (T, k, b, *event), their energies (k, b) in nats, and the terms these sum, by name (k, b)."""

    places: Tensor
    values: Tensor
    parts: Mapping[str, Tensor]

    @classmethod
    def of(cls, f: Objective, space: Space, places: Tensor) -> "Scored":
        """The candidates (T, k, b, *event) with their energies; only expected energies have parts."""
        if not isinstance(f, ExpectedEnergy):
            return cls(places, f(space.join(places)), {})
        parts, shape = f.unroll(places.unbind(0)), places.shape[1:3]
        parts = {name: part.expand(shape) for name, part in parts.items()}
        return cls(places, f.total(parts), parts)

    @property
    def ranked(self) -> Tensor:
        """The energies (k, b) with infinity in place of what is no number."""
        return self.values.nan_to_num(nan=inf, posinf=inf, neginf=-inf)

    def best(self, count: int = 1) -> "Scored":
        """The `count` best of each row, best first."""
        ranked = self.ranked
        index = ranked.argmin(0, keepdim=True) if count == 1 else ranked.argsort(dim=0, stable=True)[:count]
        return self.at(index)

    def at(self, index: Tensor) -> "Scored":
        """The candidates of `index` (n, b)."""
        wide = index.view(1, *index.shape, *[1] * (self.places.dim() - 3))
        places = self.places.gather(1, wide.expand(len(self.places), *index.shape, *self.places.shape[3:]))
        parts = {name: part.gather(0, index) for name, part in self.parts.items()}
        return Scored(places, self.values.gather(0, index), parts)

    def unless(self, older: "Scored") -> "Scored":
        """Of two sets of one candidate each, the better one in each row."""
        better = older.ranked < self.ranked
        wide = better.view(1, *better.shape, *[1] * (self.places.dim() - 3))
        parts = {name: torch.where(better, older.parts[name], part) for name, part in self.parts.items()}
        places = torch.where(wide, older.places, self.places)
        return Scored(places, torch.where(better, older.values, self.values), parts)

    def front(self, count: int) -> "Scored":
        """The first `count` candidates of each row."""
        parts = {name: part[:count] for name, part in self.parts.items()}
        return Scored(self.places[:, :count], self.values[:count], parts)

    @property
    def first(self) -> tuple[Tensor, Tensor]:
        """The first candidate (T, b, *event) and its energy (b,)."""
        return self.places[:, 0], self.values[0]

    def with_(self, other: "Scored | None") -> "Scored":
        """The candidates of both sets."""
        if other is None:
            return self
        parts = {name: torch.cat([part, other.parts[name]]) for name, part in self.parts.items()}
        return Scored(torch.cat([self.places, other.places], 1), torch.cat([self.values, other.values]), parts)
