"""What a factored model learns from ticks: beside the joint state where that is the same, and by hand elsewhere."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Decision, EnergyAgent, Evidence, Purpose, Step, Tick, UserError, make, minimize, ticks
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.factored_learning import posterior
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mirror import Mirror

F64 = torch.float64
APART = {"A": [[0], [1], [1]], "B_actions": [[0], [1]]}
TOGETHER = {"A": [[0], [1, 0]], "B": [[0], [1, 0]], "B_actions": [[0], [1]]}


def start(seed: int) -> dict[str, Any]:
    """Counts of two factors that are seen and move by themselves."""
    draws = np.random.default_rng(seed)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "A": [(3, 2), (2, 3), (2, 3)],
        "B": [(2, 2, 2), (3, 3, 3)],
        "D": [(2,), (3,)],
    }
    counts = {name: [draws.uniform(0.3, 2, shape) for shape in each] for name, each in shapes.items()}
    return {**counts, "E": draws.uniform(1, 2, 6)}


def meeting(seed: int) -> dict[str, Any]:
    """Counts of two factors that act on each other."""
    draws = np.random.default_rng(seed)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "A": [(3, 2), (2, 3, 2)],
        "B": [(2, 2, 2), (3, 3, 2, 3)],
        "D": [(2,), (3,)],
    }
    return {name: [draws.uniform(0.3, 2, shape) for shape in each] for name, each in shapes.items()}


def tick(model: FactoredModel, seed: int, belief: Tensor, rows: int = 3, **changed: Any) -> Tick:
    draws = np.random.default_rng(seed)

    def one_hot(domain: Any) -> Tensor:
        vectors: Tensor = domain.one_hot(torch.from_numpy(draws.integers(0, domain.sizes, (rows, len(domain.sizes)))))
        return vectors

    seen, action, after = one_hot(model.outcome), one_hot(model.action), one_hot(model.outcome)
    flags, count = np.zeros(rows, bool), np.zeros(rows, np.int64)
    given = {"terminated": flags, "truncated": flags, "valid": ~flags, "t": np.arange(rows)}
    return Tick(
        obs=seen, action=action, next_obs=after, reward=np.zeros(rows), episode=count, native=Native(None, None, None),
        decision=Decision(action, belief=Categorical(belief)), **{**given, **changed},
    )  # fmt: skip


def products(model: FactoredModel, seed: int, rows: int = 3) -> Tensor:
    draws = np.random.default_rng(seed)
    return torch.from_numpy(np.concatenate([draws.dirichlet(np.ones(n), rows) for n in model.latent.sizes], -1))


def agree(one: FactoredModel, other: CategoricalModel) -> None:
    assert {*one.learned.parts} == {*other.learned.parts}
    for name in one.learned.parts:
        for own, joint in zip(one.learned.counts(name), other.learned.counts(name), strict=True):
            assert_close(own.alpha(), joint.alpha(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pairs", ["joint", "outer"])
@pytest.mark.parametrize("seed", range(3))
def test_factors_apart_count_as_the_joint_state(pairs: str, seed: int) -> None:
    learn = {"B": {"pairs": pairs, "rate": 0.7, "forgetting": 0.1}, "A": {"rate": [1.0, 0.5, 0.0]}, "D": {}, "E": {}}
    counts, over = start(seed), np.array([0.1, 0.4])  # the first factor alone ends episodes
    factored = FactoredModel(counts=counts, learn=learn, ends=over, dependencies=APART | {"ends": [0]})
    joint = CategoricalModel(counts=counts, learn=learn, ends=np.outer(over, np.ones(3)), dependencies=APART)
    belief = products(factored, seed)
    flags: dict[str, Any] = {"terminated": np.array([False, True, False]), "truncated": np.array([False, False, True])}
    own = tick(factored, seed, belief, valid=np.array([True, True, seed > 0]), **flags)
    factored.condition(own)
    own.decision.belief = Categorical(factored.latent.joint(belief))
    joint.condition(own)
    agree(factored, joint)
    means = [each.cpt.table[:, 0] for each in joint.learned.counts("D")]
    assert_close(factored.begin(1).mean[0], torch.cat(means))
    assert factored.log_habits is not None
    assert joint.log_habits is not None
    assert_close(factored.log_habits, joint.log_habits)
    assert factored.version == 1


def test_one_factor_counts_as_the_joint_state_its_ends_too() -> None:
    draws = np.random.default_rng(5)
    counts = {"A": [draws.uniform(1, 2, (3, 4))], "B": [draws.uniform(1, 2, (4, 4, 2))], "D": [draws.uniform(1, 2, 4)],
              "E": [1.0, 2.0], "ends": draws.uniform(1, 2, (2, 4))}  # fmt: skip
    models = FactoredModel(counts=counts), CategoricalModel(counts=counts)
    for number in range(4):
        over = np.array([number % 2 == 1, False, False])
        own = tick(models[0], number, products(models[0], number), terminated=over)
        for model in models:
            model.condition(own)
        agree(*models)
        survival = models[1].survival()
        assert survival is not None
        assert_close(models[0].going_on, survival)


@pytest.mark.parametrize("pairs", ["joint", "outer"])
def test_factors_that_meet_by_hand(pairs: str) -> None:
    counts = meeting(1)
    model = FactoredModel(counts=counts, dependencies=TOGETHER, learn={"B": {"pairs": pairs}})
    belief = products(model, 2, 1)
    own = tick(model, 3, belief, 1, truncated=np.ones(1, bool))
    moved = model.predict(Categorical(belief), own.action)
    evidence = Evidence(model, own.next_obs, moved)
    solution = minimize(evidence, Mirror(steps=200), evidence.start(None)).belief
    assert isinstance(solution, Categorical)
    after = solution.probs
    assert_close(posterior(model, moved.probs, own.next_obs), after, rtol=0, atol=1e-12)
    q, ahead = ([each[0] for each in model.latent.blocks(z)] for z in (belief, after))
    a, b = ([torch.from_numpy(each).clone() for each in counts[name]] for name in "AB")
    tables = [each / each.sum(0) for each in b]
    for seen, (first, second) in ((own.obs, q), (own.next_obs, ahead)):
        now = model.outcome.indices(seen)[0].tolist()
        a[0][now[0]] += first
        a[1][now[1]] += second[:, None] * first
    u, v = model.action.indices(own.action)[0].tolist()
    expected = [q[0] @ tables[0][:, :, u].T, torch.einsum("nij,i,j->n", tables[1][..., v], q[1], q[0])]
    if pairs == "outer":
        b[0][..., u] += ahead[0][:, None] * q[0]
        b[1][..., v] += ahead[1][:, None, None] * q[1][:, None] * q[0]
    else:
        b[0][..., u] += tables[0][..., u] * q[0] * (ahead[0] / expected[0])[:, None]
        b[1][..., v] += tables[1][..., v] * q[1][:, None] * q[0] * (ahead[1] / expected[1])[:, None, None]
    model.condition(own)
    for name, arrays in (("A", a), ("B", b)):
        for each, array in zip(model.learned.counts(name), arrays, strict=True):
            assert_close(each.alpha(), array.flatten(1), rtol=0, atol=1e-11)
    again = FactoredModel(counts={"A": a, "B": b, "D": counts["D"]}, dependencies=TOGETHER)
    assert_close(model.predict(solution, own.action).probs, again.predict(solution, own.action).probs)
    assert_close(model.emit(solution).probs, again.emit(solution).probs)


def step_of(model: FactoredModel, seed: int) -> tuple[Step, Step]:
    """A step under a product of beliefs, and the same on the joint state."""
    belief = products(model, seed, 2)
    action = model.action.one_hot(torch.tensor([[1, 2], [0, 1]]))
    after = model.predict(Categorical(belief, model.latent.sizes), action)
    joint = [Categorical(model.latent.joint(each)) for each in (belief, after.probs)]
    return Step(Categorical(belief, model.latent.sizes), action, after), Step(joint[0], action, joint[1])


@pytest.mark.parametrize("seed", range(3))
def test_information_is_that_of_the_joint_state(seed: int) -> None:
    parts: dict[str, Any] = {"counts": meeting(seed), "dependencies": TOGETHER}
    model, joint = FactoredModel(**parts), CategoricalModel(**parts)
    own, whole = step_of(model, seed)
    found = dict(model.parameter_gain([own]))
    assert found.keys() == {"parameter_gain", "latent_parameter_gain"}
    assert_close(found, dict(joint.parameter_gain([whole])), rtol=0, atol=1e-12)
    update = model.update_gain(own)
    assert all(bool((0 < update[name]).all()) and bool((update[name] < found[name]).all()) for name in found)


@pytest.mark.parametrize("pairs", ["joint", "outer"])
def test_the_own_update_of_factors_apart_is_that_of_the_joint_state(pairs: str) -> None:
    parts: dict[str, Any] = {"counts": {k: v for k, v in start(4).items() if k in "ABD"}, "dependencies": APART}
    parts["learn"] = {"B": {"pairs": pairs}}
    model, joint = FactoredModel(**parts), CategoricalModel(**parts)
    own, whole = step_of(model, 7)
    found, expected = model.update_gain(own), joint.update_gain(whole)
    assert found.keys() == expected.keys()
    for name in found:
        assert_close(found[name], expected[name], rtol=0, atol=1e-10)


def test_paths_whose_states_are_certain_and_others() -> None:
    counts = meeting(2)
    sure = [np.eye(2)[:, :, None] * np.ones(2), np.eye(3)[:, :, None, None] * np.ones((1, 1, 2, 3))]
    parts: dict[str, Any] = {"B": sure, "counts": {"A": counts["A"]}, "D": [[1.0, 0.0], [0.0, 1.0, 0.0]],
                             "dependencies": TOGETHER, "learn": ["B"]}  # fmt: skip
    model, joint = FactoredModel(**parts), CategoricalModel(**parts)
    action = model.action.one_hot(torch.tensor([[0, 1]]))
    steps = [Step(each.begin(1), action, each.begin(1)) for each in (model, joint)]
    assert_close(dict(model.parameter_gain([steps[0]] * 2)), dict(joint.parameter_gain([steps[1]] * 2)))
    own, _ = step_of(model, 1)
    with pytest.raises(UserError, match="needs plans whose states are certain: use SummedGain"):
        model.parameter_gain([own, own])


def test_an_agent_learns_on_the_way_and_plans_by_what_it_would_learn() -> None:
    maze = make("agentic_envs:agentic/TMaze-v0")
    model = FactoredModel.from_env(maze, learn={"A": {"strength": 5.0}, "B": {}, "ends": {}})
    for gain in (SummedGain("both"), SummedGain("both", "update")):
        goal = LogPreferences([[0.0] * n for n in model.outcome.sizes])
        agent = EnergyAgent(model, Purpose(goal, 1, gain), Mirror(), Enumerate(), learner=ConjugateLearner(model))
        before = model.version
        for each in ticks(agent, maze, steps=5):
            assert agent.learner is not None
            agent.learner.update(each)
        assert model.version == before + 5
    assert JointGain("weights") is not None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"learn": ["rewards"]}, "a factored model learns A, B, C, D, E, got 'rewards': that needs a joint state"),
        ({"A": None}, "a factored model expects A, or counts"),
    ],
)
def test_doors(given: dict[str, Any], sentence: str) -> None:
    arrays = {name: [each / each.sum(0) for each in start(0)[name]] for name in "ABD"}
    with pytest.raises(UserError, match=sentence):
        FactoredModel(**{**arrays, "dependencies": APART, **given})


def test_without_counts_or_beliefs_it_says_so() -> None:
    model = FactoredModel.example()
    with pytest.raises(UserError, match="a factored model learns from counts"):
        model.condition(tick(model, 0, products(model, 0)))
