"""Experiments: a TOML file of what to run, as one checked, frozen value.

Every mistake in it is told before anything runs, in one sentence with the nearest valid word. The resolved file is
written into the run, so that a run can be repeated from its own folder.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agentic.errors import RunError, UserError, listed
from agentic.experiments.toml import read, sentence, toml_text
from agentic.runs.files import is_own, write_whole
from agentic.runs.folder import RunFolder
from agentic.runs.run import Schedule

TOP = ("model", "goal", "inference", "planner", "learner")  # the tables of an agent's parts beside [agent]

ORIGIN = ("from", "trust")  # keys of [agent] that say whose agent it is

LARGEST = 2**63 - 1  # of whole numbers in a file: what arrays hold
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Positive = Annotated[int, Field(ge=1, le=LARGEST)]


def _once(seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
    if isinstance(seeds, tuple) and len({*seeds}) < len(seeds):
        raise ValueError("a seed stands there twice, and would be the same run")
    return seeds


Seeds = Annotated[
    Annotated[int, Field(ge=1, le=100_000)] | Annotated[tuple[Count, ...], Field(min_length=1)], AfterValidator(_once)
]
"""How many seeds, from 0 on, or which."""


def seeds_of(given: int | tuple[int, ...]) -> tuple[int, ...]:
    """The seeds that are meant."""
    return tuple(range(given)) if isinstance(given, int) else given


class Table(BaseModel):
    """A table of a TOML file with a fixed set of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(BaseModel):
    """The table of a component, by `name`; every other key is a parameter of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Annotated[str, Field(min_length=1)]

    @property
    def parameters(self) -> dict[str, Any]:
        """The keys of the table other than its name."""
        return dict(self.model_extra or {})


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Wrapping = Annotated[Named, BeforeValidator(_named)]  # its name alone, or a table


@final
class RunTable(Table):
    """The table [run]: seed, copies of the environment, number type, threads, and the device of the agent.

    `candidates` is how many of the best courses of action each decision weighed are recorded, `world` whether the state
    of the world is. A run that is kept saves
    a checkpoint every `checkpoint_minutes` and every `checkpoint_steps`, 0 leaving that out.
    """

    seed: Count = 0
    envs: Annotated[int, Field(ge=1, le=2**20)] = 1
    dtype: Literal["float32", "float64"] = "float32"
    threads: Annotated[int, Field(ge=1, le=2**10)] = 1
    device: Annotated[str, Field(pattern=r"^(cpu|mps|cuda(:\d+)?)$")] = "cpu"
    candidates: Count = 0
    world: bool = False
    checkpoint_minutes: Annotated[float, Field(ge=0)] = 5.0
    checkpoint_steps: Count = 0


@final
class EnvTable(Table):
    """The table [env]; `changes` and, around them, `wrappers` are wrappers, each innermost first.

    Changes are components of plugins, wrappers anybody's: "module:Wrapper", or a table of it and its arguments.
    """

    id: Annotated[str, Field(min_length=1)]
    kwargs: dict[str, Any] = {}
    changes: tuple[Named, ...] = ()
    wrappers: tuple[Wrapping, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the environment and of its wrappers, whose modules are part of what it is."""
        return [self.id, *(wrapper.name for wrapper in self.wrappers)]


@final
class AgentTable(Named):
    """The table [agent]: an agent, and how it takes an action from its plan.

    One that is `from` the folder of a run is the agent of that run with all its tables, as it was when learning ended.
    What only that folder names is run where this says `trust`.
    """

    selection: Named | None = None

    @property
    def origin(self) -> str | None:
        """The folder of the run that it is `from`."""
        return self.parameters.get("from")


@final
class PlannerTable(Named):
    """The table [planner]: a planner and the purpose it plans for, how far ahead, and what counts beside the goal."""

    horizon: Positive = 1
    discount: Annotated[float, Field(gt=0, le=1)] = 1.0
    gain: Named | None = None
    effort: Named | None = None
    terminal: Named | None = None


SHARED = PlannerTable.model_fields.keys() - {"name"}  # keys of [planner] that are the purpose's


@final
class LearnTable(Table):
    """The table [learn]: environment steps of experience.

    The first `warmup` are of uniformly random actions that last `hold` steps each, 1 to `hold` if they `vary`;
    episodes are truncated after `cut` of these, where that is not 0 and they begin farther apart than these reach.
    """

    steps: Count = 0
    warmup: Count = 0
    hold: Positive = 1
    vary: bool = False
    cut: Count = 0


@final
class EvaluateTable(Table):
    """The table [evaluate]: how many episodes are evaluated, with learning off; 0 of a run that only learns."""

    episodes: Count = 20


@final
class Experiment(Table):
    """An experiment: everything a run depends on, and the `loggers` that are told of it.

    Raises UserError, one sentence, wherever it is made from something wrong.

    >>> import agentic
    >>> tables = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}
    >>> agentic.Experiment.of(tables, ["run.seed=3"]).run.seed
    3
    >>> agentic.Experiment.of({**tables, "lern": {"steps": 10}})
    Traceback (most recent call last):
    agentic.errors.UserError: unknown table [lern], did you mean 'learn'?; known: run, env, agent, model, goal, ...
    """

    run: RunTable = RunTable()
    env: EnvTable
    agent: AgentTable
    model: Named | None = None
    goal: Named | None = None
    inference: Named | None = None
    planner: PlannerTable | None = None
    learner: Named | None = None
    learn: LearnTable = LearnTable()
    evaluate: EvaluateTable = EvaluateTable()
    loggers: tuple[Wrapping, ...] = ()

    @property
    def schedule(self) -> Schedule:
        """What is learned from, and how many episodes are evaluated."""
        learn = self.learn
        return Schedule(self.evaluate.episodes, learn.steps, learn.warmup, learn.hold, learn.vary, learn.cut)

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Self:
        """The experiment in a TOML file, after `overrides` such as "planner.horizon=3".

        Another `name` drops the parameters of the component it replaces; names are set first.
        """
        return cls.of(read(path), overrides, source=f"{path}: ")

    @classmethod
    def of(cls, tables: Mapping[str, Any], overrides: Iterable[str] = (), *, source: str = "") -> Self:
        """The experiment in plain tables; `source` starts its error messages."""
        given = json.loads(json.dumps(tables, default=str))
        for setting in sorted(overrides, key=lambda text: not re.match(r"\s*agent\.from\s*=|[^=]*\.name\s*=", text)):
            override(given, setting)
        try:
            given = originated(given)
        except UserError as error:
            raise UserError(f"{source}{error}") from None
        try:
            found = cls.model_validate_json(json.dumps(given, default=str), strict=True)
        except ValidationError as error:
            raise UserError(source + sentence(error, cls)) from None
        if not (found.evaluate.episodes or found.learn.steps):
            raise UserError(f"{source}[evaluate] episodes and [learn] steps are both 0, nothing is done: raise one")
        return found

    def on(self, device: str) -> Self:
        """The experiment with its agent on a device, which `build` looks for."""
        return self.model_copy(update={"run": self.run.model_copy(update={"device": device})})

    def tables(self) -> dict[str, Any]:
        """The experiment as plain tables, defaults filled in and absent ones left out."""
        found = self.model_dump(exclude_none=True)
        return found if self.loggers else {name: table for name, table in found.items() if name != "loggers"}

    def to_toml(self) -> str:
        """The experiment as a TOML file, resolved."""
        return toml_text(self.tables())

    def save(self, path: Path) -> None:
        """Write the resolved TOML file. Raises RunError where it cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, self.to_toml())
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error


def file_in(folder: str | Path) -> Path:
    """The experiment file in the folder of a run. Raises UserError where there is none, as of one made in Python."""
    found = RunFolder(folder)
    found.check()
    if not is_own(found.experiment_file):
        raise UserError(f"{folder} holds no {found.experiment_file.name}: what a program ran, that program must make")
    return found.experiment_file


def originated(tables: dict[str, Any]) -> dict[str, Any]:
    """The tables with those of the agent `from` another run's folder, where they do not have them yet."""
    agent = tables.get("agent")
    if not isinstance(agent, dict) or "from" not in agent or "name" in agent:
        return tables
    others = [*(f"[{name}]" for name in TOP if name in tables), *(key for key in agent if key not in ORIGIN)]
    if others:
        raise UserError(f"[agent] from is a whole agent: leave out {listed(others)}, or name an agent instead of it")
    if not isinstance(agent["from"], str):
        raise UserError(f"[agent] from should be the folder of a run, got {agent['from']!r}")
    found = read(file_in(agent["from"]))
    parts = {name: part for name, part in found.items() if name in TOP}
    named = found.get("agent", {})
    own = {key: part for key, part in named.items() if key not in ORIGIN} if isinstance(named, dict) else {}
    return {**tables, **parts, "agent": {**own, **agent}}


def override(tables: dict[str, Any], text: str) -> None:
    """Set one value of plain tables, as in "planner.horizon=3"; what is not TOML is taken as a word.

    One of several components has its name in the path: "loggers.tensorboard.flush_seconds=2".
    """
    path, equals, value = text.partition("=")
    whole = tables
    *parents, key = (part.strip() for part in path.split("."))
    if not equals or not parents or not all((*parents, key)):
        raise UserError(f"cannot read the setting {text!r}: write table.key=value, such as planner.horizon=3")
    place: Any = tables
    for at, parent in enumerate(parents):
        place = _among(place, parents[:at], parent, path) if isinstance(place, list) else place.setdefault(parent, {})
        if not isinstance(place, dict | list):
            raise UserError(f"cannot set {path.strip()}: {parent} is a value and not a table")
    tables = _among(place, parents, "", path) if isinstance(place, list) else place
    try:
        chosen = tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        chosen = value.strip()
    except RecursionError:
        raise UserError(f"cannot set {path.strip()}: the value is nested too deeply") from None
    if parents == ["agent"] and key == "from":  # another agent as a whole
        for name in (*TOP, "agent"):
            whole.pop(name, None)
        tables = whole["agent"] = {}
    if key == "name" and tables.get("name") != chosen:  # the other component's parameters went with it
        kept = {"agent": {"selection"}, "planner": SHARED}.get(parents[0], set())
        for parameter in tables.keys() - kept:
            del tables[parameter]
    tables[key] = chosen


def _among(several: list[Any], where: list[str], name: str, path: str) -> dict[str, Any]:
    """The component of that name among several, as a table in their list. Raises UserError where there is none."""
    several[:] = map(_named, several)
    tables = {str(each.get("name")): each for each in several if isinstance(each, dict)}
    if name not in tables:
        form = f"{'.'.join(where)}.NAME.KEY=VALUE"
        raise UserError(f"cannot set {path.strip()}: expected {form}, with one of these names: {listed(tables)}")
    found: dict[str, Any] = tables[name]
    return found
