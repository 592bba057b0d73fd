"""The example notebooks of pymdp 1.0.4, from its own arrays: what it computes and decides, and what we do, in float64.

docs/pymdp_tutorials.md names every notebook, and says of those that are missing here why they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import agentic
from agentic import EnergyAgent, Evidence, ExpectedEnergy, Minimizer, Purpose, Softmax, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.inductive import Inductive
from agentic_optimizers.backups import MeanUnderSoftmax
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.smoothing import smooth
from agentic_optimizers.tree import TreeSearch
from tests.third_parties.pymdp_worlds import (
    WORTH,
    World,
    apples,
    drawn,
    entangled,
    env,
    even,
    generalized,
    graph,
    hinting,
    knapsack,
    legacy_tmaze,
    near,
    playing,
    walking,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
CLOSE = 1e-6
SINGLE = 1e-5  # pymdp's search runs in float32 only


@dataclass(frozen=True)
class Tutorial:
    """A notebook: its world, what is wanted, how far ahead its agent looks, and its precision."""

    world: Callable[[], World]
    wanted: Mapping[int, list[float]]
    horizon: int
    gamma: float
    joint: bool = True  # whether the joint state's belief is the product of the factors'
    ticks: int = 5

    def C(self, world: World) -> list[np.ndarray]:
        """Its preferences, zero where nothing is wanted."""
        return [np.array(self.wanted.get(m, [0.0] * len(a))) for m, a in enumerate(world.A)]


def tmaze(kind: str) -> Callable[[], World]:
    """One of pymdp's T-mazes."""
    return lambda: World.of(env(f"tmaze:{kind}", reward_condition=None))


TUTORIALS = {
    "tmaze_demo": Tutorial(tmaze("TMaze"), {1: [0.0, 2.0, -3.0]}, 3, 4.0),
    "si_tmaze_SIvalidation, its agent without search": Tutorial(
        tmaze("SimplifiedTMaze"), {1: [0.0, 2.0, -6.0]}, 2, 3.0
    ),
    "cue_chaining_demo": Tutorial(lambda: World.of(env("cue_chaining:CueChainingEnv")), {3: [0.0, 3.0, -6.0]}, 4, 16.0),
    "generalized_tmaze_demo": Tutorial(
        lambda: World.of(generalized(), D=even(generalized().B)), {6: [0.0, 1.0, -3.0]}, 3, 4.0
    ),
    "graph_worlds_demo": Tutorial(
        lambda: World.of(graph(agent_location=0, object_location=5), D=even(graph().B)), {1: [0.0, 1.0]}, 2, 16.0
    ),
    "knapsack_demo": Tutorial(
        knapsack, {i: [1 / (1 + np.exp(w)), 1 / (1 + np.exp(-w))] for i, w in enumerate(WORTH)} | {5: [1, 0]}, 1, 16.0
    ),
    "model_construction_tutorial": Tutorial(apples, {2: [0.0, 1.0]}, 1, 1.0, joint=False),
    "complex_action_dependency": Tutorial(lambda: entangled(["c1"]), {}, 1, 16.0),
    "complex_action_dependency, no action": Tutorial(lambda: entangled([]), {}, 1, 16.0),
    "legacy/agent_demo": Tutorial(playing, {1: [1.0, -1.0, 0.0]}, 1, 16.0),
    "legacy/using_the_agent_class": Tutorial(hinting, {1: [0.0, -4.0, 2.0]}, 1, 16.0),
    "legacy/gridworld_tutorial_2": Tutorial(walking, {0: list(np.eye(9)[7])}, 4, 16.0),
    "legacy/tmaze_demo": Tutorial(lambda: World.of(legacy_tmaze()), {1: [0.0, 3.0, -3.0]}, 1, 16.0),
}


def ticked(agent: Any) -> Callable[[Any, Any], Any]:
    """A tick of pymdp's agent, compiled: its beliefs, q(pi), what it does, by factor, and what it then expects."""
    jax = import_module("jax")
    policies = agent.policies.policy_arr

    def tick(observations: Any, prior: Any) -> Any:
        beliefs = agent.infer_states(observations, prior)
        plans = agent.infer_policies(beliefs)[0]
        chosen = policies[plans[0].argmax(), 0][None]
        return beliefs, plans[0], agent.decode_multi_actions(chosen)[0], agent.update_empirical_prior(chosen, beliefs)

    compiled: Callable[[Any, Any], Any] = jax.jit(tick)
    return compiled


@pytest.mark.parametrize("name", TUTORIALS)
def test_agents_without_search(pymdp: Any, name: str) -> None:
    """Tick by tick, both of our models weigh plans as pymdp's agent does, which acts."""
    tutorial = TUTORIALS[name]
    world = tutorial.world()
    C, gamma = tutorial.C(world), tutorial.gamma
    theirs = world.agent(pymdp, C, policy_len=tutorial.horizon, gamma=gamma, num_iter=100)
    purpose = Purpose(LogPreferences.from_pymdp(C), tutorial.horizon, SummedGain())
    solvers: list[tuple[CategoricalModel | FactoredModel, Minimizer]] = [(world.model(FactoredModel), Mirror())]
    if tutorial.joint:
        solvers.append((world.model(CategoricalModel), Exact()))
    agents = [EnergyAgent(model, purpose, solver, Enumerate(), selection=Softmax(gamma)) for model, solver in solvers]
    draws, generator = np.random.default_rng(0), torch.Generator()
    kept = [u for u, n in enumerate(world.settings()) if n > 1]
    hidden = [drawn(d, draws) for d in world.truth]
    tick, prior, states = ticked(theirs), theirs.D, [agent.start(1, generator=generator) for agent in agents]
    for _ in range(tutorial.ticks):
        seen = world.look(hidden, draws)
        _, plans, action, prior = tick([np.array([o]) for o in seen], prior)
        taken = np.asarray(action).astype(int)
        for i, agent in enumerate(agents):
            model = solvers[i][0]
            decision = agent.decide(states[i], model.outcome.one_hot(torch.tensor([seen])), generator=generator)
            assert isinstance(decision.plan, agentic.Sequence)
            assert decision.belief is not None
            assert_close(decision.plan.weights(gamma)[:, 0], torch.from_numpy(np.array(plans)), atol=CLOSE, rtol=0)
            done = model.action.one_hot(torch.tensor([taken[kept].tolist()]))
            states[i] = replace(decision.state, prior=model.predict(decision.belief, done))
        hidden = world.move(hidden, taken.tolist(), draws)


SEARCHES = {  # the world, what is wanted, how deep, the precision, how many nodes pymdp's tree needs
    "si_tmaze_SIvalidation": (tmaze("SimplifiedTMaze"), {1: [0.0, 2.0, -6.0]}, 2, 3.0, 100),
    "si_graph_world": (
        lambda: World.of(graph(object_location=4, agent_location=0), D=near(graph().D, {0: 0, 1: 4})),
        {1: [0.0, 10.0]},
        3,
        1.0,
        1500,
    ),
    "si_generalized_tmaze": (
        lambda: World.of(
            generalized(small=True), D=[generalized(small=True).D[0], *even(generalized(small=True).B[1:])]
        ),
        {4: [0.0, 2.0, -3.0]},
        3,
        5.0,
        600,
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_sophisticated_inference(pymdp: Any, name: str) -> None:
    """The tree over all actions and outcomes gives the q(action) of pymdp's, which leaves out what cannot be seen."""
    jax, search = import_module("jax"), import_module("pymdp.planning.si").si_policy_search
    make, wanted, depth, gamma, nodes = SEARCHES[name]
    with jax.enable_x64(False):
        world = make()
        C = [np.array(wanted.get(m, [0.0] * len(a))) for m, a in enumerate(world.A)]
        agent = world.agent(pymdp, C, policy_len=1, gamma=gamma)
        seen = [int(np.argmax(world.D[0])), *[0] * (len(world.A) - 1)]
        beliefs = agent.infer_states([np.array([o]) for o in seen], agent.D)
        limits = {"policy_prune_threshold": 0.0, "observation_prune_threshold": 1e-4, "entropy_stop_threshold": 0.0}
        plan = search(horizon=depth, max_nodes=nodes, gamma=gamma, **limits)(agent, beliefs, jax.random.PRNGKey(0))[0]
        theirs = torch.from_numpy(np.array(plan, dtype=np.float64))
    model = world.model(CategoricalModel)
    obs = model.outcome.one_hot(torch.tensor([seen]))
    belief = minimize(Evidence(model, obs, model.begin(1)), Exact()).belief
    f = ExpectedEnergy(model, belief, Purpose(LogPreferences.from_pymdp(C), depth, SummedGain()))
    tree = minimize(f, TreeSearch(MeanUnderSoftmax(gamma))).belief
    assert isinstance(tree, agentic.Plan)
    assert_close(tree.first_action(gamma).mean, theirs, atol=SINGLE, rtol=0)


@pytest.mark.parametrize(("start", "depth"), [((3, 3), 7), ((0, 0), 14)])
def test_inductive_inference(pymdp: Any, start: tuple[int, int], depth: int) -> None:
    """inductive_inference_gridworld: through a grid of 7 x 7 to its corner; the energies of two goals are added."""
    world = World.of(env("grid_world:GridWorld", shape=(7, 7), initial_position=start, include_stay=False))
    C, corner = [np.eye(49)[48]], 48
    inductive = {"inductive_depth": depth, "inductive_threshold": 0.1, "use_inductive": True, "H": [np.eye(49)[corner]]}
    theirs = world.agent(pymdp, C, policy_len=1, gamma=1.0, use_states_info_gain=False, **inductive)
    model = world.model(CategoricalModel)
    assert isinstance(model, CategoricalModel)
    goals = [LogPreferences.from_pymdp(C), Inductive.toward(model, [corner], threshold=0.1, depth=depth)]
    place, tick, prior = 7 * start[0] + start[1], ticked(theirs), theirs.D
    for _ in range(14):
        beliefs, plans, action, prior = tick([np.array([place])], prior)
        belief = agentic.Categorical(torch.from_numpy(np.array(beliefs[0]))[:, -1])
        plans_of = [minimize(ExpectedEnergy(model, belief, Purpose(goal, 1)), Enumerate()).belief for goal in goals]
        energies = [plan.values for plan in plans_of if isinstance(plan, agentic.Sequence)]
        ours = torch.softmax(-(energies[0] + energies[1])[:, 0], 0)
        assert_close(ours, torch.from_numpy(np.array(plans)), atol=CLOSE, rtol=0)
        (place,) = world.move([place], np.asarray(action).tolist(), np.random.default_rng(0))
    assert place == corner


def test_smoothing(pymdp: Any) -> None:
    """inference_methods_comparison: its exact filter and smoother on the joint state, and the evidence."""
    smoother = import_module("pymdp.algos").hmm_smoother_scan_colstoch
    tied = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])[..., None] * np.array([[1.0, 1.0], [1.0, 0.0]])[:, None]
    A, turns = tied / tied.sum(0), [np.roll(np.eye(3), -1, 0), np.roll(np.eye(2), 1, 0)]
    assert A.shape == (2, 3, 2)
    seen, start = [0, 0, 0, 1], np.full(6, 1 / 6)
    logs = np.log(np.maximum(A.reshape(2, 6)[seen], 1e-16))
    evidence, filtered, _, smoothed, _ = smoother(start, np.kron(*turns), logs)
    model = CategoricalModel.from_pymdp([A], [turn[..., None] for turn in turns])
    obs = model.outcome.one_hot(torch.tensor(seen).view(4, 1, 1))
    ours = smooth(model, obs, torch.ones(3, 1, 1, dtype=F64))
    pairs = ((ours.filtered[:, 0], filtered), (ours.beliefs[:, 0], smoothed))
    for mine, theirs in (*pairs, (-ours.free_energies.sum(), evidence)):
        assert_close(mine, torch.from_numpy(np.array(theirs)), atol=CLOSE, rtol=0)
    assert ours.beliefs[0, 0].max() == pytest.approx(1)  # what is seen last tells where it began
