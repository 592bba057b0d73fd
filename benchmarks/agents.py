"""What agents cost per tick, in the worlds of the examples, beside the agent that does not think."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import agentic
from agentic import Agent, Environment, Experiment, Schedule, run, ticks
from agentic.experiments.build import build
from agentic.experiments.examples import folder
from agentic.plugins import Registry
from benchmarks.sample import Sample, seconds, side_by_side

# Example, what its agent is called here, and ticks per repeat.
CASES = (
    ("tmaze", "energy, tree", 400),
    ("tmaze-open-loop", "energy, enumerate", 200),
    ("cartpole", "energy, Riccati", 400),
    ("frozenlake", "energy, tree", 400),
)


@final
@dataclass(frozen=True)
class Thought:
    """One agent in one world: microseconds per tick, the random agent's there, and the first tick in milliseconds.

    The first tick is an agent's that has just been made: it plans with nothing to start from.
    """

    world: str
    agent: str
    tick: Sample
    random: Sample
    first: Sample | None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "world": self.world,
            "agent": self.agent,
            "microseconds": self.tick.plain(),
            "random_microseconds": self.random.plain(),
            "over_random": self.tick.over(self.random).plain(),
            "first_tick_milliseconds": None if self.first is None else self.first.plain(),
        }


def measure(quick: bool, repeats: int) -> list[Thought]:
    """Every case; nothing is recorded."""
    registry = agentic.load()
    return [
        each
        for name, label, count in CASES
        for each in _measure(name, label, count // (4 if quick else 1), repeats, registry)
    ]


def _measure(name: str, label: str, count: int, repeats: int, registry: Registry) -> list[Thought]:
    experiment = Experiment.load(folder() / f"{name}.toml")
    built, chance = build(experiment, registry), build(_random(experiment), registry)
    if experiment.learn.steps:
        learn = experiment.learn
        run(built.agent, built.environment, Schedule(learn_steps=learn.steps, warmup=learn.warmup, episodes=0))
    tasks = {
        "random": _ticking(chance.agent, chance.environment, count),
        "energy": _ticking(built.agent, built.environment, count),
        "first": lambda: _first(experiment, registry),
    }
    if built.agent.learner is not None:
        tasks["learning"] = lambda: _learning(experiment, registry)
    found = side_by_side(tasks, repeats)
    for each in (built, chance):
        each.environment.close()
    rows = [Thought(experiment.env.id, label, found["energy"], found["random"], found["first"])]
    if "learning" in found:
        rows.append(Thought(experiment.env.id, f"{label}, while it learns", found["learning"], found["random"], None))
    return rows


def _random(experiment: Experiment) -> Experiment:
    """The same world for the random agent."""
    return Experiment.of({"env": experiment.tables()["env"], "agent": {"name": "random"}})


def _ticking(agent: Agent, env: Environment, count: int) -> Callable[[], float]:
    return lambda: 1e6 / count * seconds(lambda: deque(islice(ticks(agent, env, phase="evaluate"), count), maxlen=0))


def _first(experiment: Experiment, registry: Registry) -> float:
    built = build(experiment, registry)
    taken = seconds(lambda: next(ticks(built.agent, built.environment)))
    built.environment.close()
    return 1e3 * taken


def _learning(experiment: Experiment, registry: Registry) -> float:
    """Microseconds per step of the whole experience, its warm-up included."""
    built, learn = build(experiment, registry), experiment.learn
    taken = seconds(
        lambda: run(built.agent, built.environment, Schedule(learn_steps=learn.steps, warmup=learn.warmup, episodes=0))
    )
    built.environment.close()
    return 1e6 / learn.steps * taken
