"""What is asked of learners: they change their model, say so in its version, and skip the steps that did not happen.

A learner may wait for some experience before it does anything: it is given up to `PATIENCE` ticks.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agentic.errors import UserError
from agentic.learning.learner import Learner
from agentic.models.model import Model
from agentic.testing.common import generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.trolley import Trolley
from agentic.testing.worlds import Ladder
from agentic.tick import Decision, Native, Tick

PATIENCE = 60  # ticks of two steps each


def for_model(kind: Callable[..., Any]) -> Learner:
    """A learner of one of the kit's own models, where it takes one: the conjugate, else that learned by gradient."""
    if not inspect.signature(kind).parameters:
        return _learner(kind())
    try:
        return _learner(kind(Ladder()))
    except UserError:
        return _learner(kind(Trolley()))


def exercise(learner: Learner, source: torch.Generator) -> list[Tensor]:
    """Ticks until one is reported on; what is reported."""
    learner.start(generator=source)
    report: Mapping[str, float] = {}
    for tick in _ticks(_model(learner), [True, True]):
        report = learner.update(tick)
        if report:
            break
    return [torch.tensor([float(value) for value in report.values()], dtype=torch.float64)]


def reports_numbers(make: Make) -> None:
    """update returns a mapping from names to finite numbers."""
    learner = make()
    for report in _lessons(learner, [True, True]):
        for name, value in report.items():
            assert isinstance(name, str), f"a report is named by a word, got {name!r}"
            assert np.isfinite(float(value)), f"{name} is {value}"
        if report:
            return


def counts_its_changes(make: Make) -> None:
    """The model's version goes up with every update that changes it."""
    learner = make()
    model = _model(learner)
    for before, version, _ in _watched(learner, [True, True]):
        if any(not torch.equal(old, new) for old, new in zip(before, _weights(model), strict=True)):
            assert model.version > version, "the weights changed and the version did not: add 1 to model.version"
            return
    raise NotApplicable(f"{PATIENCE} ticks changed no weight")


def skips_steps_that_did_not_happen(make: Make) -> None:
    """Rows with `valid` False teach nothing."""
    learner = make()
    model = _model(learner)
    for before, _, _ in _watched(learner, [False, False]):
        for old, new in zip(before, _weights(model), strict=True):
            assert torch.equal(old, new), "it learned from rows whose step did not happen: look at tick.valid"


def starts_from_what_was_loaded(make: Make) -> None:
    """A run begins with the weights that the model has read: only those of a fresh model are drawn."""
    learner = make()
    model = _model(learner)
    model.load_state_dict(model.state_dict())
    loaded = _weights(model)
    learner.start(generator=generator())
    for old, new in zip(loaded, _weights(model), strict=True):
        assert torch.equal(old, new), "it drew weights afresh that were loaded: do so only while model.version is 0"


CHECKS: tuple[Run, ...] = (
    reports_numbers,
    counts_its_changes,
    skips_steps_that_did_not_happen,
    starts_from_what_was_loaded,
)


def _learner(made: Any) -> Learner:
    assert isinstance(made, Learner)
    return made


def _model(learner: Learner) -> Model:
    model = getattr(learner, "model", None)
    if not isinstance(model, Model):
        raise NotApplicable("it has no attribute `model` to look at")
    return model


def _weights(model: Model) -> list[Tensor]:
    return [value.detach().clone() for value in model.state_dict().values()]


def _lessons(learner: Learner, valid: list[bool]) -> Iterator[Mapping[str, float]]:
    """What it reports, tick by tick, once started."""
    return (report for _, _, report in _watched(learner, valid))


def _watched(learner: Learner, valid: list[bool]) -> Iterator[tuple[list[Tensor], int, Mapping[str, float]]]:
    """The weights and the version before each of some ticks, and the report, once started."""
    model = _model(learner)
    learner.start(generator=generator())
    for tick in _ticks(model, valid):
        before, version = _weights(model), model.version
        yield before, version, learner.update(tick)


def _ticks(model: Model, valid: list[bool]) -> Iterator[Tick]:
    """Steps at random places of two episodes."""
    belief, source = model.begin(2), generator()
    obs, nothing = model.outcome.draw(2, generator=source), np.zeros(2, bool)
    for t in range(PATIENCE):
        action, after = model.action.draw(2, generator=source), model.outcome.draw(2, generator=source)
        yield Tick(
            obs=obs,
            action=action,
            next_obs=after,
            reward=np.zeros(2),
            terminated=nothing,
            truncated=np.full(2, t == PATIENCE - 1),
            valid=np.array(valid),
            episode=np.zeros(2, np.int64),
            t=np.full(2, t),
            decision=Decision(action, belief=belief),
            native=Native(None, None, None),
        )
        obs = after
