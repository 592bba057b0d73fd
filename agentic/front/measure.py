"""`agentic.measure`: metrics by name, of whatever the commands take and of objects made in Python."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload, runtime_checkable

import torch

from agentic.environments.environment import EnvironmentLike
from agentic.errors import RunError, UserError, listed, shown, suggest
from agentic.front.profile import Profile
from agentic.metrics.measurement import Measurement
from agentic.metrics.metric import Metric, measure as measure_metric
from agentic.metrics.subject import Part, Subject, subject_of
from agentic.runs.folder import RunFolder
from agentic.runs.record import Record
from agentic.runs.run import run as run_agent

if TYPE_CHECKING:
    from agentic.cli.subjects import Source
    from agentic.experiments.build import Built
    from agentic.plugins import Registry


@runtime_checkable
class DataSet(Protocol):
    """A data set of Minari."""

    def iterate_episodes(self) -> Any:
        """Its episodes."""


One: TypeAlias = str | Metric
OPTIONS = ("agent", "seed", "episodes", "settings", "plugins", "references", "trust")


@overload
def measure(
    metric: One,
    subject: object = ...,
    env: EnvironmentLike | None = ...,
    *,
    agent: str | None = ...,
    seed: int | None = ...,
    episodes: int | None = ...,
    settings: Mapping[str, Any] | Iterable[str] = ...,
    **options: Any,
) -> Measurement: ...
@overload
def measure(
    metric: Sequence[One] | None,
    subject: object = ...,
    env: EnvironmentLike | None = ...,
    *,
    agent: str | None = ...,
    seed: int | None = ...,
    episodes: int | None = ...,
    settings: Mapping[str, Any] | Iterable[str] = ...,
    **options: Any,
) -> Profile: ...
def measure(
    metric: One | Iterable[One] | None, subject: Any = None, env: Any = None, **given: Any
) -> Measurement | Profile:
    """The measurement of a subject by one metric; by several, or all that apply (None), the `Profile` of them.

    A metric is its name or a `Metric`. `subject` is a `Record`, a run's folder or "minari:..."; whatever `agentic.run`
    takes, alone or with `env`, which is run first; the pair (agent, env) of these; or a `Subject`. As of the command:
    `agent`, `episodes`, `seed`, `plugins`, `trust`; `settings` are parameters of metrics, {"effective_information.k":
    2}; `references=True` measures a rock and a random agent beside it. What needs more than a record is run again from
    the folder's own experiment.

    Raises UserError where the subject lacks what the metric needs, RunError where the metric breaks.

    >>> import agentic
    >>> record = agentic.run("random", "FrozenLake-v1", episodes=20, out=None)
    >>> agentic.measure("episode_return", record).unit
    'reward'
    >>> print(agentic.measure("episode_return", (lambda observation: 1, "FrozenLake-v1"), episodes=20))
    episode_return = 0 reward; [0, 0.1684]; 20 episodes, 20 samples
    """
    if isinstance(metric, Metric) and isinstance(subject, Subject) and given.keys() <= {"seed"}:
        return measure_metric(metric, subject, seed=given.get("seed") or 0)
    for name in given:
        if name not in OPTIONS:
            raise UserError(f"agentic.measure has no option {name!r}{suggest(name, OPTIONS)}; known: {listed(OPTIONS)}")
    from agentic.front.request import several

    wanted = "the name of a metric, a Metric or a list of these"
    names = None if metric is None else several(metric, (str, Metric), wanted)
    found = _profile(names, subject, env, **given)
    return next(iter(found.values())) if isinstance(metric, str | Metric) else found


def _profile(
    names: Sequence[One] | None,
    subject: Any,
    env: Any,
    *,
    seed: int | None = None,
    settings: Any = (),
    plugins: Iterable[str | Path] = (),
    references: bool = False,
    **who: Any,
) -> Profile:
    from agentic.cli.measuring import Profiler, chosen, warned
    from agentic.front.request import assignments, paths
    from agentic.plugins import load

    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0):
        raise UserError(f"seed must be a whole number from 0 on, got {shown(seed)}")
    registry = load(paths(plugins))
    asked = [name for name in names or () if isinstance(name, str)]
    metrics, broken = chosen(asked, assignments(settings), registry) if asked or names is None else ({}, {})
    metrics |= {type(each).__name__: each for each in names or () if isinstance(each, Metric)}
    parts: set[Part] = {need for each in metrics.values() for need in each.needs}
    source = _source(subject, env, registry, parts, seed, **who)
    profiler = Profiler(metrics, True, references, True, broken)
    own = 0 if source.experiment is None or source.recorded is not None else source.experiment.run.seed
    rows = profiler.rows(source, [own if seed is None else seed])
    left = {**profiler.broken, **profiler.left_out}
    if left and not rows:
        words = "; ".join(f"{name}: {reason}" for name, reason in left.items())
        raise (RunError if any(isinstance(each, RunError) for each in left.values()) else UserError)(words)
    lived = source.recorded is not None and not source.recorded.lacks("record")
    return Profile(warned(rows, source) if lived else rows, left)


def _source(
    subject: Any,
    env: Any,
    registry: "Registry",
    parts: set[Part],
    seed: int | None,
    *,
    agent: str | None = None,
    episodes: int | None = None,
    trust: bool = False,
) -> "Source":
    """Where the subject comes from: a recorded run, an experiment that is run, or objects."""
    from agentic.cli.subjects import Source
    from agentic.front.request import experiment_of, is_named, live, named, one_of

    if isinstance(subject, tuple) and len(subject) == 2 and env is None:
        subject, env = subject
    lived = env is None and _recorded(subject) is not None
    if lived or isinstance(subject, Subject | Record | DataSet):
        for name, value in {"agent": agent, "episodes": episodes}.items():
            if value is not None:
                raise UserError(f"{name} goes with what is run: what is recorded already stays as it is")
    if lived and (run := _recorded(subject)):
        return Source.of_run(run, registry, True, trust=trust)
    if isinstance(subject, Subject | Record | DataSet):
        found = subject if isinstance(subject, Subject) else subject_of(subject, env)
        return Source("subject", registry, True, None, found)
    settings = [] if episodes is None else [f"evaluate.episodes={episodes}"]
    if is_named(subject) and (env is None or isinstance(env, str)):
        experiment = experiment_of(subject, env, agent, registry, settings)
        return Source(f"{experiment.env.id}, {experiment.agent.name}", registry, True, experiment)
    who = one_of(subject, agent, env, "measure")
    settings += [] if seed is None else [f"run.seed={seed}"]
    found = _lived(live(who, env, registry, settings), parts, isinstance(env, str))
    return Source(named(who), registry, True, None, found)


def _recorded(subject: Any) -> str | None:
    """The folder of a run, or the name of a data set, that a subject is recorded in."""
    folder = subject.folder if isinstance(subject, Record) else subject
    if isinstance(folder, str | Path) and (str(folder).startswith("minari:") or RunFolder(folder).holds_run):
        return str(folder)
    return None


def _lived(found: "Built", parts: set[Part], own: bool) -> Subject:
    """The subject that an agent is in its world, once it has learned, with a record where one is wanted."""
    try:
        record = None
        copies = found.environment.copies() if "environment" in parts else None
        table = found.experiment
        if "record" in parts or table.learn.steps:
            dtype = getattr(torch, table.run.dtype)
            record = run_agent(found.agent, found.environment, table.schedule, seed=table.run.seed, dtype=dtype)
        return Subject(record, found.agent.sealed(), copies)
    finally:
        if own:
            found.environment.close()
