"""Values for parameters that must be given: out of example files, of a component's own `example()`, or of the type."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, final, get_args, get_origin

import gymnasium
import numpy as np
from torch import Tensor

from agentic.cli import example_names
from agentic.errors import BREAKS, attempt
from agentic.experiments import example, read
from agentic.plugins import fits
from agentic.testing import Example
from agentic_catalog.entries import Catalog, Entry, Parameter, is_plain

Table = Mapping[str, Any]


@final
class Values:
    """Values for the parameters of a catalog's components."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @cached_property
    def shipped(self) -> list[dict[str, Any]]:
        """The tables of all example files; none where they were left out of the installation."""
        found = attempt(
            lambda: [_placed(read(example(name)), example(name).parent) for name in sorted(example_names(), key=len)]
        )
        return found if isinstance(found, list) else []

    def of(self, entry: Entry, each: Parameter, *, shown_first: bool = False) -> Any:
        """A value for a parameter; None where there is no way to find one."""
        if each.contract is not None:
            return self.simplest(each.contract, entry)
        found = [use[each.name] for use in self.uses(entry) if each.name in use]
        shown = self.shown(entry).get(each.name)
        found = [shown, *found] if shown_first else [*found, shown]
        others = [table[each.name] for tables in self.shipped for table in _tables(tables) if each.name in table]
        usable = [
            value for value in [*found, _any_of(each.annotation), *others] if value is not None and is_plain(value)
        ]
        return usable[0] if usable else None

    def simplest(self, contract: Any, besides: Entry) -> dict[str, Any] | None:
        """The table of the component that fulfills a contract and needs the least."""
        able = [each for each in self.catalog.entries if each.in_file and each is not besides]
        able = [each for each in able if fits(each.target, contract)]
        able.sort(key=lambda each: (sum(one.needed for one in each.parameters), len(each.parameters)))
        return self.needed(able[0]) if able else None

    def needed(self, entry: Entry) -> dict[str, Any]:
        """A component's table with nothing but what must be given."""
        return {"name": entry.name, **{one.name: self.of(entry, one) for one in entry.parameters if one.needed}}

    def shown(self, entry: Entry) -> Mapping[str, Any]:
        """The arguments of the component's `example()`, as far as it keeps them."""
        made = attempt(entry.target.example) if isinstance(entry.target, Example) else None
        if isinstance(made, gymnasium.utils.RecordConstructorArgs):
            return {key: value for key, value in made._saved_kwargs.items() if is_plain(value)}
        kept: dict[str, Any] = {}
        for each in entry.parameters:
            try:
                value = getattr(made, each.name, None)
            except BREAKS:
                continue
            kept[each.name] = value.tolist() if isinstance(value, Tensor | np.ndarray) else value
        return kept

    def worlds(self, entry: Entry) -> Iterator[Table]:
        """The tables [env] of the example files in which a component is used."""
        for tables in self.shipped:
            if "env" in tables and any(each.get("name") == entry.name for each in _tables(tables)):
                yield tables["env"]

    @cached_property
    def bench_worlds(self) -> list[Table]:
        """The worlds of the example benches, as tables [env]."""
        found = (each for tables in self.shipped for each in tables.get("worlds", []))
        return [{key: each[key] for key in ("id", "kwargs") if key in each} for each in found]

    def uses(self, entry: Entry) -> Iterator[dict[str, Any]]:
        """The parameters that example files give a component, as far as a file can say them alone."""
        plain = {each.name for each in entry.parameters if each.contract is None}
        for tables in self.shipped:
            for table in _tables(tables):
                if table.get("name") == entry.name:
                    yield {key: value for key, value in table.items() if key in plain}


def _tables(value: Any) -> Iterator[Table]:
    """Every table within plain tables, the outer first."""
    if isinstance(value, Mapping):
        yield value
        for part in value.values():
            yield from _tables(part)
    elif isinstance(value, list):
        for part in value:
            yield from _tables(part)


def _placed(value: Any, folder: Path) -> Any:
    """Plain tables with the path of each text that names a file of the folder, of seed 0 where there are several."""
    if isinstance(value, str):
        file = folder / value.replace("{seed}", "0")
        return str(file) if value.strip() and file.is_file() else value
    if isinstance(value, Mapping):
        return {key: _placed(part, folder) for key, part in value.items()}
    return [_placed(part, folder) for part in value] if isinstance(value, list) else value


def _any_of(annotation: Any) -> Any:
    """Some value of a type; None where none comes to mind."""
    of = {bool: False, int: 1, float: 0.5}
    if annotation in of:
        return of[annotation]
    origin = get_origin(annotation)
    inner = [found for part in get_args(annotation) if (found := _any_of(part)) is not None]
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return inner[:1] or None
    return inner[0] if inner else None
