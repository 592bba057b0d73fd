"""Sweep files: an experiment file with a table [sweep] of seeds and of values that settings take."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import exp, isfinite, log
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
from pydantic import Field, ValidationError, model_validator

from agentic import Experiment
from agentic.errors import UserError, listed
from agentic.experiments import Count, Positive, Seeds, Table, read, seeds_of, sentence, toml_text
from agentic.runs import stream

MOST = 100_000  # units of a sweep: a grid of more was not meant
AT_RANDOM = 'write search = "random", or --set sweep.search=random'
OWN = re.compile(r"\s*sweep\s*\.[^=]*=")  # a setting of the sweep itself
Values = Mapping[str, Any]  # by setting


@final
class Range(Table):
    """A range from `low` to `high`, both included; of whole numbers where it is `integer`, even in the `log` of it."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not -float("inf") < self.low < self.high < float("inf"):
            raise ValueError(f"low must lie below high, got {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"the logarithm of low = {self.low:g} is no number: give a positive one")
        if not (isfinite(self.high - self.low) and (not self.log or isfinite(self.high / self.low))):
            raise ValueError(f"from {self.low:g} to {self.high:g} is farther than numbers reach: give a narrower one")
        if self.integer and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("the ends of a range of integers are whole numbers")
        return self

    def at(self, place: float) -> float | int:
        """The value at a place between 0 and 1, such that even places are even values."""
        if self.integer and not self.log:
            return int(self.low) + min(int(place * (self.high - self.low + 1)), int(self.high - self.low))
        share = self.high / self.low if self.log else 1.0
        value = exp(log(self.low) + place * log(share)) if self.log else self.low + place * (self.high - self.low)
        return round(value) if self.integer else min(max(value, self.low), self.high)


@final
class SweepTable(Table):
    """The table [sweep].

    `seeds`: a list, or how many from 0 on. `values`: by setting, a list of values, or a range; every combination is
    tried by a search over the "grid", `trials` of them that are drawn with `seed` by a "random" one or, one batch after
    the other, by "optuna", which looks for the largest mean return. `time_limit`: seconds that one run may take.
    """

    name: Annotated[str, Field(min_length=1)] = "sweep"
    seeds: Seeds = 5
    search: Literal["grid", "random", "optuna"] = "grid"
    trials: Positive = 20
    batch: Positive = 8
    seed: Count = 0
    time_limit: Annotated[float, Field(gt=0)] = 3600.0
    values: dict[str, tuple[Any, ...] | Range] = Field(default_factory=dict)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The seeds."""
        return seeds_of(self.seeds)

    def tried(self) -> list[dict[str, Any]]:
        """The values by setting, one after the other, of a search that knows them beforehand. Raises UserError."""
        if self.search == "grid":
            ranges = [name for name, values in self.values.items() if isinstance(values, Range)]
            if ranges:
                raise UserError(f"[sweep] a grid takes lists, and {listed(ranges)} is a range: {AT_RANDOM}")
            lists = [values for values in self.values.values() if not isinstance(values, Range)]
            if np.prod([float(len(each)) for each in lists]) * len(self.chosen) > MOST:
                raise UserError(f"[sweep] the grid has more than {MOST:,} runs: leave values out, or {AT_RANDOM}")
            return [dict(zip(self.values, each, strict=True)) for each in product(*lists)]
        draws = np.random.default_rng(stream(self.seed, "sweep")).random((self.trials, max(len(self.values), 1)))
        return [
            {name: _drawn(values, place) for (name, values), place in zip(self.values.items(), row, strict=False)}
            for row in draws.tolist()
        ]


class _Whole(Table):
    sweep: SweepTable


def _drawn(values: Sequence[Any] | Range, place: float) -> Any:
    return values.at(place) if isinstance(values, Range) else values[min(int(place * len(values)), len(values) - 1)]


@final
class SweepFile:
    """A sweep: the tables of an experiment, and what of them takes which values. Raises UserError for what is none."""

    def __init__(self, tables: Mapping[str, Any], settings: Iterable[str] = (), *, source: str = "") -> None:
        given = dict(tables)
        own = given.pop("sweep", {})
        if not isinstance(own, Mapping):
            raise UserError(f"{source}[sweep] should be a table, got {own!r}")
        settings = [*settings]
        own = {**own, **dict(map(_own, filter(OWN.match, settings)))}
        values = flattened(own.get("values", {}))
        try:
            plain = json.dumps({**own, "values": {}}, default=str)
            made = _Whole.model_validate_json(f'{{"sweep": {plain}}}', strict=True).sweep
        except ValidationError as error:
            raise UserError(f"{source}{sentence(error, _Whole)}") from None
        try:
            self.table = made.model_copy(
                update={"values": {name: _values(name, each) for name, each in values.items()}}
            )
        except UserError as error:
            raise UserError(f"{source}[sweep] {error}") from None
        if self.table.search != "grid" and self.table.trials * len(self.table.chosen) > MOST:
            raise UserError(f"{source}[sweep] {self.table.trials:,} trials have more than {MOST:,} runs: make fewer")
        self.settings, self.source = tuple(each for each in settings if not OWN.match(each)), source
        self.base = Experiment.of(given, self.settings, source=source)
        self.tables = given

    @classmethod
    def load(
        cls, path: str | Path, settings: Iterable[str] = (), *, vary: Iterable[str] = (), seeds: int | None = None
    ) -> Self:
        """The sweep in a TOML file, an experiment file with or without a table [sweep], after `settings`.

        It has the name of the file where the table has none.
        `vary` are more values to try, as in "planner.horizon=[2, 4]", and `seeds` is how many there are.
        """
        varied = [*map(_varied, vary)]
        names = [name for name, _ in varied]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise UserError(f"{listed(twice)} is varied twice: write all its values into one list")
        tables = read(path)
        if isinstance(own := tables.get("sweep", {}), Mapping):
            tables["sweep"] = {"name": Path(path).stem, **own}
        return cls.of(tables, settings, vary=dict(varied), seeds=seeds, source=f"{path}: ")

    @classmethod
    def of(
        cls,
        tables: Mapping[str, Any],
        settings: Iterable[str] = (),
        *,
        vary: Values | None = None,
        seeds: int | Sequence[int] | None = None,
        source: str = "",
    ) -> Self:
        """The sweep in tables, after `settings`; `vary` are more values to try, by setting."""
        own = tables.get("sweep", {})
        if isinstance(own, Mapping):
            values = {**flattened(own.get("values", {})), **(vary or {})}
            tables = {**tables, "sweep": {**own, "values": values, **({} if seeds is None else {"seeds": seeds})}}
        return cls(tables, settings, source=source)

    def experiment(self, values: Values, seed: int) -> Experiment:
        """The experiment with these values and a seed. Raises UserError where they do not fit."""
        chosen = [f"{name}={toml_word(value)}" for name, value in values.items()]
        source = f"{self.source}with {', '.join(chosen)}: " if chosen else self.source
        return Experiment.of(self.tables, [*self.settings, *chosen, f"run.seed={seed}"], source=source)

    @property
    def worlds(self) -> list[str]:
        """The names of environments and wrappers that it has, as it is and with its values."""
        ids, wrappers = (self.table.values.get(name, ()) for name in ("env.id", "env.wrappers"))
        rows = [row for each in wrappers if isinstance(each, list | tuple) for row in each if isinstance(row, Mapping)]
        return [*self.base.env.names, *(str(each) for each in (*ids, *(row.get("name", "") for row in rows)))]

    def resolved(self) -> dict[str, Any]:
        """The whole as plain tables, absent keys left out."""
        return {"sweep": self.table.model_dump(exclude_none=True), **self.base.tables()}

    def to_toml(self) -> str:
        """The whole as a TOML file, resolved."""
        return toml_text(self.resolved())


def _values(name: str, given: Any) -> tuple[Any, ...] | Range:
    """The values that a setting takes. Raises UserError for what is neither a list nor a range."""
    if name == "run.seed":
        raise UserError("seeds says which seeds: leave out the values of run.seed")
    if isinstance(given, Mapping):
        try:
            return Range.model_validate(given, strict=True)
        except ValidationError as error:
            said = error.errors(include_url=False)[0]
            where = "".join(f" {part}" for part in said["loc"])
            raise UserError(f"the range of {name}:{where} {said['msg'].removeprefix('Value error, ')}") from None
    if not name:
        raise UserError(f"values should be a table of settings, got {given!r}")
    if not isinstance(given, list | tuple) or not given or None in given:
        raise UserError(f"{name} has no values: give a list of one or more, or a range {{low = ..., high = ...}}")
    return tuple(given)


def _varied(text: str) -> tuple[str, Any]:
    """A setting and its values. Raises UserError for what is no such text."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        said = "write a list or a range, such as planner.horizon=[2,4] or learner.rate={low=1e-4,high=1e-2,log=true}"
        raise UserError(f"cannot read the values {text!r}: {said}") from None


def _own(text: str) -> tuple[str, Any]:
    """What a setting such as sweep.seeds=10 sets. Raises UserError for values to try, which it would replace."""
    name, _, value = text.partition("=")
    name = name.strip().partition(".")[2].strip()
    if name.partition(".")[0] == "values":
        raise UserError(f"cannot read the setting {text!r}: values to try stand in [sweep.values], or after --vary")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return name, value.strip()


def toml_word(value: Any) -> str:
    """A value as a setting has it, read back as the same value."""
    line = toml_text({"value": {"of": value}}).splitlines()[1]
    return line.partition(" = ")[2]


def flattened(values: Any, path: str = "") -> dict[str, Any]:
    """Values by setting, also where dotted keys made them tables within tables."""
    if not isinstance(values, Mapping):
        return {path: values}
    if values.keys() <= Range.model_fields.keys() and path:
        return {path: dict(values)}
    found = dict[str, Any]()
    for name, each in values.items():
        found |= flattened(each, f"{path}.{name}" if path else str(name))
    return found


def label_of(values: Values) -> str:
    """Values in words, as in planner.horizon=3, learner.rate=0.001; "as it is" where there are none."""
    return ", ".join(f"{name}={_short(value)}" for name, value in values.items()) or "as it is"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
