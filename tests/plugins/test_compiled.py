"""One cache of compiled code: what is compiled anew, and what is not."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import Box, Clamped, ExpectedEnergy, Purpose, Real
from agentic.testing.worlds import Costs, Distance, Ladder
from agentic_optimizers import compiled as module
from agentic_optimizers.compiled import compiled
from agentic_optimizers.proposals import Space

F64 = torch.float64


@dataclass(frozen=True)
class Solver:
    """A solver of one number."""

    rate: float = 0.1


def moved(solver: Solver, f: Any, z: Tensor, *more: Any) -> Tensor:
    return solver.rate * z


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """The functions that were compiled, of which none is."""
    asked: list[Callable[..., Any]] = []

    def kept(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        asked.append(function)
        return function

    monkeypatch.setattr(torch, "compile", kept)
    monkeypatch.setattr(module, "_kept", OrderedDict())
    return asked


def test_other_numbers_of_the_same_shape_are_no_reason(compilations: list[Any]) -> None:
    energy = Distance([0.0, 0.0], [1.0, 1.0])
    for seed in range(3):
        draws = torch.Generator().manual_seed(seed)
        x, z = (torch.randn(4, 2, generator=draws, dtype=F64) for _ in range(2))
        box = Box(-x[0].abs(), x[0].abs())
        assert torch.equal(compiled(moved, Solver(), Clamped(energy, x, Real((2,))), z, Space(box, 3), 5), 0.1 * z)
    assert len(compilations) == 1


def test_other_shapes_numbers_of_steps_solvers_and_modules_are(compilations: list[Any]) -> None:
    energy, z = Distance([0.0, 0.0], [1.0, 1.0]), torch.zeros(4, 2, dtype=F64)
    f = Clamped(energy, None, Real((2,)))
    compiled(moved, Solver(), f, z, 5)
    compiled(moved, Solver(), f, z[:3], 5)
    compiled(moved, Solver(), f, z.float(), 5)
    compiled(moved, Solver(), f, z, 6)
    compiled(moved, Solver(0.2), f, z, 5)
    compiled(moved, Solver(), Clamped(Distance([0.0, 0.0], [1.0, 1.0]), None, Real((2,))), z, 5)
    assert len(compilations) == 6
    assert len({id(each.__code__) for each in compilations}) == 6


def test_another_belief_is_none_and_another_purpose_is(compilations: list[Any]) -> None:
    model, z = Ladder(), torch.zeros(1, dtype=F64)
    goal = Costs([1.0, 0.6, 1.0, 0.0])
    f = ExpectedEnergy(model, model.begin(2), Purpose(goal, horizon=2))
    compiled(moved, Solver(), f, z)
    later = model.predict(f.belief, model.action.corners()[[0, 1]])
    later.entropy()
    compiled(moved, Solver(), f.at(later), z)
    assert len(compilations) == 1
    compiled(moved, Solver(), ExpectedEnergy(model, f.belief, Purpose(goal, horizon=3)), z)
    assert len(compilations) == 2


def test_the_least_recently_used_is_dropped(compilations: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    f = Clamped(Distance([0.0], [1.0]), None, Real((1,)))
    for rows in (1, 2, 1, 3, 1, 2):
        compiled(moved, Solver(), f, torch.zeros(rows, 1, dtype=F64))
    assert len(compilations) == 4
