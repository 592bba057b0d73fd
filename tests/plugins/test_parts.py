"""Bayesian model reduction on the way: when it is due, what it says, what the model then is, and what it is worth."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError, make
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.lessons import Lesson
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.episode_learner import EpisodeLearner
from tests.plugins.test_episode_learner import episode
from tests.plugins.test_learned import one_hot, tick

F64 = torch.float64
EYE = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
CYCLE = np.roll(np.eye(3), 1, axis=0)[:, :, None]  # each of three states leads to the next
KINDS = pytest.mark.parametrize("kind", [CategoricalModel, FactoredModel])


def walk(model: Any, steps: int) -> list[dict[str, float]]:
    """What a learner reports from a walk around three states that are seen."""
    learner, found = ConjugateLearner(model), []
    for t in range(steps):
        now, then = one_hot(t % 3, 3), one_hot((t + 1) % 3, 3)
        found.append(dict(learner.update(tick(now, one_hot(0, 1), then, now))))
    return found


@KINDS
class TestWhenItIsDue:
    def test_every_so_many_ticks_values_never_met_become_impossible(self, kind: Any) -> None:
        """Of ones, two values missed in four visits: ln((2 + 4) / 2) = ln 3 = 1.099 nats; in three ln 2.5 = .916."""
        model = kind(EYE_A, B=[np.full((3, 3, 1), 1 / 3)], D=[[1.0, 0.0, 0.0]],
                     learn={"B": {"strength": 3.0, "prune": 1.0, "every": 3}})  # fmt: skip
        reports = walk(model, 12)
        assert [report.get("pruned") for report in reports] == [
            None,
            None,
            0,
            None,
            None,
            0,
            None,
            None,
            0,
            None,
            None,
            6,
        ]
        assert_close(moves(model), torch.from_numpy(CYCLE))
        walk(model, 1)
        assert_close(moves(model), torch.from_numpy(CYCLE))

    def test_without_a_threshold_nothing_is_said(self, kind: Any) -> None:
        model = kind(EYE_A, B=[np.full((3, 3, 1), 1 / 3)], D=[[1.0, 0.0, 0.0]], learn={"B": {"strength": 3.0}})
        assert walk(model, 12) == [{}] * 12
        assert bool((moves(model) > 0).all())

    def test_after_an_episode(self, kind: Any) -> None:
        """Two rows' episodes end at once: what both prune is added up."""
        model = kind(counts={"A": [np.ones((3, 3))]}, B=[CYCLE], D=[[1.0, 0.0, 0.0]],
                     learn={"A": {"prune": 1.0}})  # fmt: skip
        learner = EpisodeLearner(model)
        seen = np.stack([np.arange(7) % 3] * 2, 1)[:, :, None]
        reports = [learner.update(each) for each in episode(model, seen, np.zeros((6, 2, 1), int))]
        assert reports[:-1] == [{}] * 5
        assert reports[-1]["pruned"] == 6
        assert_close(model.observation.cpts[0].table, torch.tensor(EYE, dtype=F64))


EYE_A = [EYE]


def moves(model: CategoricalModel | FactoredModel) -> Tensor:
    cpt = model.transition.cpt if isinstance(model, CategoricalModel) else model.transition.cpts()[0]
    return cpt.table.view(3, 3, 1)


def test_an_empty_model_is_pruned_and_its_plans_made_anew() -> None:
    lake = make("FrozenLake-v1")
    model = CategoricalModel.empty(lake, learn={"B": {"strength": 16.0, "prune": 1.0, "every": 60}, "ends": {}})
    for t in range(60):
        step = tick(one_hot(3, 16), one_hot(1, 4), one_hot(7 if t % 2 else 3, 16), one_hot(3, 16))
        report = ConjugateLearner(model).update(step)
        assert (model.changed(t) is None) == (t == 59)  # what is pruned may lie anywhere
    assert report == {"pruned": 14.0}
    expected = torch.zeros(16, dtype=F64)
    expected[[3, 7]] = 0.5
    assert_close(model.dynamics()[:, 3, 1], expected)
    assert_close(model.dynamics()[:, 3, 0], torch.full((16,), 1 / 16, dtype=F64))  # of which nothing is known


@pytest.mark.parametrize(
    "wrong",
    [{"prune": 0.0}, {"prune": -1.0}, {"prune": float("nan")}, {"every": 0}, {"every": 1.5}, {"negligible": -1.0}],
)
def test_doors(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="model reduction expects prune > 0 nats, a whole number every >= 1"):
        Lesson(**wrong)


@pytest.mark.parametrize("name", ["E", "rewards"])
def test_what_an_agent_has_not_done_is_not_impossible(name: str) -> None:
    with pytest.raises(UserError, match=f"learn.{name}.prune: .* leave it out: A, B, D, ends can be pruned"):
        CategoricalModel(EYE_A, [CYCLE], [[1.0, 0.0, 0.0]], learn={name: {"prune": 3.0}})


@pytest.mark.slow
def test_a_pruned_model_is_nearer_to_the_truth() -> None:
    """Eight places in a ring that look like their neighbors now and then; what they look like is learned.

    40 of the 64 probabilities are zero. In hindsight, 60 episodes of 30 steps, pruned every tenth at 3 nats.
    """
    ring = [np.roll(np.eye(8), turn, 0) for turn in (1, -1)]
    look, move = 0.8 * np.eye(8) + 0.1 * sum(ring), np.stack([0.9 * each + 0.1 * np.eye(8) for each in ring], -1)
    nearer = []
    for seed in range(10):
        draws, counts = np.random.default_rng(seed), {"A": [np.ones((8, 8)) + 2 * np.eye(8)]}
        plain, pruned = (
            CategoricalModel(B=[move], D=[np.eye(8)[0]], counts=counts, learn={"A": options})
            for options in ({}, {"prune": 3.0, "every": 10})
        )
        learners = [EpisodeLearner(model) for model in (plain, pruned)]
        for number in range(60):
            for each in wander(plain, draws, look, move, number):
                for learner in learners:
                    learner.update(each)
        missed = (torch.from_numpy(look) > 0) & (pruned.likelihood() == 0)
        assert not bool(missed.any())
        assert int((pruned.likelihood() == 0).sum()) > 20
        nearer.append(distance(look, plain) / distance(look, pruned))
    assert min(nearer) > 1.4
    assert np.mean(nearer) > 1.9


def wander(model: CategoricalModel, draws: np.random.Generator, look: Any, move: Any, number: int) -> Any:
    state, seen, taken = 0, [], draws.integers(2, size=30)
    for t in range(31):
        seen.append(draws.choice(8, p=look[:, state]))
        state = draws.choice(8, p=move[:, state, taken[t]]) if t < 30 else state
    return episode(model, np.array(seen)[:, None, None], taken[:, None, None], number=number)


def distance(look: Any, model: CategoricalModel) -> float:
    """KL(truth || learned) in nats, the mean over states."""
    truth = torch.from_numpy(look)
    return float((torch.special.xlogy(truth, truth) - truth * model.likelihood().clamp(min=1e-16).log()).sum(0).mean())
