"""Our agent: learned from nothing as `agentic run` does, and looked at meanwhile."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import agentic
from agentic import Experiment, build, make, run
from agentic.runs import Progress

from .protocol import EPISODES, Look, Task, enough, look


class Enough(KeyboardInterrupt):
    """Enough was seen: nothing is wrong, and what runs ends."""


def experiment(task: Task, file: Path, settings: Sequence[str], seed: int) -> Experiment:
    """The resolved experiment: the file with what the task, `settings` and the seed change in it."""
    more = () if task.file else (f"env.id={task.id}",)
    steps = task.cap + task.later * task.every
    chosen = (*more, *task.settings, *settings, f"run.seed={seed}", "run.envs=1", f"learn.steps={steps}")
    return Experiment.load(file.parent / task.file if task.file else file, chosen)


def learn(task: Task, table: Experiment, seen: Callable[[Look], None]) -> list[Look]:
    """The looks at the agent of a resolved experiment while it learns; `seen` is told of each."""
    built = build(table, agentic.load())
    found = list[Look]()

    def observe(progress: Progress) -> None:
        if progress.steps % task.every:
            return
        world = make(built.environment.copies(), envs=EPISODES)
        found.append(look(built.agent.sealed(), world, task, progress.steps))
        world.close()
        seen(found[-1])
        if enough(found, task):
            raise Enough

    with suppress(Enough):
        schedule = replace(table.schedule, episodes=0)
        run(built.agent, built.environment, schedule, seed=table.run.seed, observer=observe)
    built.environment.close()
    return found
