"""A run: experience, then evaluation with learning off, both recorded."""

import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import torch

from agentic.agents.agent import Agent
from agentic.environments.environment import Environment, EnvironmentLike, make
from agentic.errors import BREAKS, RunError, UserError, described
from agentic.runs.candidates import Wanted
from agentic.runs.checkpoint import Checkpoint, forget, remove
from agentic.runs.files import held, write_whole
from agentic.runs.folder import RunFolder
from agentic.runs.going import Going, Progress
from agentic.runs.journal import Journal
from agentic.runs.manifest import Manifest, describe, fingerprint
from agentic.runs.record import Record, evaluated
from agentic.runs.recorder import Recorder
from agentic.runs.saver import Saver
from agentic.runs.schedule import Recording, Schedule
from agentic.runs.stopping import stop_between_ticks

__all__ = ["Progress", "Recording", "Restart", "Schedule", "go_on", "run"]

LISTED = 10_000  # returns that a manifest has at most


class Restart(NamedTuple):
    """Where a run goes on: after a checkpoint, None for its beginning; for `more` steps also where it has finished.

    `begin` is called before anything in its folder changes.
    """

    start: Checkpoint | None = None
    more: bool = False
    begin: Callable[[], None] = lambda: None


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
    device: str = "cpu",
    observer: Callable[[Progress], None] | None = None,
) -> Record:
    """Let the agent gather experience, then evaluate it with learning off, and record both.

    `env` is anything `make` takes, `dtype` the type of the agent's numbers and `device` where they are; `observer` is
    told of every tick. Episodes that never end are not cut here: give such an environment a limit, as
    `gymnasium.wrappers.TimeLimit` does.

    Raises UserError before anything runs, RunError for what fails later; Ctrl-C passes through. In every case what
    was recorded so far is written, and the manifest says how the run ended.
    """
    _check(agent, schedule, recording)
    world = make(env)
    if recording.world:
        world.states()  # refused before there is a folder
    folder = None if recording.folder is None else RunFolder.new(Path(recording.folder).absolute())
    how: dict[str, Any] = {"seed": seed, "dtype": dtype, "device": device, "observer": observer}
    content = {"seed": seed, "threads": torch.get_num_threads(), "device": device, "dtype": str(dtype)[6:]}
    content |= {"world": True} if recording.world else {}
    components = [dict(component) for component in recording.components]
    manifest = Manifest(folder, {**describe(), **content, "components": components, **fingerprint(folder)})
    try:
        with nullcontext() if folder is None else held(folder.path):
            return _lived(agent, world, schedule, recording, manifest, **how)
    finally:
        if isinstance(env, str):
            world.close()


def go_on(
    agent: Agent,
    world: Environment,
    schedule: Schedule,
    recording: Recording,
    *,
    seed: int,
    restart: Restart,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    observer: Callable[[Progress], None] | None = None,
) -> Record:
    """Let a run that stopped, or was killed, go on in its folder: where `restart` says.

    All else that is given is as the run was given it, and made anew; only steps of learning may be more. Ticks
    after the checkpoint are dropped. Raises UserError, with the folder as it was, where the checkpoint does not fit.
    """
    assert recording.folder is not None
    folder = RunFolder(Path(recording.folder).absolute())
    how = {"seed": seed, "dtype": dtype, "device": device, "observer": observer}
    with held(folder.path):
        manifest = Manifest.resumed(folder, restart.start, restart.begin)
        if manifest.content["status"] == "finished" and not restart.more:
            raise UserError(f"{folder.path} has finished meanwhile: nothing is left to do")
        return _lived(agent, world, schedule, recording, manifest, restart.start, **how)


def _lived(
    agent: Agent,
    world: Environment,
    schedule: Schedule,
    recording: Recording,
    manifest: Manifest,
    start: Checkpoint | None = None,
    **how: Any,
) -> Record:
    """The record of a run that begins, or goes on from a checkpoint."""
    wanted = Wanted(recording.candidates, agent.precision) if recording.candidates else None
    folder, states = manifest.folder, world.states() if recording.world else None
    recorder = Recorder(world, folder, wanted, manifest, states)
    journal = Journal(manifest, world.batch, recording.loggers)
    try:
        going = Going(agent, world, schedule, recorder, journal=journal, **how)
        if folder is None or recording.checkpoints is None:
            journal.begin()
            going.go_on(lambda learned: None)
        else:
            saver = Saver(going, folder, recording.checkpoints, spent=manifest.spent)
            if start is not None:
                saver.put_back(start)
            if not manifest.begun:
                manifest.begin()
                forget(folder, start)
                recorder.rewind(folder)
            journal.begin()
            with stop_between_ticks() as saver.stop:
                going.go_on(saver.after_tick)
        recorder.close()
    except BaseException as error:
        if not manifest.begun:  # nothing of the run that stopped was touched
            raise
        _abandon(error, manifest, recorder, journal)
        begun = any(recorder.counts.values())  # then something was recorded, and the run is one that failed
        if isinstance(error, RunError | KeyboardInterrupt) or (isinstance(error, UserError) and not begun):
            raise
        why = str(error) if isinstance(error, UserError) else described(error)
        raise RunError(f"{type(agent).__name__} in {world.place}: {why}") from error
    manifest.finish("finished", **recorder.counts, **_returns(folder))
    journal.finish("finished")
    for path in [] if folder is None else folder.checkpoints():
        remove(path)
    given = None if recording.folder is None else Path(recording.folder)
    return Record(given, recorder.tables, manifest.content, recorder.candidates)


def _returns(folder: RunFolder | None) -> dict[str, list[float | None]]:
    """The returns of evaluation for the manifest, so that many runs are listed without their ticks."""
    try:
        found = [] if folder is None else evaluated(folder).tolist()
    except UserError:  # who reads the record is told
        return {}
    return {} if folder is None or len(found) > LISTED else {"returns": [x if isfinite(x) else None for x in found]}


def _abandon(error: BaseException, manifest: Manifest, recorder: Recorder, journal: Journal) -> None:
    """Keep what there is: the last chunk, the traceback, the status. What cannot be written must not hide `error`."""
    with suppress(*BREAKS):  # a checkpoint that somebody changed can make anything of a recorder
        recorder.close()
    with suppress(OSError):
        if manifest.folder is not None:
            write_whole(manifest.folder.error_file, "".join(traceback.format_exception(error)))
    status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    with suppress(RunError):
        manifest.finish(status, **recorder.counts)
    with suppress(RunError):
        journal.finish(status)
