"""A run that goes on: its parts and where it is, which is all that a checkpoint holds."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch

from agentic.agents.agent import Agent
from agentic.agents.explorer import Explorer
from agentic.environments.environment import Environment
from agentic.errors import BREAKS, RunError, described
from agentic.learning.learner import Learner
from agentic.runs.journal import Journal
from agentic.runs.loop import Course
from agentic.runs.recorder import Recorder
from agentic.runs.schedule import Schedule
from agentic.runs.seeds import Chance, Phase, generator
from agentic.tick import Tick


@dataclass(slots=True)
class Progress:
    """The progress of a run, as its observer gets it after each tick: steps and completed episodes of the phase."""

    phase: Phase
    tick: Tick
    steps: int = 0
    episodes: int = 0
    learned: Mapping[str, float] = field(default_factory=dict)


@final
class Going:
    """A run of `agent` in `world` by a schedule, from its first tick or from where a checkpoint has it.

    `ticks` is the number of ticks so far; `steps` and `episodes` are those of the phase.
    """

    unchanged = ("schedule", "seed", "dtype", "device", "observer")

    def __init__(
        self,
        agent: Agent,
        world: Environment,
        schedule: Schedule,
        recorder: Recorder,
        *,
        seed: int,
        dtype: torch.dtype,
        device: str = "cpu",
        observer: Callable[[Progress], None] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.agent, self.world, self.schedule, self.recorder = agent, world, schedule, recorder
        self.seed, self.dtype, self.device, self.observer = seed, dtype, device, observer
        self.journal = journal
        self.ticks = self.steps = self.episodes = 0
        self.chance = Chance()
        learner = agent.learner if schedule.learn_steps else None
        self.phase: Phase = "evaluate" if learner is None else "learn"
        self.course: Course | None = None  # of an evaluation it begins where statistics stand still
        if learner is not None:
            explorer = _explorer(agent, world, schedule, seed)
            learner.start(generator=generator(seed, "learner"))
            self.course = self._course(explorer, "learn", steps=schedule.learn_steps)

    def go_on(self, after_tick: Callable[[bool], None]) -> None:
        """Go on to the end of the run; `after_tick` is called after each tick, and told whether learning is over."""
        learner = self.agent.learner
        if self.phase == "learn" and learner is not None and self.course is not None:
            self._follow(self.course, learner, after_tick)
            after_tick(True)
            learner.finish()
            self.phase, self.steps, self.episodes, self.course = "evaluate", 0, 0, None
        with self.world.frozen():
            self.course = self.course or self._evaluation()
            self._follow(self.course, None, after_tick)

    def extend(self, steps: int) -> None:
        """Learn for as many steps as the schedule has now, where it had so many when the run was saved."""
        more = self.schedule.learn_steps - steps
        if more and self.phase == "learn" and self.course is not None and self.course.steps is not None:
            self.course.steps += more

    def _evaluation(self) -> Course:
        world = self.world
        each, more = divmod(self.schedule.episodes, world.batch)
        quota = [each + (row < more) for row in range(world.batch)]
        return self._course(self.agent, "evaluate", episodes=quota)

    def _course(
        self, agent: Agent, phase: Phase, steps: int | None = None, episodes: Sequence[int] | None = None
    ) -> Course:
        where: dict[str, Any] = {"dtype": self.dtype, "device": self.device}
        return Course(agent, self.world, self.seed, steps=steps, episodes=episodes, phase=phase, **where)

    def _follow(self, course: Course, learner: Learner | None, after_tick: Callable[[bool], None]) -> None:
        course.states = self.recorder.states
        with chdir("."):  # third parties may leave it, and do not come back
            for tick in course:
                decided = self.recorder.add(self.phase, tick)
                learned = {} if learner is None else learner.update(tick)
                self.ticks += 1
                steps = int(np.count_nonzero(tick.valid))
                ended = int(np.count_nonzero((tick.terminated | tick.truncated) & tick.valid))
                self.steps, self.episodes = self.steps + steps, self.episodes + ended
                if self.journal is not None:
                    self.journal.hear(self.phase, tick, decided, learned, ended > 0)
                if self.observer is not None:
                    self._tell(self.observer, Progress(self.phase, tick, self.steps, self.episodes, learned))
                after_tick(False)

    def _tell(self, observer: Callable[[Progress], None], progress: Progress) -> None:
        try:
            observer(progress)
        except BREAKS as error:
            raise RunError(f"{self.world.place}: the observer of the run broke, {described(error)}") from error


def _explorer(agent: Agent, world: Environment, schedule: Schedule, seed: int) -> Agent:
    """The agent that gathers experience: `agent` itself, after a warm-up where there is one."""
    draws = generator(seed, "action_space")
    if not schedule.warmup:
        return agent
    hold, vary, cut = schedule.hold, schedule.vary, schedule.cut
    return Explorer(agent, world, schedule.warmup, draws, hold=hold, vary=vary, cut=cut)
