"""What a component may offer this kit beyond its contract: an instance, inputs, answers that are known.

All are optional. Components need not import the kit for it: a class with the method offers it.
"""

from collections.abc import Iterable
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from agentic.environments.environment import Environment
from agentic.metrics.metric import Metric
from agentic.metrics.subject import Subject


@runtime_checkable
class Example(Protocol):
    """A class that makes a small instance of itself, where its constructor needs arguments."""

    @classmethod
    def example(cls) -> Self:
        """A small instance."""


@runtime_checkable
class FromEnvironment(Protocol):
    """A class that makes an instance of itself for an environment."""

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The component as it suits `env`."""


@runtime_checkable
class ExampleInputs(Protocol):
    """An energy that knows what it can be evaluated at."""

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Any, Tensor]:
        """`x` and `z`, float64, batch first."""


@runtime_checkable
class PopulationInputs(Protocol):
    """An energy of a whole batch that knows what it can be evaluated at."""

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> Tensor:
        """`z`, float64, batch first."""


@runtime_checkable
class KnownAnswers(Protocol):
    """A metric that knows cases whose value is certain."""

    @classmethod
    def known_answers(cls) -> Iterable[tuple[Metric, Subject, float, float]]:
        """The metric, the subject, the value, and how far it may be off."""
