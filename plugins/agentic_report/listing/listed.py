"""What one folder of a list holds: a run, a bench or a sweep, from its manifest alone where that says enough."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, nan
from pathlib import Path
from typing import Any, Self, final

from agentic.jobs import LOCK, UnitFolder
from agentic.runs import RunFolder, is_held, is_own, json_table, number_of, toml_table, unsealed
from agentic_bench import BenchFolder
from agentic_report.listing.ongoing import going_on
from agentic_report.listing.places import is_bench, is_sweep
from agentic_report.reading import mapping, real, tables, words
from agentic_report.wording import enumerated, moment

SWEEP = "sweep.toml"  # of a sweep: its experiment, and the values that are tried
STATUSES = ("running", "finished", "interrupted", "failed")
LARGEST = 2**63  # of a seed or a count


@final
@dataclass(frozen=True)
class Listed:
    """A run, a bench or a sweep: who did what where, how it ended, and the mean return of its evaluation.

    `low` and `high` are the 95 % interval of the mean over episodes. What is not known is None, or empty. `status` is
    running, finished, interrupted, failed or broken; `note` says why, of a sweep how many runs it has and how many
    failed, and of a run that goes on how far it is.
    """

    folder: Path
    name: str
    kind: str
    status: str
    note: str = ""
    started: float | None = None
    agent: str = ""
    env: str = ""
    seed: int | None = None
    steps: int | None = None
    episodes: int | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, folder: Path, name: str) -> Self | None:
        """What lies in a folder; None where it is nothing of these."""
        try:
            if is_bench(folder) or is_sweep(folder):
                return cls._several(folder, name)
            return cls._run(folder, name) if RunFolder(folder).holds_run else None
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            return cls(folder, name, "run", "broken", f"it cannot be read: {' '.join(str(error).split())}")

    @classmethod
    def _run(cls, folder: Path, name: str) -> Self:
        manifest, problem = _manifest(folder)
        status, note = ("broken", problem) if problem else _status(folder, manifest)
        agent, env = _named(folder, manifest)
        more: dict[str, Any] = {key: _whole(manifest.get(key)) for key in ("seed", "steps")}
        if status == "running":
            returns, steps, note = going_on(folder)
            more |= ({} if steps is None else {"steps": _whole(steps)}) | ({} if returns is None else _summary(returns))
        else:
            more |= earned(folder, manifest)
        return cls(folder, name, "run", status, note, _time(manifest), agent, env, **more)

    @classmethod
    def _several(cls, folder: Path, name: str) -> Self:
        kind, manifest = ("bench" if is_bench(folder) else "sweep"), RunFolder(folder).manifest
        status, note = _status(folder, manifest) if manifest else ("", "")
        if kind == "sweep" and (own := toml_table(folder / SWEEP)):
            note = ", ".join(filter(None, [_counted(folder, manifest), note]))
            return cls(folder, name, kind, status, note, _time(manifest), *_varied(own))
        known = BenchFolder(folder)
        agents, worlds = words(known.cells.get("agents")), words(known.cells.get("worlds"))
        settings = known.settings if not worlds else {}
        worlds = worlds or tuple(str(each.get("name") or each.get("id")) for each in tables(settings.get("worlds")))
        count = len(agents) or len(tables(settings.get("agents")))
        runs = 0 if count else UnitFolder(folder).size
        who = f"{count} agent{'s' if count != 1 else ''}" if count else f"{runs} run{'s' if runs != 1 else ''}"
        return cls(folder, name, kind, status, note, _time(manifest), who, enumerated(worlds))

    @property
    def number(self) -> int | None:
        """The number of the folder, where it has one."""
        return number_of(self.folder) or None

    @property
    def when(self) -> str:
        """The date and the time when it began, UTC."""
        return moment(self.started)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The experiment by dotted keys, as `planner.horizon`."""
        return flat(RunFolder(self.folder).experiment) if self.kind == "run" else {}

    def value(self, key: str) -> Any:
        """The value in a column, or of a dotted key of the experiment; None where there is none."""
        return COLUMNS[key](self) if key in COLUMNS else self.settings.get(key)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        found = {name: read(self) for name, read in COLUMNS.items()}
        return {**found, "started": self.started, "folder": str(self.folder)}


def is_running(folder: Path) -> bool:
    """Whether a run, a bench or a sweep goes on in a folder, as far as that can be known."""
    found = Listed.of(folder, folder.name)
    return found is not None and found.status == "running"


COLUMNS: dict[str, Callable[[Listed], Any]] = {
    "number": lambda each: each.number,
    "name": lambda each: each.name,
    "kind": lambda each: each.kind,
    "when": lambda each: each.when or None,
    "agent": lambda each: each.agent or None,
    "env": lambda each: each.env or None,
    "seed": lambda each: each.seed,
    "steps": lambda each: each.steps,
    "episodes": lambda each: each.episodes,
    "return": lambda each: each.mean,
    "low": lambda each: each.low,
    "high": lambda each: each.high,
    "status": lambda each: each.status,
    "note": lambda each: each.note or None,
}


def plain_value(value: Any) -> Any:
    """A value of an experiment as strict JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)


def flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The values of a table and of the tables in it, by dotted keys."""
    found = dict[str, Any]()
    for key, value in table.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return found


def _manifest(folder: Path) -> tuple[Mapping[str, Any], str]:
    """The manifest of a run, and what is wrong with its files as far as they need not be read."""
    run = RunFolder(folder)
    content = json_table(run.manifest_file)
    if not content:
        return {}, "its manifest cannot be read" if run.manifest_file.exists() else "it has no manifest"
    found = unsealed(content)
    if found is None:
        return content, "its manifest is not as it was written"
    there = {path.name for kind in ("ticks", "candidates") for path in run.chunks(kind)}
    missing = [name for name in mapping(found.get("chunks")) if name not in there]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return found, f"{missing[0]}{more} {'are' if more else 'is'} missing" if missing else ""


def _status(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """How it ended, and a word on it."""
    status = manifest.get("status")
    if status == "running" and "chunks" in manifest and not is_held(folder):
        return "interrupted", "killed before it could say so"
    if status == "running" and "chunks" not in manifest:  # of a bench or a sweep, which has a lock where it was made
        lock = folder / LOCK
        if not is_own(lock):
            return "running", "or killed before it could say so"
        return ("running", "") if is_held(lock) else ("interrupted", "killed before it could say so")
    if status == "failed":
        return "failed", RunFolder(folder).status.partition(": ")[2]
    return (str(status), "") if status in STATUSES else ("broken", "its manifest does not say how it ended")


def _named(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """The agent and the environment, as the experiment calls them; of a run of objects, as its manifest does."""
    tables_of = RunFolder(folder).experiment
    agent, env = (str(mapping(tables_of.get(t)).get(key) or "") for t, key in (("agent", "name"), ("env", "id")))
    if agent and env:
        return agent, env
    rows = {str(row.get("kind")): str(row.get("name") or "") for row in reversed(tables(manifest.get("components")))}
    return agent or rows.get("agents", ""), env or rows.get("envs", "")


def earned(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The `episodes` evaluated, their `mean` return and the ends `low` and `high` of its interval, as far as known.

    Of a run that does not list its returns they are read from its ticks.
    """
    listed = manifest.get("returns")
    if isinstance(listed, list):
        found = [nan if (value := real(each)) is None else value for each in listed]
    elif manifest.get("evaluation_steps") == 0:
        return {"episodes": 0}
    else:
        found = _recorded(folder)
    return _summary(found)


def _summary(found: list[float]) -> dict[str, Any]:
    if not found:
        return {"episodes": 0}
    from agentic.metrics import return_interval

    mean, interval = return_interval(found)
    numbers = {"mean": mean, "low": interval.low, "high": interval.high}
    return {"episodes": len(found), **{name: value for name, value in numbers.items() if isfinite(value)}}


def _recorded(folder: Path) -> list[float]:
    from agentic import Record
    from agentic.errors import UserError

    try:
        return [float(value) for value in Record.salvage(folder).returns()]
    except (UserError, KeyError):
        return []


def _counted(folder: Path, manifest: Mapping[str, Any]) -> str:
    """How many runs a sweep has, and how many of them failed."""
    runs, failed = _whole(manifest.get("runs")), _whole(manifest.get("failed"))
    if runs is None:
        there = UnitFolder(folder).size
        return f"{there} run{'s' if there != 1 else ''} so far"
    return f"{failed} of {runs} runs failed" if failed else f"{runs} run{'s' if runs != 1 else ''}"


def _varied(tables_of: Mapping[str, Any]) -> tuple[str, str]:
    """The agent and the environment of the runs of a sweep; all those that it tries."""
    values = flat(mapping(mapping(tables_of.get("sweep")).get("values")))
    found = list[str]()
    for table, key in (("agent", "name"), ("env", "id")):
        tried = values.get(f"{table}.{key}")
        own = mapping(tables_of.get(table)).get(key)
        found.append(enumerated([str(each) for each in tried]) if isinstance(tried, list) else str(own or ""))
    return found[0], found[1]


def _time(manifest: Mapping[str, Any]) -> float | None:
    found: Any = manifest.get("started")
    return float(found) if moment(found) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < LARGEST else None
