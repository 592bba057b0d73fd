"""A run: experience, then evaluation with learning off, both recorded."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.domain import Domain
from agentic.engine.state import State
from agentic.environments.environment import make
from agentic.errors import RunError, UserError
from agentic.learning.learner import Learner
from agentic.runs.candidates import wanted
from agentic.runs.folder import RunFolder
from agentic.runs.loop import ticks
from agentic.runs.manifest import Manifest, describe
from agentic.runs.record import Record
from agentic.runs.recorder import Recorder
from agentic.runs.seeds import Phase, generator
from agentic.tick import Decision, Tick


@dataclass(slots=True)
class Progress:
    """How far a run is, told to its observer after each tick: environment steps and completed episodes of a phase."""

    phase: Phase
    tick: Tick
    steps: int = 0
    episodes: int = 0
    learned: Mapping[str, float] = field(default_factory=dict)


def run(
    agent: Agent,
    env: Any,
    *,
    seed: int = 0,
    learn_steps: int = 0,
    warmup: int = 0,
    hold: int = 1,
    episodes: int = 20,
    folder: str | Path | None = None,
    dtype: torch.dtype = torch.float32,
    observer: Callable[[Progress], None] | None = None,
    components: Sequence[Mapping[str, Any]] = (),
    candidates: int = 0,
) -> Record:
    """Let the agent gather experience, then evaluate it with learning off, and record both.

    `learn_steps` environment steps are learned from, counted over all rows; the actions of the first `warmup` (rounded
    up to whole ticks) are uniform draws that last `hold` ticks each, after which the agent starts afresh. Then exactly
    `episodes` episodes are evaluated, shared evenly among the rows, on seeds that learning never saw. `folder` is the
    run's own, made where it is missing; None keeps the record in memory. `components` go into the manifest. Of every
    decision's plan the best `candidates` are recorded too.

    Raises UserError before anything runs, RunError for what fails later; Ctrl-C passes through. In every case what
    was recorded so far is written, and the manifest says how the run ended.
    """
    _check(agent, learn_steps=learn_steps, warmup=warmup, episodes=episodes, candidates=candidates)
    if hold < 1:
        raise UserError(f"hold must be at least 1 tick, got {hold}")
    world, place = make(env), None if folder is None else RunFolder.new(folder)
    manifest = Manifest(place, describe(seed, dtype, components))
    recorder = Recorder(world, place, wanted(agent, candidates))

    def follow(phase: Phase, happening: Iterator[Tick], learner: Learner | None) -> None:
        progress = None
        for tick in happening:
            recorder.add(phase, tick)
            learned = {} if learner is None else learner.update(tick)
            if observer is not None:
                progress = _advanced(progress, phase, tick, learned)
                observer(progress)

    try:
        if learn_steps:
            draws = generator(seed, "action_space")
            explorer = _Explorer(agent, world.action, warmup, hold, draws, dtype) if warmup else agent
            if agent.learner is not None:
                agent.learner.start(generator=generator(seed, "learner"))
            follow("learn", ticks(explorer, world, seed=seed, steps=learn_steps, dtype=dtype), agent.learner)
        quota = [episodes // world.batch + (row < episodes % world.batch) for row in range(world.batch)]
        follow("evaluate", ticks(agent, world, seed=seed, episodes=quota, dtype=dtype, phase="evaluate"), None)
        recorder.close()
    except BaseException as error:
        _abandon(error, manifest, recorder)
        if isinstance(error, UserError | RunError) or not isinstance(error, Exception):
            raise
        said = " ".join(str(error).split())
        raise RunError(f"{type(agent).__name__} in {world.id}: {type(error).__name__}: {said}") from error
    finally:
        if isinstance(env, str):
            world.close()
    manifest.finish("finished", **_counts(recorder))
    return Record(place and place.path, recorder.tables, manifest.content, recorder.candidates)


@final
class _Explorer(Agent):
    """Uniform actions of `hold` ticks each for the first `steps` steps, then `agent`, which starts afresh."""

    def __init__(
        self, agent: Agent, action: Domain, steps: int, hold: int, draws: torch.Generator, dtype: torch.dtype
    ) -> None:
        self.agent, self.action, self.steps, self.hold = agent, action, steps, hold
        self.draws, self.dtype, self.ticks, self.chosen = draws, dtype, 0, torch.empty(0)

    def start(self, batch: int, *, generator: torch.Generator) -> State:
        return self.agent.start(batch, generator=generator)

    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if self.steps <= 0:
            return self.agent.decide(state, obs, generator=generator)
        if self.ticks % self.hold == 0:
            self.chosen = self.action.draw(len(obs), generator=self.draws, dtype=self.dtype)
        self.steps, self.ticks = self.steps - len(obs), self.ticks + 1
        return Decision(self.chosen, state)


def _advanced(last: Progress | None, phase: Phase, tick: Tick, learned: Mapping[str, float]) -> Progress:
    steps = int(np.count_nonzero(tick.valid))
    episodes = int(np.count_nonzero((tick.terminated | tick.truncated) & tick.valid))
    if last is not None:
        steps, episodes = steps + last.steps, episodes + last.episodes
    return Progress(phase, tick, steps, episodes, learned)


def _counts(recorder: Recorder) -> dict[str, int]:
    return {"steps": recorder.steps("learn"), "evaluation_steps": recorder.steps("evaluate")}


def _abandon(error: BaseException, manifest: Manifest, recorder: Recorder) -> None:
    """Keep what there is: the last chunk, the traceback, the status. What cannot be written must not hide `error`."""
    with suppress(RunError):
        recorder.close()
    with suppress(OSError):
        if manifest.folder is not None:
            manifest.folder.error_file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    with suppress(RunError):
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        manifest.finish(status, **_counts(recorder))


def _check(agent: Agent, **counts: int) -> None:
    for name, count in counts.items():
        if count < 0:
            raise UserError(f"{name} must be at least 0, got {count}")
    if counts["learn_steps"] and agent.learner is None:
        raise UserError(
            f"learn_steps = {counts['learn_steps']}, but {type(agent).__name__} has no learner: give it one"
        )
