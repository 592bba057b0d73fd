"""`agentic.run`: one call for a file, a name, a function or an object, as the command `agentic run` takes them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import torch

from agentic.agents.agent import Agent
from agentic.environments.environment import EnvironmentLike
from agentic.errors import UserError, listed, suggest
from agentic.runs.record import Record
from agentic.runs.run import Progress, Recording, Schedule, run as run_agent

TABLES = ("run", "model", "goal", "inference", "planner", "learner", "learn", "evaluate")
OTHERS = ("agent", "settings", "plugins", "out", "observer", "loggers")
Observer = Callable[[Progress], None]


@overload
def run(
    subject: Agent,
    env: EnvironmentLike,
    schedule: Schedule = ...,
    recording: Recording = ...,
    *,
    seed: int = ...,
    dtype: torch.dtype = ...,
    observer: Observer | None = ...,
) -> Record: ...
@overload
def run(
    subject: object = ...,
    env: EnvironmentLike | None = ...,
    *,
    agent: str | None = ...,
    seed: int = ...,
    envs: int = ...,
    episodes: int = ...,
    steps: int = ...,
    settings: Mapping[str, Any] | Iterable[str] = ...,
    plugins: Iterable[str | Path] = ...,
    out: str | Path | None = ...,
    observer: Observer | None = ...,
    loggers: Iterable[str | Mapping[str, Any]] = ...,
    **tables: Mapping[str, Any],
) -> Record: ...
def run(subject: Any = None, env: Any = None, *schedule: Any, **given: Any) -> Record:
    """The record of one run: experience where something learns, then evaluation with learning off.

    `subject` is an experiment file, the name of an example or, with `env`, of an agent; an `Experiment` or its tables;
    an `Agent`, anything with `predict(obs)` or a function from observation to action, which need `env`: whatever `make`
    takes. As of the command: `agent` takes another one's place, `seed`, `envs`, `episodes`, `steps` and `settings` such
    as {"planner.horizon": 3} change the experiment, and so do its tables, `planner={"horizon": 3}`; `plugins` are by
    path. The record lies in a folder of its own in `out`, by default "runs"; None keeps it in memory. `observer` is
    told of every tick, `loggers` by name or as tables, {"name": "tensorboard"}, of its progress; nothing is printed.

    An `Agent` may be given its `Schedule` and `Recording` instead (see `agentic.runs.run`): it is kept in memory where
    neither names a folder. Raises UserError before anything runs, RunError for what fails later.

    >>> import agentic
    >>> agentic.run("tmaze", episodes=2, out=None).returns().shape
    (2,)
    >>> agentic.run(lambda observation: 0, "CartPole-v1", episodes=3, out=None)
    Record(agent='function', env='CartPole-v1', status='finished', evaluation_steps=28)
    """
    if isinstance(subject, Agent) and env is not None:
        if schedule or given.keys() <= {"schedule", "recording", "seed", "dtype", "observer"}:
            return run_agent(subject, env, *schedule, **given)
    if schedule or {"schedule", "recording", "dtype"} & given.keys():
        raise UserError("a Schedule, a Recording and a dtype go with an Agent: say episodes=, steps= and out= instead")
    return _run(subject, env, **_checked({"out": None if isinstance(subject, Agent) else "runs", **given}))


def _run(
    subject: Any, env: Any, *, settings: list[str], agent: Any, plugins: Any, out: Any, observer: Any, loggers: Any
) -> Record:
    from agentic.cli.starting import logging_to
    from agentic.experiments.build import build
    from agentic.experiments.experiment import Experiment
    from agentic.experiments.worlds import limited
    from agentic.front.request import experiment_of, is_named, live, one_of, paths
    from agentic.plugins import load
    from agentic.runs.folder import create_folder

    def folder(*slug: str) -> Path | None:
        return None if out is None else create_folder(out, "-".join(slug))

    registry = load(paths(plugins))
    if is_named(subject) and (env is None or isinstance(env, str)):
        experiment = limited(experiment_of(subject, env, agent, registry, settings), registry)
        experiment = Experiment.of(logging_to(loggers, experiment.tables()))
        built = build(experiment, registry).with_loggers(registry)
        return built.run(folder(experiment.env.id, Path(experiment.agent.name).stem), observer)
    who = one_of(subject, agent, env, "run")
    found = live(who, env, registry, settings)
    table = Experiment.of(logging_to(loggers, found.experiment.tables()))
    found = replace(found, experiment=table).with_loggers(registry)
    place = folder(found.environment.id, table.agent.name)
    recording = Recording(place, table.run.candidates, found.components, None, found.loggers, table.run.world)
    dtype = getattr(torch, table.run.dtype)
    try:
        return run_agent(
            found.agent,
            found.environment,
            table.schedule,
            recording,
            seed=table.run.seed,
            dtype=dtype,
            observer=observer,
        )
    finally:
        if isinstance(env, str):
            found.environment.close()


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The options of a run, those that change its experiment as settings. Raises UserError for one that is unknown."""
    from agentic.cli.starting import FLAGS
    from agentic.front.request import assignments, several

    known = [*FLAGS, *TABLES, *OTHERS]
    for name in given:
        if name not in known:
            raise UserError(f"agentic.run has no option {name!r}{suggest(name, known)}; known: {listed(known)}")
    settings = assignments(given.pop("settings", ()))
    for name in [name for name in given if name in TABLES]:
        table = given.pop(name)
        settings += assignments({name: table if isinstance(table, Mapping) else {"name": table}})
    settings += [f"{FLAGS[name]}={given.pop(name)}" for name in [name for name in given if name in FLAGS]]
    loggers = several(given.pop("loggers", ()), (str, Mapping), "loggers by name, or as tables")
    return {"agent": None, "plugins": (), "observer": None, **given, "settings": settings, "loggers": loggers}
