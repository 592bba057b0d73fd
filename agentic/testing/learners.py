"""What is asked of learners: they change their model, say so in its version, and skip the steps that did not happen."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agentic.agent import Decision, Native, Tick
from agentic.learn import Learner
from agentic.model import Model
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.worlds import Ladder


def for_model(kind: Callable[..., Any]) -> Learner:
    """A learner of the kit's own conjugate model, where it takes a model."""
    learner: Learner = kind(Ladder()) if inspect.signature(kind).parameters else kind()
    return learner


def exercise(learner: Learner, source: torch.Generator) -> list[Tensor]:
    """One update; what it reports."""
    report = learner.update(_tick(_model(learner), [True, True]))
    return [torch.tensor([float(value) for value in report.values()], dtype=torch.float64)]


def reports_numbers(make: Make) -> None:
    """update returns a mapping from names to finite numbers."""
    learner = make()
    for name, value in learner.update(_tick(_model(learner), [True, True])).items():
        assert isinstance(name, str), f"a report is named by a word, got {name!r}"
        assert np.isfinite(float(value)), f"{name} is {value}"


def counts_its_changes(make: Make) -> None:
    """The model's version goes up with every update that changes it."""
    learner = make()
    model = _model(learner)
    before, version = _weights(model), model.version
    learner.update(_tick(model, [True, True]))
    changed = any(not torch.equal(old, new) for old, new in zip(before, _weights(model), strict=True))
    if not changed:
        raise NotApplicable("one tick changed no weight")
    assert model.version > version, "the weights changed and the version did not: add 1 to model.version"


def skips_steps_that_did_not_happen(make: Make) -> None:
    """Rows with `valid` False teach nothing."""
    learner = make()
    model = _model(learner)
    before = _weights(model)
    learner.update(_tick(model, [False, False]))
    for old, new in zip(before, _weights(model), strict=True):
        assert torch.equal(old, new), "it learned from rows whose step did not happen: look at tick.valid"


CHECKS: tuple[Run, ...] = (reports_numbers, counts_its_changes, skips_steps_that_did_not_happen)


def _model(learner: Learner) -> Model:
    model = getattr(learner, "model", None)
    if not isinstance(model, Model):
        raise NotApplicable("it has no attribute `model` to look at")
    return model


def _weights(model: Model) -> list[Tensor]:
    return [value.detach().clone() for value in model.state_dict().values()]


def _tick(model: Model, valid: list[bool]) -> Tick:
    belief, source = model.begin(2), torch.Generator().manual_seed(0)
    action, obs = model.action.draw(2, generator=source), model.outcome.draw(2, generator=source)
    flags, counts = np.zeros(2, bool), np.zeros(2, np.int64)
    return Tick(
        obs=obs,
        action=action,
        next_obs=model.outcome.draw(2, generator=source),
        reward=np.zeros(2),
        terminated=flags,
        truncated=flags,
        valid=np.array(valid),
        episode=counts,
        t=counts,
        decision=Decision(action, belief=belief),
        native=Native(None, None, None),
    )
