"""Discrete worlds learned from nothing: transitions, rewards and ends by counts, beside Q-learning and Dyna-Q.

States are observed, nothing else is known. What is compared is the exact value, under the world's own table and step
limit, of the policy that is greedy by what was learned after so many steps, over seeds that nothing was chosen by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import log
from statistics import mean, stdev
from time import process_time
from typing import Any, NamedTuple, final

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table

from agentic import Categorical, EnergyAgent, ExpectedEnergy, Interval, Purpose, make, minimize, ticks
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.reward import Reward
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.value_iteration import ValueIteration

Floats = NDArray[np.float64]
DISCOUNT, SEEDS = 0.995, 10
WORTH = 1.4  # of the range of rewards, over the information that the name of a state holds; chosen on seeds from 100 on


class Exercise(NamedTuple):
    """A world, the steps to learn in, the limit of an episode, and the value to reach: `wanted`, within `near`."""

    id: str
    steps: int
    limit: int
    wanted: float
    near: float


EXERCISES = (
    Exercise("FrozenLake-v1", 4_000, 100, 0.744, 0.02),
    Exercise("CliffWalking-v1", 3_000, 200, -13.0, 1e-9),
    Exercise("FrozenLake8x8-v1", 10_000, 200, 0.913, 0.08),
    Exercise("Taxi-v4", 20_000, 200, 7.93, 0.5),
)


@final
@dataclass(frozen=True)
class Lesson:
    """The values that one learner's greedy policies have, seed by seed, and its seconds of processor time a seed."""

    exercise: Exercise
    learner: str
    values: tuple[float, ...]
    seconds: float

    @property
    def reached(self) -> int:
        """On how many seeds it came as near as wanted."""
        return sum(value >= self.exercise.wanted - self.exercise.near for value in self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean over seeds, by Student's t."""
        count = len(self.values)
        error = stdev(self.values) / count**0.5 if count > 1 else 0.0
        bounds = Interval.student(mean(self.values), error, max(count - 1, 1), level=0.95)
        return bounds.low, bounds.high

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "world": self.exercise.id,
            "steps": self.exercise.steps,
            "wanted": self.exercise.wanted,
            "near": self.exercise.near,
            "learner": self.learner,
            "values": self.values,
            "interval": self.interval,
            "reached": self.reached,
            "seconds": self.seconds,
        }


class World(NamedTuple):
    """A Gymnasium world with a table, and that table: p(next | s, a) while it goes on, expected rewards, the start."""

    env: gymnasium.Env[Any, Any]
    going_on: Floats
    rewards: Floats
    start: Floats

    @classmethod
    def of(cls, exercise: Exercise) -> "World":
        """The world of an exercise."""
        env = gymnasium.make(exercise.id, max_episode_steps=exercise.limit)
        inside: Any = env.unwrapped
        states, actions = len(inside.P), len(inside.P[0])
        going_on, rewards = np.zeros((states, actions, states)), np.zeros((states, actions))
        for s, a in np.ndindex(states, actions):
            for probability, after, reward, over in inside.P[s][a]:
                rewards[s, a] += probability * reward
                going_on[s, a, after] += 0.0 if over else probability
        return cls(env, going_on, rewards, np.asarray(inside.initial_state_distrib, np.float64))

    def value(self, policy: Floats, limit: int) -> float:
        """The expected return of a policy (states, actions) in an episode of at most `limit` steps."""
        moves = np.einsum("sa,sat->st", policy, self.going_on)
        paid, values = (policy * self.rewards).sum(1), np.zeros(len(policy))
        for _ in range(limit):
            values = paid + moves @ values
        return float(self.start @ values)


def measure(
    quick: bool,
    repeats: int,
    *,
    first: int = 0,
    count: int = SEEDS,
    names: Sequence[str] = (),
    worlds: Sequence[str] = (),
) -> list[Lesson]:
    """Every learner in every world over `count` seeds from `first` on; two short worlds and seeds if quick."""
    found = []
    for exercise in EXERCISES[:2] if quick else EXERCISES:
        for name, learn in LEARNERS.items():
            if (names and name not in names) or (worlds and exercise.id not in worlds):
                continue
            world, begin = World.of(exercise), process_time()
            seeds = range(first, first + (2 if quick else count))
            values = tuple(world.value(learn(world, exercise, seed), exercise.limit) for seed in seeds)
            found.append(Lesson(exercise, name, values, (process_time() - begin) / len(seeds)))
    return found


def counted(world: World, exercise: Exercise, seed: int, gain: bool = True) -> Floats:
    """The greedy policy (states, actions) of an agent that learns its model by counts."""
    env = make(world.env)
    model = CategoricalModel.empty(env)
    goal = Reward.from_env(env, scale=WORTH * log(model.latent.count), relative=True)
    purpose = Purpose(goal, gain=SummedGain("weights") if gain else None, discount=DISCOUNT)
    planner, learner = ValueIteration(), ConjugateLearner(model)
    agent = EnergyAgent(model, purpose, Exact(), planner)  # without its learner: nobody reads its accounts
    for tick in ticks(agent, env, seed=seed, steps=exercise.steps, accounts=False):
        learner.update(tick)
    sure = Categorical(torch.eye(model.latent.count, dtype=torch.float64))
    f = ExpectedEnergy(model, sure, replace(purpose, gain=None))
    plan: Any = minimize(f, replace(planner, tolerance=1e-9)).belief
    return np.asarray(plan.first_action().mean.numpy())


def q_learning(world: World, exercise: Exercise, seed: int, planned: int = 0, falling: bool = False) -> Floats:
    """Tabular Q-learning, epsilon greedy; with steps `planned` from memory after each, Dyna-Q (Sutton 1990).

    Epsilon is .1, or if `falling` goes from 1 to .05 over the first half of the steps, in a straight line.
    """
    rate = 0.1 if exercise.id.startswith("FrozenLake") else 0.5
    draws = np.random.default_rng(seed)
    q, memory = np.zeros_like(world.rewards), list[tuple[int, int, float, int, bool]]()

    def learn(s: int, a: int, reward: float, after: int, over: bool) -> None:
        target = reward + (0.0 if over else DISCOUNT * q[after].max())
        q[s, a] += rate * (target - q[s, a])

    state, _ = world.env.reset(seed=seed)
    for step in range(exercise.steps):
        epsilon = max(0.05, 1 - 1.9 * step / exercise.steps) if falling else 0.1
        best = np.flatnonzero(q[state] == q[state].max())
        action = int(draws.integers(q.shape[1]) if draws.random() < epsilon else draws.choice(best))
        after, reward, over, cut, _ = world.env.step(action)
        memory.append((state, action, float(reward), after, over))
        learn(*memory[-1])
        for place in draws.integers(len(memory), size=planned):
            learn(*memory[place])
        state = world.env.reset()[0] if over or cut else after
    best_ones = q == q.max(1, keepdims=True)
    return np.asarray(best_ones / best_ones.sum(1, keepdims=True))


LEARNERS: dict[str, Callable[[World, Exercise, int], Floats]] = {
    "counts": counted,
    "counts, no gain": partial(counted, gain=False),
    "Q-learning": q_learning,
    "Q-learning, epsilon falling": partial(q_learning, falling=True),
    "Dyna-Q, 10": partial(q_learning, planned=10),
    "Dyna-Q, 10, epsilon falling": partial(q_learning, planned=10, falling=True),
}


def table(lessons: Sequence[Lesson]) -> Table:
    """The value of each learner's policy."""
    caption = (
        "Exact expected return of the greedy policy after learning: mean over seeds, its 95 % interval, extremes.\n"
        "Q-learning: epsilon .1 or falling from 1 to .05 over half of the steps, learning rate .1 on ice and .5\n"
        "elsewhere; Dyna-Q replays 10 remembered steps a step."
    )
    made = Table(title="Learned from nothing", caption=caption, title_justify="left", caption_justify="left")
    made.add_column("world")
    made.add_column("learner")
    for name in ("steps", "wanted", "mean", "95 %", "worst", "best", "reached", "s a seed"):
        made.add_column(name, justify="right")
    for each in lessons:
        low, high = each.interval
        numbers = [f"{mean(each.values):.3f}", f"{low:.3f} to {high:.3f}"]
        numbers += [f"{min(each.values):.3f}", f"{max(each.values):.3f}"]
        wanted = f"{each.exercise.wanted:g} - {each.exercise.near:g}"
        reached = f"{each.reached} of {len(each.values)}"
        made.add_row(
            each.exercise.id, each.learner, f"{each.exercise.steps:,}", wanted, *numbers, reached, f"{each.seconds:.1f}"
        )
    return made
