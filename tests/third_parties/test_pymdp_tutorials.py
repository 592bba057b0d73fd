"""The example notebooks of pymdp 1.0.4, from its own arrays: what it computes and decides, and what we do, in float64.

docs/pymdp_tutorials.md names every notebook, and says of those that are missing here why they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import agentic
from agentic import EnergyAgent, Evidence, ExpectedEnergy, Purpose, Softmax, minimize
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

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
CLOSE = 1e-6
SINGLE = 1e-5  # pymdp's search runs in float32 only
Lists = Sequence[Sequence[int]]


@dataclass(frozen=True)
class World:
    """Arrays as a pymdp Agent takes them, and where what happens begins."""

    A: Sequence[np.ndarray]
    B: Sequence[np.ndarray]
    D: Sequence[np.ndarray]
    truth: Sequence[np.ndarray]
    seen: Lists
    past: Lists
    moved: Lists | None = None
    controls: Sequence[int] | None = None

    @classmethod
    def of(cls, env: Any, **given: Any) -> "World":
        """One of pymdp's environments; `given` are the arrays in which an agent differs from it."""
        A, B, D = ([np.asarray(each, dtype=np.float64) for each in getattr(env, name)] for name in "ABD")
        found: dict[str, Any] = {"A": A, "B": B, "D": D, "truth": D}
        return cls(**found | {"seen": env.A_dependencies, "past": env.B_dependencies} | given)

    @classmethod
    def described(cls, description: Mapping[str, Any], fill: Callable[[Any], None]) -> "World":
        """What pymdp compiles from names and dependencies, with the numbers that `fill` puts in."""
        distribution = import_module("pymdp.distribution")
        model = distribution.compile_model(description)
        fill(model)
        arrays = [[np.asarray(each.data, dtype=np.float64) for each in tables] for tables in (model.A, model.B)]
        A, B = ([each / each.sum(0) for each in tables] for tables in arrays)
        seen, past = distribution.get_dependencies(model["A"], model["B"])
        return cls(A, B, even(B), even(B), seen, past, model["B_action_dependencies"], model["num_controls"])

    @property
    def lists(self) -> dict[str, Any]:
        """What depends on what, as an Agent is given it."""
        own = {"A_dependencies": self.seen, "B_dependencies": self.past}
        return own if self.moved is None else own | {"B_action_dependencies": self.moved, "num_controls": self.controls}

    def agent(self, agents: Any, C: Sequence[np.ndarray], **given: Any) -> Any:
        """pymdp's agent in it."""
        arrays = {"A": list(self.A), "B": list(self.B), "C": list(C), "D": list(self.D)}
        return agents(**arrays, **self.lists, batch_size=1, **given)

    def settings(self) -> list[int]:
        """The number of settings of every control."""
        return list(self.controls) if self.controls is not None else [b.shape[-1] for b in self.B]

    def model(self, kind: type[CategoricalModel | FactoredModel]) -> CategoricalModel | FactoredModel:
        """Our model of it."""
        return kind.from_pymdp(self.A, self.B, self.D, **self.lists)

    def look(self, hidden: Sequence[int], draws: np.random.Generator) -> list[int]:
        """What is seen in a state."""
        return [drawn(a[:, *[hidden[f] for f in own]], draws) for a, own in zip(self.A, self.seen, strict=True)]

    def move(self, hidden: Sequence[int], action: Sequence[int], draws: np.random.Generator) -> list[int]:
        """The state after an action, one setting per control."""
        moved = self.moved if self.moved is not None else [[f] for f in range(len(self.B))]
        given = zip(self.B, self.past, moved, strict=True)
        return [drawn(b[:, *[hidden[i] for i in own], *[action[u] for u in by]], draws) for b, own, by in given]


def drawn(chances: np.ndarray, draws: np.random.Generator) -> int:
    """One index."""
    return int(draws.choice(len(chances), p=chances / chances.sum()))


def even(arrays: Sequence[Any]) -> list[np.ndarray]:
    """All states alike."""
    return [np.full(len(each), 1 / len(each)) for each in arrays]


def env(where: str, *given: Any, **parameters: Any) -> Any:
    """One of pymdp's environments."""
    return getattr(import_module("pymdp.envs." + where.split(":")[0]), where.split(":")[1])(*given, **parameters)


def graph(**parameters: Any) -> Any:
    """Two hubs with three leaves each, in one of which an object is."""
    clusters = import_module("pymdp.envs.graph_worlds").generate_connected_clusters(cluster_size=3, connections=2)
    return env("graph_worlds:GraphEnv", clusters[0], **parameters)


def generalized(**parameters: Any) -> Any:
    """A T-maze of several cues, one of which is about the reward."""
    maze, jax = import_module("pymdp.envs.generalized_tmaze"), import_module("jax")
    return maze.GeneralizedTMazeEnv(maze.parse_maze(maze.get_maze_matrix(**parameters), jax.random.PRNGKey(0)))


def legacy_tmaze() -> Any:
    """The T-maze of pymdp before 1.0, with its object arrays and what depends on what."""
    maze = import_module("pymdp.legacy.envs").TMazeEnv(reward_probs=[0.98, 0.02])
    lists = {"A_dependencies": [[0, 1]] * 3, "B_dependencies": [[0], [1]]}
    return SimpleNamespace(
        A=maze.get_likelihood_dist(), B=maze.get_transition_dist(), D=[np.eye(4)[0], np.full(2, 0.5)], **lists
    )


WEIGHTS, WORTH = np.array([4.5, 8.9, 6.7, 4.1, 7.3]), np.array([0.3, 0.9, 0.5, 0.2, 0.7])


def knapsack() -> World:
    """Five things to take or to leave, a control each; a sixth state says whether they weigh more than 20."""
    things = range(len(WEIGHTS))
    takes = np.stack([np.eye(2)] * 2, 1)
    heavy = (np.stack(np.meshgrid(*[[0, 1]] * len(things), indexing="ij"), -1) @ WEIGHTS > 20).astype(float)
    broken = np.stack([np.stack([1 - heavy, heavy])] * 2, 1)
    B, each = [*[takes] * len(things), broken], [[f] for f in range(len(things) + 1)]
    return World([np.eye(2)] * len(B), B, even(B), even(B), each, each, [*each[:-1], list(things)], [2] * len(things))


def apples() -> World:
    """Three cells in which apples grow; who eats one is rewarded at the next step."""
    items, grows = ["orchard", "apple"], ["left", "center", "right"]
    states: dict[str, Any] = {
        "place": {"size": 3, "depends_on": ["place"], "controlled_by": ["move"]},
        "reward": {"elements": ["no", "yes"], "depends_on": ["reward", "place", *grows], "controlled_by": ["eat"]},
    }
    states |= {each: {"elements": items, "depends_on": [each, "place"], "controlled_by": ["eat"]} for each in grows}
    seen = {
        "place_seen": {"size": 3, "depends_on": ["place"]},
        "item_seen": {"elements": items, "depends_on": ["place", *grows]},
        "reward_seen": {"elements": ["no", "yes"], "depends_on": ["reward"]},
    }
    controls = {"move": {"elements": ["stay", "left", "right"]}, "eat": {"elements": ["no", "eat"]}}

    def fill(model: Any) -> None:
        model.A["place_seen"].data, model.A["reward_seen"].data = np.eye(3), np.eye(2)
        item, reward = np.zeros((2, 3, 2, 2, 2)), np.zeros((2, 2, 3, 2, 2, 2, 2))
        for place, *there in np.ndindex(3, 2, 2, 2):
            item[there[place], place, *there] = 1
            reward[0, :, place, *there, :] = 1
            if there[place]:
                reward[:, 0, place, *there, 1] = [0, 1]
        model.A["item_seen"].data, model.B["reward"].data = item + 1e-3, reward
        shift = (np.arange(3)[:, None] + [0, -1, 1]) % 3
        model.B["place"].data = np.moveaxis(np.eye(3)[shift], -1, 0)
        for i, each in enumerate(grows):
            grown = np.zeros((2, 2, 3, 2))
            grown[:, 0], grown[1, 1] = np.array([2 / 3, 1 / 3])[:, None, None], 1
            grown[:, 1, i, 1] = [1, 0]
            model.B[each].data = grown + 1e-3

    return World.described({"observations": seen, "controls": controls, "states": states}, fill)


def entangled(moves_second: Sequence[str]) -> World:
    """A factor moved by two controls, and a second one that is moved by some of them or by none."""
    letters = ["A", "B", "C", "D"]
    description = {
        "observations": {"seen": {"elements": letters, "depends_on": ["first"]}},
        "controls": {"c1": {"elements": ["up", "down"]}, "c2": {"elements": ["left", "right", "stay"]}},
        "states": {
            "first": {"elements": letters, "depends_on": ["first"], "controlled_by": ["c1", "c2"]},
            "second": {"elements": letters, "depends_on": ["second"], "controlled_by": list(moves_second)},
        },
    }

    def fill(model: Any) -> None:
        model.A["seen"].data = np.eye(4)
        for b in model.B:
            b.data = np.zeros(b.data.shape)
            for before in range(4):
                b.data[min(before + 1, 3), before] = 1

    return World.described(description, fill)


def bandit(hinted: np.ndarray, paid: np.ndarray, places: int) -> World:
    """Two contexts that stay, a second factor that goes where one wants; a hint, an outcome, and where one is."""
    here = np.stack([np.eye(places)] * 2, 1)
    moves = np.stack([np.eye(places)] * places, 1)
    B = [np.eye(2)[..., None], moves]
    start = [np.full(2, 0.5), np.eye(places)[0]]
    return World([hinted, paid, here], B, start, start, [[0, 1]] * 3, [[0], [1]])


def playing() -> World:
    """agent_demo: start, play or sample; sampling is right four times in five."""
    evidence, outcome = np.zeros((3, 2, 3)), np.zeros((3, 2, 3))
    evidence[2, :, :2], evidence[:2, :, 2] = 1, [[0.8, 0.2], [0.2, 0.8]]
    good = 1 / (1 + np.exp(-1))
    outcome[2, :, [0, 2]], outcome[:2, :, 1] = 1, [[good, 1 - good], [1 - good, good]]
    return bandit(evidence, outcome, 3)


def hinting() -> World:
    """using_the_agent_class: start, ask for a hint, play left or right."""
    hint, paid = np.zeros((3, 2, 4)), np.zeros((3, 2, 4))
    hint[0, :, [0, 2, 3]], hint[1:, :, 1] = 1, [[0.7, 0.3], [0.3, 0.7]]
    paid[0, :, :2], paid[1:, :, 2], paid[1:, :, 3] = 1, [[0.2, 0.8], [0.8, 0.2]], [[0.8, 0.2], [0.2, 0.8]]
    return bandit(hint, paid, 4)


def walking() -> World:
    """gridworld_tutorial_2 and active_inference_from_scratch: 3 x 3 places, seen; up, right, down, left, stay."""
    moves = np.zeros((9, 9, 5))
    for y, x in np.ndindex(3, 3):
        for action, (down, right) in enumerate([(-1, 0), (0, 1), (1, 0), (0, -1), (0, 0)]):
            moves[3 * np.clip(y + down, 0, 2) + np.clip(x + right, 0, 2), 3 * y + x, action] = 1
    return World([np.eye(9)], [moves], [np.full(9, 1 / 9)], [np.eye(9)[2]], [[0]], [[0]])


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

    @jax.jit
    def tick(observations: Any, prior: Any) -> Any:
        beliefs = agent.infer_states(observations, prior)
        plans = agent.infer_policies(beliefs)[0]
        chosen = policies[plans[0].argmax(), 0][None]
        return beliefs, plans[0], agent.decode_multi_actions(chosen)[0], agent.update_empirical_prior(chosen, beliefs)

    return tick


@pytest.mark.parametrize("name", TUTORIALS)
def test_agents_without_search(pymdp: Any, name: str) -> None:
    """Tick by tick, both of our models weigh plans as pymdp's agent does, which acts."""
    tutorial = TUTORIALS[name]
    world = tutorial.world()
    C, gamma = tutorial.C(world), tutorial.gamma
    theirs = world.agent(pymdp, C, policy_len=tutorial.horizon, gamma=gamma, num_iter=100)
    purpose = Purpose(LogPreferences.from_pymdp(C), tutorial.horizon, SummedGain())
    pairs = [(FactoredModel, Mirror()), *([(CategoricalModel, Exact())] if tutorial.joint else [])]
    agents = [
        EnergyAgent(world.model(kind), purpose, solver, Enumerate(), selection=Softmax(gamma)) for kind, solver in pairs
    ]
    draws, generator = np.random.default_rng(0), torch.Generator()
    kept = [u for u, n in enumerate(world.settings()) if n > 1]
    hidden = [drawn(d, draws) for d in world.truth]
    tick, prior, states = ticked(theirs), theirs.D, [agent.start(1, generator=generator) for agent in agents]
    for _ in range(tutorial.ticks):
        seen = world.look(hidden, draws)
        _, plans, action, prior = tick([np.array([o]) for o in seen], prior)
        taken = np.asarray(action).astype(int)
        for i, agent in enumerate(agents):
            model = agent.model
            decision = agent.decide(states[i], model.outcome.one_hot(torch.tensor([seen])), generator=generator)
            assert isinstance(decision.plan, agentic.Sequence)
            assert decision.belief is not None
            assert_close(decision.plan.weights(gamma)[:, 0], torch.from_numpy(np.array(plans)), atol=CLOSE, rtol=0)
            done = model.action.one_hot(torch.tensor([taken[kept].tolist()]))
            states[i] = replace(decision.state, prior=model.predict(decision.belief, done))
        hidden = world.move(hidden, taken.tolist(), draws)


def near(where: Sequence[Any], states: Mapping[int, int], weight: float = 100.0) -> list[np.ndarray]:
    """Beliefs that hold one state of some factors for so much likelier than the others, and all alike elsewhere."""
    beliefs = [np.ones(len(each)) for each in where]
    for f, state in states.items():
        beliefs[f][state] = weight
    return [belief / belief.sum() for belief in beliefs]


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
    goals = [LogPreferences.from_pymdp(C), Inductive.toward(model, [corner], threshold=0.1, depth=depth)]
    place, tick, prior = 7 * start[0] + start[1], ticked(theirs), theirs.D
    for _ in range(14):
        beliefs, plans, action, prior = tick([np.array([place])], prior)
        belief = agentic.Categorical(torch.from_numpy(np.array(beliefs[0]))[:, -1])
        energies = [
            minimize(ExpectedEnergy(model, belief, Purpose(goal, 1)), Enumerate()).belief.values for goal in goals
        ]
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
