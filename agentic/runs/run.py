"""A run: experience, then evaluation with learning off, both recorded."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from agentic.agents.agent import Agent
from agentic.agents.explorer import Explorer
from agentic.environments.environment import Environment, EnvironmentLike, make
from agentic.errors import BREAKS, RunError, UserError, described
from agentic.learning.learner import Learner
from agentic.runs.candidates import Wanted
from agentic.runs.files import write_whole
from agentic.runs.folder import RunFolder
from agentic.runs.loop import ticks
from agentic.runs.manifest import Manifest, describe, fingerprint
from agentic.runs.record import Record
from agentic.runs.recorder import Recorder
from agentic.runs.seeds import Phase, generator
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
@dataclass(frozen=True)
class Schedule:
    """The schedule of a run: steps that are learned from, then episodes that are evaluated with learning off.

    `learn_steps` environment steps are counted over all rows; the actions of the first `warmup` (rounded up to whole
    ticks) are uniform draws that last `hold` ticks each (where holds `vary` 1 to `hold`, as many as chance says), after
    which the agent starts afresh. Episodes of the warm-up are truncated after `cut` steps, where that is not 0 and they
    begin farther apart than random actions reach, so that it begins more often. Then exactly `episodes` episodes are
    evaluated, shared evenly among the rows, on seeds that learning never saw.

    Raises UserError for a negative number, and for a `hold` below 1.

    >>> import agentic
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> len(agentic.run(agent, env, agentic.Schedule(episodes=3)).returns())
    3
    """

    episodes: int = 20
    learn_steps: int = 0
    warmup: int = 0
    hold: int = 1
    vary: bool = False
    cut: int = 0

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            if name == "vary":
                continue
            _check_count(name, number, int(name == "hold"))


@final
@dataclass(frozen=True)
class Recording:
    """The folder of a run, and what is recorded there beside its ticks.

    `folder` is the run's own, made where it is missing; None keeps the record in memory. Of every decision's plan the
    best `candidates` are recorded too. `components` go into the manifest. Raises UserError for negative `candidates`.

    >>> import agentic, tempfile
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> folder = tempfile.mkdtemp()
    >>> record = agentic.run(agent, env, agentic.Schedule(episodes=3), agentic.Recording(folder))
    >>> len(agentic.Record.open(folder).returns())
    3
    """

    folder: str | Path | None = None
    candidates: int = 0
    components: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        _check_count("candidates", self.candidates, 0)


def _check_count(name: str, number: Any, least: int) -> None:
    if not isinstance(number, int | np.integer) or isinstance(number, bool):
        raise UserError(f"{name} must be a whole number, got {number!r}")
    if number < least:
        raise UserError(f"{name} must be at least {least}, got {number}")


def _check(agent: Agent, schedule: Any, recording: Any) -> None:
    if not (isinstance(schedule, Schedule) and isinstance(recording, Recording)):
        raise UserError(f"run takes a Schedule, then a Recording, got {schedule!r} and {recording!r}")
    if schedule.learn_steps and agent.learner is None:
        raise UserError(f"learn_steps = {schedule.learn_steps}, but {type(agent).__name__} has no learner: give it one")


def run(
    agent: Agent,
    env: EnvironmentLike,
    schedule: Schedule = Schedule(),
    recording: Recording = Recording(),
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    observer: Callable[[Progress], None] | None = None,
) -> Record:
    """Let the agent gather experience, then evaluate it with learning off, and record both.

    `env` is anything `make` takes, `dtype` the type of the agent's numbers; `observer` is told of every tick. Episodes
    that never end are not cut here: give such an environment a limit, as `gymnasium.wrappers.TimeLimit` does.

    Raises UserError before anything runs, RunError for what fails later; Ctrl-C passes through. In every case what
    was recorded so far is written, and the manifest says how the run ended.
    """
    _check(agent, schedule, recording)
    world = make(env)
    folder = None if recording.folder is None else RunFolder.new(Path(recording.folder).absolute())
    content = {"seed": seed, "threads": torch.get_num_threads(), "device": "cpu", "dtype": str(dtype)[6:]}
    components = [dict(component) for component in recording.components]
    manifest = Manifest(folder, {**describe(), **content, "components": components, **fingerprint(folder)})
    wanted = Wanted(recording.candidates, agent.precision) if recording.candidates else None
    recorder = Recorder(world, folder, wanted, manifest)

    def follow(phase: Phase, happening: Iterator[Tick], learner: Learner | None) -> None:
        progress = None
        with chdir("."):  # third parties may leave it, and do not come back
            for tick in happening:
                recorder.add(phase, tick)
                learned = {} if learner is None else learner.update(tick)
                if observer is not None:
                    progress = _advanced(progress, phase, tick, learned)
                    _tell(observer, progress, world.place)

    try:
        if schedule.learn_steps and agent.learner is not None:
            explorer = _explorer(agent, world, schedule, seed)
            agent.learner.start(generator=generator(seed, "learner"))
            follow("learn", ticks(explorer, world, seed=seed, steps=schedule.learn_steps, dtype=dtype), agent.learner)
            agent.learner.finish()
        each, more = divmod(schedule.episodes, world.batch)
        quota = [each + (row < more) for row in range(world.batch)]
        follow("evaluate", ticks(agent, world, seed=seed, episodes=quota, dtype=dtype, phase="evaluate"), None)
        recorder.close()
    except BaseException as error:
        _abandon(error, manifest, recorder)
        if isinstance(error, UserError | RunError | KeyboardInterrupt):
            raise
        raise RunError(f"{type(agent).__name__} in {world.place}: {described(error)}") from error
    finally:
        if isinstance(env, str):
            world.close()
    manifest.finish("finished", **recorder.counts)
    given = None if recording.folder is None else Path(recording.folder)
    return Record(given, recorder.tables, manifest.content, recorder.candidates)


def _tell(observer: Callable[[Progress], None], progress: Progress, place: str) -> None:
    try:
        observer(progress)
    except BREAKS as error:
        raise RunError(f"{place}: the observer of the run broke, {described(error)}") from error


def _explorer(agent: Agent, world: Environment, schedule: Schedule, seed: int) -> Agent:
    """The agent that gathers experience: `agent` itself, after a warm-up where there is one."""
    draws = generator(seed, "action_space")
    if not schedule.warmup:
        return agent
    hold, vary, cut = schedule.hold, schedule.vary, schedule.cut
    return Explorer(agent, world, schedule.warmup, draws, hold=hold, vary=vary, cut=cut)


def _advanced(last: Progress | None, phase: Phase, tick: Tick, learned: Mapping[str, float]) -> Progress:
    steps = int(np.count_nonzero(tick.valid))
    episodes = int(np.count_nonzero((tick.terminated | tick.truncated) & tick.valid))
    if last is not None:
        steps, episodes = steps + last.steps, episodes + last.episodes
    return Progress(phase, tick, steps, episodes, learned)


def _abandon(error: BaseException, manifest: Manifest, recorder: Recorder) -> None:
    """Keep what there is: the last chunk, the traceback, the status. What cannot be written must not hide `error`."""
    with suppress(RunError):
        recorder.close()
    with suppress(OSError):
        if manifest.folder is not None:
            write_whole(manifest.folder.error_file, "".join(traceback.format_exception(error)))
    with suppress(RunError):
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        manifest.finish(status, **recorder.counts)
