"""Where components stand in a file: tables that ask for their contract, and parameters of others that do."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias, final

import gymnasium

from agentic import Agent, Evidence, ExpectedEnergy, Logger, Metric, Minimizer, Purpose
from agentic.errors import attempt
from agentic.experiments import places
from agentic.plugins import accepted, asked, fits
from agentic.testing import lowered
from agentic_catalog.entries import Catalog, Entry, Parameter

Path: TypeAlias = tuple[str, ...]  # of a table: ("planner",), ("planner", "gain")


@final
class Places:
    """The places of a catalog's components; `owners` are the agents that alone have a table."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._lowered: dict[str, set[type[Any]]] = {}

    def tables(self, entry: Entry, shipped: Iterable[Mapping[str, Any]] = ()) -> list[Path]:
        """The tables of a file that a component may fill: first where `shipped` files have it, then the narrower."""
        target = entry.target
        if target is None:
            return []
        for contract, path in _OWN:
            if fits(target, contract):
                return [path]
        found = [path for path, contract in self._asking.items() if fits(target, contract)]
        used = {path for path in found for tables in shipped if _name(tables, path) == entry.name}

        def rank(path: Path) -> tuple[bool, int, int, bool]:
            wider = sum(self._asking[other] in inspect.getmro(self._asking[path]) for other in found)
            return path not in used, -wider, len(path), path != _PLAN

        return sorted((path for path in found if self._suits(entry, path)), key=rank)

    def holders(self, entry: Entry) -> list[tuple[Entry, Parameter]]:
        """The parameters of other components that a component may fill, and whose they are."""
        if entry.target is None:
            return []
        found = [
            (each, one) for each, one in self.catalog.asking if each is not entry and one.in_file and not one.table
        ]
        return [(each, one) for each, one in found if fits(entry.target, one.contract)]

    def needed(self, entry: Entry) -> Iterator[tuple[Path, Any]]:
        """The tables without which an agent cannot be made, and what they ask for."""
        for place in places(accepted(entry.target)).values():
            if place.needed:
                contract = self._asking[("goal",)] if place.contract is Purpose else place.contract
                yield tuple(place.where.split(".")), contract

    def lowers(self, entry: Entry) -> set[type[Any]]:
        """What a solver lowers, as far as that can be tried."""
        if entry.name not in self._lowered:
            made = attempt(lambda: lowered(self.catalog.registry.make(entry.target, {"name": entry.name})))
            self._lowered[entry.name] = made if isinstance(made, set) else set()
        return self._lowered[entry.name]

    @cached_property
    def owners(self) -> dict[Path, str]:
        """The agent of each table within its own."""
        agents = [each for each in self.catalog.entries if each.target and fits(each.target, Agent)]
        return {path: each.name for each in agents for path, _ in _tables(each) if len(path) > 1}

    def _suits(self, entry: Entry, path: Path) -> bool:
        """Whether a solver does what a table is for: one that lowers neither is taken to perceive."""
        if path not in (_PLAN, _PERCEIVE) or not fits(entry.target, Minimizer):
            return True
        found = self.lowers(entry)
        return ExpectedEnergy in found if path == _PLAN else Evidence in found or ExpectedEnergy not in found

    @cached_property
    def _asking(self) -> dict[Path, Any]:
        """Every table of a component, and the contract it asks for."""
        takes = accepted(Purpose)
        found: dict[Path, Any] = {}
        for each in self.catalog.entries:
            if each.target and fits(each.target, Agent):
                found |= dict(_tables(each))
        for name in takes.names:
            if (contract := asked(takes.annotation(name))) is not None:
                found[("goal",) if name == "goal" else ("planner", name)] = contract
        return found


_PLAN, _PERCEIVE = ("planner",), ("inference",)
_OWN: tuple[tuple[Any, Path], ...] = (  # contracts whose place is no parameter of an agent
    (Agent, ("agent",)),
    (Metric, ("metrics",)),
    (Logger, ("loggers",)),
    (gymnasium.Wrapper, ("env", "changes")),
    (gymnasium.Env, ("env",)),
)


def _name(tables: Mapping[str, Any], path: Path) -> Any:
    """The name of the component in a place of a file; None where there is none."""
    for key in (*path, "name"):
        tables = tables.get(key, {}) if isinstance(tables, Mapping) else {}
    return tables


def _tables(entry: Entry) -> Iterator[tuple[Path, Any]]:
    for place in places(accepted(entry.target)).values():
        if place.contract is not Purpose:
            yield tuple(place.where.split(".")), place.contract
