"""Counts learned beside pymdp 1.0.4 in float64: 30 random models, a tick each, and its two learning notebooks.

The notebooks' worlds, arrays and counts are pymdp's own; what is done in them is drawn, so that all of it is compared.
"""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Decision, Evidence, Tick, minimize
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_optimizers.episode_learner import EpisodeLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from tests.third_parties.pymdp_worlds import World, drawn, env

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64


@pytest.fixture(scope="module")
def learning() -> Any:
    """Its updates, in float64."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield pytest.importorskip("pymdp.learning")


@pytest.mark.parametrize("seed", range(30))
def test_counts_are_pymdps(learning: Any, seed: int) -> None:
    draws = np.random.default_rng(seed)
    states, outcomes, actions = (int(each) for each in draws.integers(2, 6, 3))
    counts = {
        "A": [draws.uniform(0.2, 3, (outcomes, states)), draws.uniform(0.2, 3, (2, states))],
        "B": [draws.uniform(0.2, 3, (states, states, actions))],
    }
    rate = float(draws.uniform(0.1, 1))
    learn = {"A": {"rate": rate}, "B": {"rate": rate, "pairs": "outer"}}
    model = CategoricalModel(D=[draws.dirichlet(np.ones(states))], counts=counts, learn=learn)
    arrays = {name: [each / each.sum(0) for each in start] for name, start in counts.items()}
    now, then = ([int(draws.integers(outcomes)), int(draws.integers(2))] for _ in range(2))
    action = int(draws.integers(actions))
    seen, after = (model.outcome.one_hot(torch.tensor([each]), F64) for each in (now, then))
    before = posterior(model, seen, model.begin(1))
    taken = torch.eye(actions, dtype=F64)[[action]]
    following = posterior(model, after, model.predict(before, taken))

    def batched(q: Categorical) -> Any:
        return np.asarray(q.mean)[:1]

    theirs_A, means_A = learning.update_obs_likelihood_dirichlet(
        counts["A"], arrays["A"], [np.array([o]) for o in now], [batched(before)],
        A_dependencies=[[0], [0]], categorical_obs=False, num_obs=[outcomes, 2], lr=rate,
    )  # fmt: skip
    theirs_B, means_B = learning.update_state_transition_dirichlet(
        counts["B"], arrays["B"], [[batched(following), batched(before)]], np.array([[action]]),
        num_controls=[actions], lr=rate,
    )  # fmt: skip
    flags, zero = np.zeros(1, bool), np.zeros(1, np.int64)
    model.condition(
        Tick(seen, taken, after, np.zeros(1), flags, flags, ~flags, zero, zero, Decision(taken, belief=before),
             Native(None, None, None))
    )  # fmt: skip
    for number, (own, mean) in enumerate(zip(theirs_A, means_A, strict=True)):
        assert_close(model.learned.counts("A")[number].alpha(), torch.tensor(np.array(own)), atol=1e-6, rtol=0)
        assert_close(model.observation.tables[number], torch.tensor(np.array(mean)), atol=1e-6, rtol=0)
    assert_close(
        model.learned.counts("B")[0].alpha(), torch.tensor(np.array(theirs_B[0])).flatten(1), atol=1e-6, rtol=0
    )
    assert_close(model.dynamics(), torch.tensor(np.array(means_B[0])), atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_preferences_are_counted_as_a_likelihood_that_looks_at_nothing(learning: Any, seed: int) -> None:
    """pymdp 1.0.4 has a flag `learn_C` that nothing reads, but counts observations for its A."""
    draws = np.random.default_rng(seed)
    sizes, rate = [int(each) for each in draws.integers(2, 6, 2)], float(draws.uniform(0.1, 2))
    counts = [draws.uniform(0.2, 3, size) for size in sizes]
    A = [draws.dirichlet(np.ones(size), 2).T for size in sizes]
    model = FactoredModel(A, [np.eye(2)[:, :, None]], [[0.5, 0.5]], counts={"C": counts}, learn={"C": {"rate": rate}})
    theirs: Any = counts
    for _ in range(4):
        seen = [int(draws.integers(size)) for size in sizes]
        model.condition(stepped(model, seen, [0], seen))
        theirs, _ = learning.update_obs_likelihood_dirichlet(
            theirs, [each / each.sum() for each in counts], [np.array([o]) for o in seen], [],
            A_dependencies=[[], []], categorical_obs=False, num_obs=sizes, lr=rate,
        )  # fmt: skip
    for own, other in zip(model.outcome_counts() or [], theirs, strict=True):
        assert_close(own, torch.tensor(np.array(other)), atol=1e-6, rtol=0)


def posterior(model: CategoricalModel | FactoredModel, seen: Tensor, prior: Any) -> Categorical:
    evidence = Evidence(model, seen, prior)
    solver = Exact() if isinstance(model, CategoricalModel) else Mirror(steps=100)
    belief = minimize(evidence, solver, evidence.start(None)).belief
    assert isinstance(belief, Categorical)
    return belief


def stepped(model: Any, now: list[int], action: list[int], then: list[int], **given: Any) -> Tick:
    """A tick of one row."""
    seen, after = (model.outcome.one_hot(torch.tensor([each])) for each in (now, then))
    taken, flags, zero = model.action.one_hot(torch.tensor([action])), np.zeros(1, bool), np.zeros(1, np.int64)
    rest = {"truncated": flags, "t": zero, "decision": Decision(taken)}
    return Tick(obs=seen, action=taken, next_obs=after, reward=np.zeros(1), terminated=flags, valid=~flags,
                episode=zero, native=Native(None, None, None), **{**rest, **given})  # fmt: skip


def maze(valid: float = 1.0) -> World:
    """The T-maze of tmaze_demo, part 3."""
    return World.of(env("tmaze:TMaze", reward_condition=0, reward_probability=valid, punishment_probability=valid,
                        cue_validity=valid))  # fmt: skip


METHODS: dict[str, Any] = {}


def asked(agent: Any, method: str, *given: Any) -> Any:
    """What a method of pymdp's agent returns, compiled once for all agents that are alike."""
    if method not in METHODS:
        METHODS[method] = import_module("equinox").filter_jit(lambda who, *each: getattr(who, method)(*each))
    return METHODS[method](agent, *given)


def beside(model: FactoredModel, agent: Any, parts: str) -> None:
    """Our counts are those of pymdp's agent."""
    for name in parts:
        for own, theirs in zip(model.learned.counts(name), getattr(agent, "p" + name), strict=True):
            table = torch.from_numpy(np.array(theirs[0]))
            assert_close(own.alpha(), table.reshape(len(table), -1), atol=1e-6, rtol=0)


def test_tmaze_demo_with_the_right_structure(pymdp: Any) -> None:
    """Ten ticks: what the maze pays and shows is learned from true counts and .3 everywhere, location by location."""
    world, draws = maze(), np.random.default_rng(0)
    pA = [world.A[0], *[a + 0.3 for a in world.A[1:]]]
    A = [p / p.sum(0) for p in pA]
    assert np.round(A[1][:, 0, 0], 6).tolist() == [0.684211, 0.157895, 0.157895]
    D = [np.eye(5)[0], np.full(2, 0.5)]
    agent = pymdp(A=A, B=list(world.B), C=[np.zeros(len(a)) for a in A], D=D, pA=pA, pB=list(world.B), policy_len=1,
                  learn_A=True, learn_B=False, batch_size=1, num_iter=10, **world.lists)  # fmt: skip
    lists = {"A": world.seen, "B": world.past, "B_actions": [[0], []]}
    model = FactoredModel(B=[world.B[0], world.B[1][..., 0]], D=D, counts={"A": pA}, dependencies=lists)
    hidden = [0, 0]
    seen, prior, belief = world.look(hidden, draws), agent.D, model.begin(1)
    for _ in range(10):
        action = int(draws.integers(5))
        qs = asked(agent, "infer_states", [np.array([o]) for o in seen], prior)
        agent = asked(agent, "infer_parameters", qs, [np.array([[o]]) for o in seen], None)
        prior = asked(agent, "update_empirical_prior", np.array([[action, 0]]), qs)
        hidden = world.move(hidden, [action, 0], draws)
        following = world.look(hidden, draws)
        now = posterior(model, model.outcome.one_hot(torch.tensor([seen])), belief)
        tick = stepped(model, seen, [action], following)
        tick.decision.belief = now
        model.condition(tick)
        belief, seen = model.predict(now, tick.action), following
        beside(model, agent, "A")


def test_tmaze_demo_with_random_counts(pymdp: Any) -> None:
    """Twenty ticks that teach A, then B by the product of marginals, in pymdp's order: a transition once it is seen."""
    world, draws = maze(), np.random.default_rng(24)
    pA = [world.A[0], *[draws.uniform(size=a.shape) for a in world.A[1:]]]
    pB = [draws.uniform(size=b.shape) for b in world.B]
    A, tables = ([p / p.sum(0) for p in counts] for counts in (pA, pB))
    D = [np.eye(5)[0], np.full(2, 0.5)]
    agent = pymdp(A=A, B=tables, C=[np.zeros(len(a)) for a in A], D=D, pA=pA, pB=pB, policy_len=1, learn_A=True,
                  learn_B=True, batch_size=1, num_iter=10, **world.lists)  # fmt: skip
    lists = {"A": world.seen, "B": world.past, "B_actions": [[0], []]}
    counts = {"A": pA, "B": [pB[0], pB[1][..., 0]]}
    model = FactoredModel(D=D, counts=counts, dependencies=lists, learn={"B": {"pairs": "outer"}})
    hidden, prior, belief, before = [0, 0], agent.D, model.begin(1), None
    action = 0
    for _ in range(20):
        seen = world.look(hidden, draws)
        outcome = model.outcome.one_hot(torch.tensor([seen]))
        qs, now = asked(agent, "infer_states", [np.array([o]) for o in seen], prior), posterior(model, outcome, belief)
        taken = model.action.one_hot(torch.tensor([[action]]))
        pairs, done = [np.concatenate([q, q], 1) for q in qs], np.full((1, 1, 2), -1)  # no transition yet
        if before is not None:
            pairs = [np.concatenate(each, 1) for each in zip(before[0], qs, strict=True)]
            done = np.array([[[action, 0]]])
            model.learned.add("B", model.learned.moved(model, before[1], taken, now.probs))
        agent = asked(agent, "infer_parameters", qs, [np.array([[o]]) for o in seen], done, pairs)
        model.learned.add("A", model.learned.observed(model, outcome, now.probs))
        beside(model, agent, "AB")
        before, action = (qs, now.probs), int(draws.integers(5))
        prior = asked(agent, "update_empirical_prior", np.array([[action, 0]]), qs)
        belief = model.predict(now, model.action.one_hot(torch.tensor([[action]])))
        hidden = world.move(hidden, [action, 0], draws)


@pytest.mark.parametrize(("part", "known"), [("B", False), ("A", True), ("A", False)])
def test_learning_gridworld(pymdp: Any, part: str, known: bool) -> None:
    """Two blocks of fifty steps in seven by seven places, each learned from when it is over, smoothed exactly.

    B where places are seen; A where moves are known, and so is where one starts, or not.
    """
    world = World.of(env("grid_world:GridWorld", (7, 7), initial_position=(3, 3), include_stay=False))
    draws, start = np.random.default_rng(0), world.D if known else [np.full(49, 1 / 49)]
    arrays: dict[str, Any] = {"A": list(world.A), "B": list(world.B)}
    counts = [np.ones_like(each) / 49 for each in arrays[part]]
    arrays[part] = [np.ones_like(each) / 49 for each in counts]
    learn = {"p" + part: counts, "learn_A": part == "A", "learn_B": part == "B", "learning_mode": "offline"}
    agent = pymdp(**arrays, **learn, C=[np.zeros(49)], D=start, policy_len=1, inference_algo="exact", num_iter=1,
                  batch_size=1)  # fmt: skip
    given = {name: each for name, each in arrays.items() if name != part}
    model = CategoricalModel(**given, D=start, counts={part: counts})
    learner = EpisodeLearner(model)
    for _ in range(2):
        places, actions, prior, found = [drawn(world.D[0], draws)], draws.integers(4, size=50), agent.D, []
        for t in range(51):
            qs = asked(agent, "infer_states", [np.array([places[t]])], prior)
            found.append(np.asarray(qs[0]))
            if t < 50:
                prior = asked(agent, "update_empirical_prior", np.array([[actions[t]]]), qs)
                places.append(drawn(world.B[0][:, places[t], actions[t]], draws))
        seen = [np.array([places])]
        agent = agent.infer_parameters([np.concatenate(found, 1)], seen, actions[None, :, None])
        for t, action in enumerate(actions.tolist()):
            over = {"t": np.array([t]), "truncated": np.array([t == 49])}
            learner.update(stepped(model, [places[t]], [action], [places[t + 1]], **over))
        theirs = torch.from_numpy(np.array(getattr(agent, "p" + part)[0][0]))
        assert_close(model.learned.counts(part)[0].alpha(), theirs.reshape(49, -1), atol=1e-6, rtol=0)
    assert model.version == 2
