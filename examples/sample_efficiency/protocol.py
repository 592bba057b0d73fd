"""The protocol: looks at a sealed agent while it learns, the first that reaches the threshold, and whether it stays.

A look is 10 episodes, always on the same seeds, which learning never sees. It ends early where it is hopeless: not even
the best rest of every episode would lift the mean return to the threshold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from agentic import Environment, ticks
from agentic.agents.agent import Agent

HELD_OUT = 1_000_000  # the seed of all evaluations
EPISODES = 10


@final
@dataclass(frozen=True)
class Task:
    """A world, what counts as solved, and how it is looked for.

    The mean return is to reach `threshold` within `wanted` steps; who has not after `cap` steps is given up. A look is
    made after `every` steps, and `later` more after the first that reached it. `settings` are overrides of the file of
    all tasks, or of `file`. The best rest of an episode with n steps left, of at most `limit`, is `once` + n `best`.
    """

    id: str
    threshold: float
    wanted: int
    cap: int
    limit: int
    best: float = 0.0
    once: float = 0.0
    settings: tuple[str, ...] = ()
    file: str | None = None
    every: int = 50
    later: int = 3


@final
@dataclass(frozen=True)
class Look:
    """The returns of the episodes played after so many environment steps.

    If `cut`, they are what each episode could have come to at best, and their mean, a bound, is below the threshold.
    """

    steps: int
    returns: tuple[float, ...]
    cut: bool = False

    @property
    def mean(self) -> float:
        """The mean return, or its upper bound if `cut`."""
        return float(np.mean(self.returns))

    def plain(self) -> dict[str, float | bool]:
        """For JSON."""
        return {"steps": self.steps, "mean": self.mean, "worst": min(self.returns), "cut": self.cut}

    def __str__(self) -> str:
        return shown(self.plain())


def shown(plain: Mapping[str, float | bool]) -> str:
    """A look as it is written: steps, and the mean return or its bound."""
    return f"{plain['steps']}: <={plain['mean']:.2f}" if plain["cut"] else f"{plain['steps']}: {plain['mean']:.1f}"


def look(agent: Agent, world: Environment, task: Task, steps: int) -> Look:
    """One episode in each row of `world` by the agent as it is, until all have ended or it is hopeless."""
    returns, running = np.zeros(world.batch), np.ones(world.batch, bool)
    for tick in ticks(agent, world, seed=HELD_OUT, episodes=1, phase="evaluate", accounts=False):
        returns += np.where(tick.valid, tick.reward, 0.0)
        running &= ~(tick.valid & (tick.terminated | tick.truncated))
        if running.any():
            possible = returns + np.where(running, task.once + (task.limit - tick.t - 1) * task.best, 0.0)
            if possible.mean() < task.threshold:
                return Look(steps, tuple(possible.tolist()), cut=True)
    return Look(steps, tuple(returns.tolist()))


def first(looks: Sequence[Look], task: Task) -> int | None:
    """The place of the first look that reached the threshold."""
    return next((place for place, each in enumerate(looks) if each.mean >= task.threshold), None)


def enough(looks: Sequence[Look], task: Task) -> bool:
    """Whether all looks are made: the later ones after the first that reached the threshold, or those up to the cap."""
    solved = first(looks, task)
    return bool(looks) and looks[-1].steps >= task.cap if solved is None else len(looks) > solved + task.later


def stays(looks: Sequence[Look], task: Task) -> bool | None:
    """Whether all the later looks reached the threshold; None where there are none, or fewer than there should be."""
    solved = first(looks, task)
    after = [] if solved is None else looks[solved + 1 :]
    return all(each.mean >= task.threshold for each in after) if after and len(after) == task.later else None
