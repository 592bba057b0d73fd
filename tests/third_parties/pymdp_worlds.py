"""The worlds of pymdp's example notebooks, as the arrays that its Agent takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel

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
        return [drawn(at(a, *[hidden[f] for f in own]), draws) for a, own in zip(self.A, self.seen, strict=True)]

    def move(self, hidden: Sequence[int], action: Sequence[int], draws: np.random.Generator) -> list[int]:
        """The state after an action, one setting per control."""
        moved = self.moved if self.moved is not None else [[f] for f in range(len(self.B))]
        given = zip(self.B, self.past, moved, strict=True)
        return [drawn(at(b, *[hidden[i] for i in own], *[action[u] for u in by]), draws) for b, own, by in given]


def at(array: Any, *conditions: int) -> np.ndarray:
    """The column of a table."""
    column: np.ndarray = array[(slice(None), *conditions)]
    return column


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


def near(where: Sequence[Any], states: Mapping[int, int], weight: float = 100.0) -> list[np.ndarray]:
    """Beliefs that hold one state of some factors for so much likelier than the others, and all alike elsewhere."""
    beliefs = [np.ones(len(each)) for each in where]
    for f, state in states.items():
        beliefs[f][state] = weight
    return [belief / belief.sum() for belief in beliefs]
