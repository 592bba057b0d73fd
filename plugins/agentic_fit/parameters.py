"""Parameters of an agent that are fitted, each with its prior, stated in the parameter's own unit.

A prior is said by the interval that holds 95 % of it. Behind it is a normal distribution on a scale without bounds, on
which fits move: the value itself, its logarithm, or its logit within the limits.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic import UserError

WIDEST = 1e100  # of a prior on the scale without bounds
Z95 = 1.959963984540054  # standard deviations on either side of the mean of a normal that hold 95 % of it


@dataclass(frozen=True)
class Parameter(ABC):
    """A real number to be fitted, of whose prior 95 % lie between `low` and `high`. Concrete ones are dataclasses."""

    low: float
    high: float

    def __post_init__(self) -> None:
        self.check()

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value that there can be."""
        return -inf, inf

    @abstractmethod
    def natural(self, free: Tensor) -> Tensor:
        """The value at a place on the scale without bounds."""

    @abstractmethod
    def free(self, value: float) -> float:
        """The place of a value on the scale without bounds."""

    def check(self) -> None:
        """Raises UserError unless the interval lies within the limits, and has a width that can be reckoned with."""
        least, most = self.limits
        try:
            sound = least < self.low < self.high < most and self.free(self.high) - self.free(self.low) < WIDEST
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            sound = False
        if not sound:
            raise UserError(
                f"the middle 95 % of a prior go from `low` to a greater `high` between {least} and {most}, got {self}: "
                f"name numbers less than {WIDEST:g} apart"
            )


@final
@dataclass(frozen=True)
class Unbounded(Parameter):
    """A parameter with a normal prior, 95 % of it between `low` and `high`."""

    def natural(self, free: Tensor) -> Tensor:
        return free

    def free(self, value: float) -> float:
        return value


@final
@dataclass(frozen=True)
class Positive(Parameter):
    """A parameter above zero with a log-normal prior, 95 % of it between `low` and `high`."""

    @property
    def limits(self) -> tuple[float, float]:
        return 0.0, inf

    def natural(self, free: Tensor) -> Tensor:
        return free.exp()

    def free(self, value: float) -> float:
        return log(value)


@final
@dataclass(frozen=True)
class Bounded(Parameter):
    """A parameter between `least` and `most` with a logit-normal prior, 95 % of it between `low` and `high`."""

    least: float = 0.0
    most: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        return self.least, self.most

    def natural(self, free: Tensor) -> Tensor:
        return self.least + (self.most - self.least) * torch.sigmoid(free)

    def free(self, value: float) -> float:
        return log((value - self.least) / (self.most - value))


class Prior(NamedTuple):
    """Independent normal priors over the places of parameters on their scales without bounds.

    `center` and `spread` (p,) are means and standard deviations, float64.
    """

    parameters: Sequence[Parameter]
    center: Tensor
    spread: Tensor

    @classmethod
    def of(cls, parameters: Sequence[Parameter]) -> "Prior":
        """The priors that the parameters state."""
        ends = torch.tensor([[each.free(each.low), each.free(each.high)] for each in parameters], dtype=torch.float64)
        return cls(parameters, ends.mean(-1), (ends[:, 1] - ends[:, 0]) / (2 * Z95))

    def natural(self, free: Tensor) -> Tensor:
        """The values (..., p) at places (..., p) on the scales without bounds."""
        places = zip(self.parameters, free.unbind(-1), strict=True)
        return torch.stack([each.natural(place) for each, place in places], -1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` independent draws of the values, (n, p)."""
        noise = torch.randn(n, len(self.center), generator=generator, dtype=self.center.dtype)
        return self.natural(self.center + self.spread * noise)


def checked(parameters: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
    """The parameters themselves. Raises UserError for none, and for what is no parameter."""
    if not isinstance(parameters, Mapping) or not parameters:
        raise UserError(
            "parameters expects a mapping from places in the agent to parameters, as "
            "{'selection.precision': Positive(0.2, 5.0)}"
        )
    for path, each in parameters.items():
        if not isinstance(path, str):
            raise UserError(f"a place in the agent is a text as 'selection.precision', got {path!r}")
        if not isinstance(each, Parameter):
            raise UserError(f"{path} expects Unbounded, Positive or Bounded with its prior, got {type(each).__name__}")
    return parameters
