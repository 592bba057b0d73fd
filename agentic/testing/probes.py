"""What energies are evaluated at, so that something can be asked of them.

An energy may say what: `example_inputs(batch, *, generator) -> (x, z)`, float64, batch first. Otherwise vectors of up
to eight numbers are tried, without and with a given x.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agentic.engine.energy import Energy
from agentic.errors import described
from agentic.testing.common import generator
from agentic.testing.offers import ExampleInputs

Draw = Callable[[int, torch.Generator], tuple[Any, Tensor]]
"""(batch, generator) -> x and z, batch first."""


@dataclass(frozen=True)
class Probe:
    """An energy in float64 and how to draw what it is evaluated at; `certain` draws corners where x is discrete."""

    energy: Energy
    draw: Draw
    certain: Draw
    events: int = 1

    def at(self, batch: int, seed: int = 0) -> tuple[Any, Tensor]:
        return self.draw(batch, generator(seed))

    def value(self, x: Any, z: Tensor) -> Tensor:
        value = self.energy(x, z)
        assert isinstance(value, Tensor), f"forward returned {type(value).__name__}: expected a tensor"
        return value


def probe(energy: Energy) -> Probe:
    """The probe of an energy that stands alone. Raises AssertionError where nothing to evaluate it at is known."""
    energy = energy.double()
    if isinstance(energy, ExampleInputs):
        offered: ExampleInputs = energy

        def draw(batch: int, source: torch.Generator) -> tuple[Any, Tensor]:
            x, z = offered.example_inputs(batch, generator=source)
            return x, z

        return Probe(energy, draw, draw, events=draw(2, generator())[1].dim() - 1)
    guesses = [_vectors(given, free) for given, free in _sizes()]
    fitting = next((guess for guess in guesses if _fits(energy, guess)), None)
    taken = fitting or next((guess for guess in guesses if _takes(energy, guess)), None)  # its answer is judged later
    if taken is not None:
        return Probe(energy, taken, taken)
    try:
        energy(*_vectors(8, 8)(3, generator()))
        said = "it refused them"
    except Exception as error:
        said = f"with eight numbers each, {described(error)}"
    raise AssertionError(
        f"no vectors x and z were found that it takes ({said}): give it a method "
        "example_inputs(batch, *, generator) that returns x and z, float64, batch first"
    )


def _sizes() -> Iterator[tuple[int | None, int]]:
    for free in range(8, 0, -1):
        yield None, free
    for free in range(8, 0, -1):
        yield free, free
    yield from ((given, free) for free in range(8, 0, -1) for given in range(8, 0, -1) if given != free)


def _vectors(given: int | None, free: int) -> Draw:
    def draw(batch: int, source: torch.Generator) -> tuple[Any, Tensor]:
        x = None if given is None else torch.randn(batch, given, generator=source, dtype=torch.float64)
        return x, torch.randn(batch, free, generator=source, dtype=torch.float64)

    return draw


def _takes(energy: Energy, draw: Draw) -> bool:
    """Whether it answers anything at all."""
    try:
        energy(*draw(3, generator()))
    except Exception:
        return False
    return True


def _fits(energy: Energy, draw: Draw) -> bool:
    try:
        value = energy(*draw(3, generator()))
    except Exception:
        return False
    return isinstance(value, Tensor) and value.shape == (3,) and bool(torch.isfinite(value).all())
