"""What is asked of gains: numbers of imagined steps, row by row, under names that are no costs'.

A gain is tried on the kit's two models, the finite and the linear-Gaussian; one of them may be refused.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from agentic.errors import UserError
from agentic.models.model import Model, Step
from agentic.planning.expected_energy import COSTS
from agentic.planning.gain import Gain
from agentic.testing.common import assert_close, clones, generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.worlds import Cart, Ladder

ROWS = 3


class Imagined(NamedTuple):
    """One imagined step of a model, and the gains of it by name."""

    model: Model
    step: Step
    gains: dict[str, Tensor]


def imagine(make: Make, seed: int = 0, candidates: int | None = None, others: int = 0) -> Imagined:
    """A step in the first model that the gain takes, of so many `candidates` actions (k, b, *event) where they are.

    The action of the first row is drawn from `seed`, those of all `others` that many seeds further on.
    """
    refusal = NotApplicable("it takes no model of this kit")
    for kind in (Ladder, Cart):
        gain, model = make(), kind()
        assert isinstance(gain, Gain)
        belief = model.begin(ROWS)
        seeds = range(seed, seed + (candidates or 1))
        firsts = [model.action.draw(ROWS, generator=generator(each))[:1] for each in seeds]
        rest = [model.action.draw(ROWS, generator=generator(each + others))[1:] for each in seeds]
        drawn = [torch.cat(rows) for rows in zip(firsts, rest, strict=True)]
        action = torch.stack(drawn) if candidates else drawn[0]
        step = Step(belief, action, model.predict(belief, action))
        try:
            answer = gain.step(model, gain.start(model, belief), step, True)
        except UserError as reason:
            refusal = NotApplicable(f"it refuses: {reason}")
            continue
        assert isinstance(answer, tuple), f"step must return (memory, gains by name), got {type(answer).__name__}"
        assert len(answer) == 2, f"step must return (memory, gains by name), got {len(answer)} things"
        return Imagined(model, step, dict(answer[1]))
    raise refusal


def exercise(gain: Gain, source: torch.Generator) -> list[Tensor]:
    """The gains of one step."""
    try:
        return list(imagine(lambda: gain).gains.values())
    except NotApplicable:
        return []


def gains_are_one_number_per_row(make: Make) -> None:
    """`step` returns the memory and gains by name, each (b,) and finite."""
    for name, gain in imagine(make).gains.items():
        assert isinstance(gain, Tensor), f"the gain {name} must be a tensor, got {type(gain).__name__}"
        assert gain.shape == (ROWS,), f"the gain {name} of {ROWS} rows must be {(ROWS,)}, got {tuple(gain.shape)}"
        assert bool(torch.isfinite(gain).all()), f"the gain {name} is not finite: {gain.tolist()}"


def names_are_no_costs(make: Make) -> None:
    """No gain has the name of a cost, which would be added to the expected energy and not subtracted."""
    for name in imagine(make).gains:
        assert name not in COSTS, f"it calls a gain '{name}', the name of a cost: call it otherwise"


def candidates_broadcast(make: Make) -> None:
    """Two candidate actions at once gain what they gain one after the other."""
    both = imagine(make, candidates=2).gains
    for k in range(2):
        for name, alone in imagine(make, seed=k).gains.items():
            row = both[name][k] if both[name].dim() > 1 else both[name]  # what depends on no action has no such axis
            assert_close(row, alone, f"{name} of two candidate actions at once against one after the other")


def rows_do_not_mix(make: Make) -> None:
    """The gain of a row is the same whatever the other rows do."""
    alone = imagine(make).gains
    for seed in (1, 2, 3):
        for name, gain in imagine(make, others=seed).gains.items():
            assert_close(gain[0], alone[name][0], f"{name} of a row while the other rows do something else")


def imagining_changes_nothing(make: Make) -> None:
    """The beliefs and the action of a step stay as they were."""
    found = imagine(make)
    fresh = found.model.begin(ROWS)
    before = clones((found.step.action, found.model.predict(fresh, found.step.action).mean, fresh.mean))
    now = (found.step.action, found.step.after.mean, found.step.before.mean)
    for old, new in zip(before, now, strict=True):
        assert torch.equal(old, new), "it changed the step in place: work on a copy"


CHECKS: tuple[Run, ...] = (
    gains_are_one_number_per_row,
    names_are_no_costs,
    candidates_broadcast,
    rows_do_not_mix,
    imagining_changes_nothing,
)
BASIC = ("gains_are_one_number_per_row",)
