"""Checks of population energies: one number, whatever the order of the rows.

They need something to evaluate. An energy may say what: `example_inputs(batch, *, generator) -> z`, float64, batch
first. Otherwise rows of up to eight numbers are tried.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from agentic.engine.energy import PopulationEnergy
from agentic.testing.common import assert_close, generator
from agentic.testing.kit import Make, Run
from agentic.testing.offers import PopulationInputs

ROWS = 12


class Probe(NamedTuple):
    """A population energy in float64 and how to draw populations (n, *event)."""

    energy: PopulationEnergy
    draw: Callable[[int, torch.Generator], Tensor]

    def at(self, seed: int = 0) -> Tensor:
        return self.draw(ROWS, generator(seed))


def probe(energy: PopulationEnergy) -> Probe:
    """The probe of a population energy. Raises AssertionError where nothing to evaluate it at is known."""
    energy = energy.double()
    if isinstance(energy, PopulationInputs):
        offered: PopulationInputs = energy
        return Probe(energy, lambda batch, source: offered.example_inputs(batch, generator=source))
    for size in range(8, 0, -1):
        tried = Probe(energy, _vectors(size))
        if _fits(tried):
            return tried
    raise AssertionError(
        "no rows of up to eight numbers were found that it takes: give it a method "
        "example_inputs(batch, *, generator) that returns z, float64, batch first"
    )


def exercise(energy: PopulationEnergy, source: torch.Generator) -> list[Tensor]:
    """One evaluation, with gradient, of one that was renewed."""
    tried = probe(energy)
    tried.energy.renew(generator=source)
    z = tried.draw(ROWS, source).requires_grad_()
    value = tried.energy(z)
    return [value.detach(), torch.autograd.grad(value, z)[0]]


def one_number(tried: Probe) -> None:
    """The energy of (n, *event) is a scalar."""
    value = tried.energy(tried.at())
    assert isinstance(value, Tensor), f"forward returned {type(value).__name__}: expected a tensor"
    assert value.shape == (), f"a population must give one number, got shape {tuple(value.shape)}"


def finite(tried: Probe) -> None:
    """Random populations, and rows that are all alike, have finite energies and gradients."""
    for z in (tried.at(0), tried.at(1), tried.at(2)[:1].expand(ROWS, *[-1] * (tried.at().dim() - 1)).clone()):
        free = z.requires_grad_()
        value = tried.energy(free)
        slope = torch.autograd.grad(value, free)[0]
        assert bool(torch.isfinite(value)), f"the energy of a population must be finite, got {float(value.detach())}"
        assert bool(torch.isfinite(slope).all()), "its gradient must be finite, also where all rows are alike"


def order_of_rows_has_no_meaning(tried: Probe) -> None:
    """The energy does not depend on the order of the rows."""
    z = tried.at()
    order = torch.randperm(ROWS, generator=generator(1))
    assert_close(tried.energy(z[order]), tried.energy(z), "rows in another order")


def gradcheck(tried: Probe) -> None:
    """Autograd equals finite differences in float64."""
    z = tried.at().requires_grad_()
    assert tried.energy(z).requires_grad, "forward is not differentiable in z: learning needs its gradient"
    torch.autograd.gradcheck(tried.energy, (z,), raise_exception=True)


def inputs_untouched(tried: Probe) -> None:
    """The inputs stay as they were."""
    z = tried.at()
    before = z.clone()
    tried.energy(z)
    assert torch.equal(before, z), "it changed its input in place: work on a copy"
    assert not z.requires_grad, "it left requires_grad set on its input: work on a detached copy"


def dtype_kept(tried: Probe) -> None:
    """A module of one floating type, fed that type, answers in it."""
    z = tried.at()
    for dtype in (torch.float32, torch.float64):
        got = tried.energy.to(dtype)(z.to(dtype)).dtype
        assert got == dtype, f"fed {dtype}, as module.to({dtype}), it answers in {got}"


def _runs() -> Iterator[Run]:
    for check in (one_number, finite, order_of_rows_has_no_meaning, gradcheck, inputs_untouched, dtype_kept):

        def run(make: Make, check: Callable[[Probe], None] = check) -> None:
            check(probe(make()))

        run.__name__ = check.__name__
        yield run


CHECKS: tuple[Run, ...] = tuple(_runs())


def _vectors(size: int) -> Callable[[int, torch.Generator], Tensor]:
    return lambda batch, source: torch.randn(batch, size, generator=source, dtype=torch.float64)


def _fits(tried: Probe) -> bool:
    try:
        value = tried.energy(tried.at())
    except Exception:
        return False
    return isinstance(value, Tensor) and bool(torch.isfinite(value).all())
