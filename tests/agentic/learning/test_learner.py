"""The contracts of learning: what a learner is told, and what a model that learns offers it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from agentic import Decision, Learner, Replay, Tick
from agentic.testing.trolley import Trolley
from agentic.testing.worlds import Ladder
from agentic.tick import Native
from tests.agentic.standins import Absorbing

F64 = torch.float64


def tick(rows: int, events: int, actions: int, valid: Any) -> Tick:
    draws = torch.Generator().manual_seed(rows)
    obs, action, after = (torch.randn(rows, n, generator=draws, dtype=F64) for n in (events, actions, events))
    flags, count = np.zeros(rows, bool), np.zeros(rows, np.int64)
    native, good = Native(obs.numpy(), action.numpy(), after.numpy()), np.asarray(valid)
    return Tick(obs, action, after, np.zeros(rows), flags, flags, good, count, count, Decision(action), native)


def test_a_learner_need_not_care_where_a_run_starts() -> None:
    class Idle(Learner):
        """Learns nothing."""

        def update(self, tick: Tick) -> Mapping[str, float]:
            return {}

    draws = torch.Generator().manual_seed(3)
    before = draws.get_state()
    Idle().start(generator=draws)
    assert torch.equal(draws.get_state(), before)


def test_a_model_that_absorbs_counts_its_versions() -> None:
    model = Ladder()
    learner = Absorbing(model)
    assert learner.update(tick(3, 4, 2, [True, True, False])) == {"seen": 2.0}
    assert learner.update(tick(2, 4, 2, [False, False])) == {"seen": 0.0}
    assert model.version == 2
    assert Ladder().version == 0, "each model counts its own"


def test_a_trainable_model_says_what_its_experience_amounts_to_and_what_is_lowered() -> None:
    model, replay = Trolley(), Replay(100)
    lived = tick(3, 2, 1, [True, False, True])
    replay.add(lived)
    obs, action, after = model.dataset(replay, generator=torch.Generator())
    assert len(obs) == len(action) == len(after) == 2
    model.initialize(generator=torch.Generator().manual_seed(0))
    first = model.transition.A.detach().clone()
    model.initialize(generator=torch.Generator().manual_seed(0))
    assert torch.equal(model.transition.A, first)
    loss, parts = model.loss(model, (obs, action, after), generator=None)
    assert loss.shape == ()
    assert loss.requires_grad
    assert set(parts) == {"surprise"}
