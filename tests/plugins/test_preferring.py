"""Preferences learned by counting what is observed: by hand, in plans, in both discrete models, from a file."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import (
    Categorical,
    Decision,
    EnergyAgent,
    ExpectedEnergy,
    Experiment,
    Purpose,
    Step,
    Tick,
    UserError,
    load,
    make,
    minimize,
    ticks,
)
from agentic.experiments.build import build
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.goals import LogPreferences
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.preferring import LearnedPreferences, log_preferences
from agentic_envs.pomdp import Pomdp
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.episode_learner import EpisodeLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.value_iteration import ValueIteration

F64 = torch.float64
ARRAYS: dict[str, Any] = {
    "A": [[[0.8, 0.3], [0.2, 0.7]], [[0.5, 0.1], [0.3, 0.1], [0.2, 0.8]]],
    "B": [[[[0.9, 0.5], [0.4, 0.1]], [[0.1, 0.5], [0.6, 0.9]]]],
    "D": [[0.6, 0.4]],
}
KINDS = pytest.mark.parametrize("kind", [CategoricalModel, FactoredModel])
Kind = type[CategoricalModel | FactoredModel]


def tick(model: CategoricalModel | FactoredModel, now: list[list[int]], then: list[list[int]], **changed: Any) -> Tick:
    """A step of rows that observe `now` and `then`, one level for each modality."""
    obs, after = (model.outcome.one_hot(torch.tensor(each), F64) for each in (now, then))
    rows, action = len(now), model.action.corners(F64)[:1].expand(len(now), -1)
    flags, numbers = np.zeros(rows, bool), np.ones(rows, np.int64)
    given = {"terminated": flags, "truncated": flags, "valid": ~flags, "t": numbers, "decision": Decision(action)}
    return Tick(obs=obs, action=action, next_obs=after, reward=np.zeros(rows), episode=numbers,
                native=Native(None, None, None), **{**given, **changed})  # fmt: skip


def counted(model: CategoricalModel | FactoredModel) -> list[list[float]]:
    counts = model.outcome_counts()
    assert counts is not None
    return [each.tolist() for each in counts]


@KINDS
class TestCounts:
    def test_what_was_observed_is_counted_whoever_acted(self, kind: Kind) -> None:
        """One count for each level, one more for each look; what an episode shows last is seen by no later tick."""
        model = kind(**ARRAYS, learn=["C"])
        over = {"truncated": np.array([False, True, False]), "valid": np.array([True, True, False])}
        assert counted(model) == [[1, 1], [1, 1, 1]]
        assert (
            ConjugateLearner(model).update(tick(model, [[0, 2], [1, 2], [1, 0]], [[0, 0], [0, 1], [1, 1]], **over))
            == {}
        )
        assert counted(model) == [[3, 2], [1, 2, 3]]
        assert model.version == 1

    def test_rate_forgetting_and_prior_of_each_modality(self, kind: Kind) -> None:
        learn = {"C": {"rate": [0.5, 2.0], "forgetting": [0.0, 0.2]}}
        model = kind(**ARRAYS, counts={"C": [[0.0, 2.0], [1.0, 1.0, 3.0]]}, learn=learn)
        for _ in range(2):
            model.condition(tick(model, [[1, 0]], [[0, 0]]))
        assert counted(model) == [[0, 3], [pytest.approx(1 + 2 * 0.8 + 2), 1, 3]]
        assert counted(kind(**ARRAYS, learn={"C": {"strength": 6.0}})) == [[3, 3], [2, 2, 2]]

    def test_what_is_missing_is_not_counted(self, kind: Kind) -> None:
        model = kind(**ARRAYS, learn=["C"])
        step = tick(model, [[0, 2]], [[0, 0]])
        step.obs[0, :2] = torch.nan
        model.condition(step)
        assert counted(model) == [[1, 1], [1, 1, 2]]

    def test_hindsight_counts_when_the_episode_is_over(self, kind: Kind) -> None:
        model = kind(**ARRAYS, learn=["C"])
        learner = EpisodeLearner(model)
        learner.update(tick(model, [[0, 2]], [[0, 1]], t=np.zeros(1, np.int64)))
        assert model.version == 0
        learner.update(tick(model, [[0, 1]], [[1, 1]], terminated=np.ones(1, bool)))
        assert counted(model) == [[3, 2], [1, 3, 2]]

    def test_they_are_saved_copied_and_made_single(self, kind: Kind) -> None:
        model, other = (kind(**ARRAYS, learn=["A", "C"]) for _ in range(2))
        copy = deepcopy(model)
        model.condition(
            tick(model, [[0, 2]], [[0, 0]], decision=Decision(model.action.corners(F64)[:1], belief=model.begin(1)))
        )
        assert counted(copy) == counted(other) == [[1, 1], [1, 1, 1]]
        other.load_state_dict(model.state_dict())
        assert counted(other) == counted(model) == [[2, 1], [1, 1, 2]]
        step = step_of(model)
        assert_close(LearnedPreferences().expected(model.float(), step_of(model, torch.float32)).double(),
                     LearnedPreferences().expected(other, step), atol=1e-6, rtol=0)  # fmt: skip

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"counts": {"C": [[1.0, 1.0]]}}, r"counts.C expects a list for each modality, of \(2, 3\) levels"),
            ({"counts": {"C": [[1.0, 1.0], [0.0, 0.0, 0.0]]}}, r"counts.C\[1\] must .* be positive somewhere"),
            (
                {"learn": {"C": {"prune": 3.0}}},
                "learn.C.prune: what an agent has not done or seen yet is not impossible",
            ),
        ],
    )
    def test_doors(self, kind: Kind, given: dict[str, Any], sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            kind(**ARRAYS, **given)


def step_of(model: CategoricalModel | FactoredModel, dtype: torch.dtype = F64) -> Step:
    belief, action = Categorical(torch.tensor([[0.6, 0.4]], dtype=dtype)), torch.tensor([[0.0, 1.0]], dtype=dtype)
    return Step(belief, action, model.predict(belief, action))


@KINDS
class TestGoal:
    def test_by_hand(self, kind: Kind) -> None:
        """E[ln p] of counts 3 and 1 is 1 + 1/2 apart, of 2 and 1 is 1 apart: harmonic numbers."""
        model, goal = kind(**ARRAYS, counts={"C": [[3.0, 1.0], [1.0, 2.0, 1.0]]}), LearnedPreferences()
        liked = [np.log([np.exp(1.5), 1.0]) - np.log(np.exp(1.5) + 1), np.array([0, 1.0, 0]) - np.log(np.e + 2)]
        assert_close(log_preferences(model), torch.tensor(np.concatenate(liked)))
        step = step_of(model)
        seen = model.emit(step.after).mean[0].numpy()
        assert float(goal.expected(model, step)) == pytest.approx(-seen[:2] @ liked[0] - seen[2:] @ liked[1])
        assert goal.outcome_entropy(model, step) == model.emit(step.after).entropy()
        risk = ExpectedEnergy(model, step.before, Purpose(goal)).split(step)["risk"]
        assert float(risk) == pytest.approx(float((seen * (np.log(seen) - np.concatenate(liked))).sum()))  # a KL

    def test_a_level_without_counts_is_forbidden(self, kind: Kind) -> None:
        start = {"C": [[3.0, 0.0], [1.0, 2.0, 1.0]]}
        model = kind(**ARRAYS, counts=start)
        assert LearnedPreferences().expected(model, step_of(model)).isposinf().all()
        model = kind(**{**ARRAYS, "A": [[[1.0, 1.0], [0.0, 0.0]], ARRAYS["A"][1]]}, counts=start)
        assert LearnedPreferences().expected(model, step_of(model)).isfinite().all()

    def test_plans_are_those_of_the_same_preferences_given_and_follow_what_is_learned(self, kind: Kind) -> None:
        model, belief = (
            kind(**ARRAYS, learn={"C": {"strength": 3.0}}),
            Categorical(torch.tensor([[0.6, 0.4]], dtype=F64)),
        )
        found = []
        for levels in ([0, 2], [0, 0], [1, 1]):
            for _ in range(4):
                model.condition(tick(model, [levels], [levels]))
            given = LogPreferences(log_preferences(model).split(model.outcome.sizes))
            energies = []
            for goal in (LearnedPreferences(), given):
                plan = minimize(ExpectedEnergy(model, belief, Purpose(goal, 3)), Enumerate()).belief
                energies.append(plan.candidates(8).terms["pragmatic"])  # type: ignore[attr-defined]
            assert_close(*energies)
            found.append(energies[0])
        assert not torch.equal(found[0], found[1])


@KINDS
def test_counts_of_preferences_go_with_what_is_known_of_a_world(kind: Kind) -> None:
    maze = make("agentic_envs:agentic/TMaze-v0")
    sizes = kind.from_env(maze).outcome.sizes
    model = kind.from_env(maze, counts={"C": [np.arange(1, size + 1) for size in sizes], "E": [1, 2, 3, 4]})
    assert_close(model.begin(1).mean, kind.from_env(maze).begin(1).mean)
    assert counted(model)[0] == list(range(1, sizes[0] + 1))
    assert counted(model.for_env(maze)) == counted(model)  # in a world that is announced it likes what it did


@KINDS
def test_an_announced_world_is_followed(kind: Kind) -> None:
    worlds = [make(Pomdp(**{**ARRAYS, "A": ARRAYS["A"][:1], "D": [start]})) for start in ([0.6, 0.4], [0.1, 0.9])]
    model, there = (kind.from_env(env) for env in worlds)
    assert_close(model.for_env(worlds[1]).begin(1).mean, there.begin(1).mean)
    assert model.for_env(worlds[1]).log_habits is None


def test_values_of_an_observed_world_follow_what_is_learned() -> None:
    """What is learned in one state changes what all are worth, which plans that are kept must not miss."""
    lake = make("FrozenLake-v1")
    model = CategoricalModel.empty(lake, learn=["B", "C"])
    purpose, belief = Purpose(LearnedPreferences(), discount=0.9), Categorical(torch.eye(16, dtype=F64)[[3]])
    plan = None
    for level in (3, 7):
        step = tick(model, [[level]], [[3]], decision=Decision(torch.eye(4, dtype=F64)[[1]], belief=belief))
        model.condition(step)
        plan = minimize(ExpectedEnergy(model, belief, purpose), ValueIteration(), plan).belief
        fresh = minimize(ExpectedEnergy(deepcopy(model), belief, purpose), ValueIteration()).belief
        assert_close(plan.parts, fresh.parts)  # type: ignore[attr-defined]


def test_a_zero_is_forbidden_whatever_its_sign() -> None:
    forbidden = log_preferences(CategoricalModel(**{**ARRAYS, "counts": {"C": [[-0.0, 1.0], [1.0, 1.0, 1.0]]}}))
    assert_close(forbidden.exp(), torch.tensor([0, 1, 1 / 3, 1 / 3, 1 / 3], dtype=torch.float64))


def test_a_model_without_preferences_says_so() -> None:
    for model in (CategoricalModel(**ARRAYS), LinearGaussian.example()):
        with pytest.raises(UserError, match=rf"a model that learns preferences, got {type(model).__name__}: use"):
            log_preferences(model)


def test_an_agent_comes_to_like_what_it_has_seen() -> None:
    """Two rooms, and an action for each: what it likes a little it seeks, and so comes to like it much."""
    rooms = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    world = make(Pomdp(A=[np.eye(2)], B=[rooms], D=[[0.0, 1.0]], steps=10))
    model = CategoricalModel.from_env(world, counts={"C": [[1.0, 2.0]]})
    agent = EnergyAgent(model, Purpose(LearnedPreferences()), Exact(), Enumerate(), learner=ConjugateLearner(model))
    actions = []
    for each in ticks(agent, world, steps=10):
        assert agent.learner is not None
        agent.learner.update(each)
        actions.append(int(each.action.argmax()))
    assert actions == [1] * 10
    assert counted(model) == [[1, 2 + 10 + 1]]


FILE = """
[env]
id = "agentic_envs:agentic/TMaze-v0"

[agent]
name = "energy"

[model]
name = "{name}"
learn = {{ C = {{ rate = 0.5, forgetting = 0.01 }}, A = {{ strength = 9.0, prune = 1.0, every = 2 }} }}

[goal]
name = "learned_preferences"

[inference]
name = "exact"

[planner]
name = "enumerate"
horizon = 2
gain = {{ name = "summed" }}

[learner]
name = "{learner}"

[learn]
steps = 20

[evaluate]
episodes = 2
"""


@pytest.mark.parametrize(("name", "learner"), [("categorical", "conjugate"), ("factored", "hindsight")])
def test_a_file_names_it(tmp_path: Path, name: str, learner: str) -> None:
    path = tmp_path / "preferring.toml"
    path.write_text(FILE.format(name=name, learner=learner))
    built = build(Experiment.load(path), load())
    agent = built.agent
    assert isinstance(agent, EnergyAgent)
    assert isinstance(agent.purpose.goal, LearnedPreferences)
    assert isinstance(agent.model, CategoricalModel | FactoredModel)
    before = counted(agent.model)
    assert len(built.run().returns()) == 2
    assert all(sum(now) > sum(then) for now, then in zip(counted(agent.model), before, strict=True))
    assert bool((agent.model.learned.counts("A")[0].prior() == 0).any())
