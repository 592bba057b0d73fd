"""Loaded components as a value: names are resolved here, and problems kept so that a failed lookup can repeat them.

Full names `id/name` are always valid. A built-in keeps its short name; two third parties of one short name lose it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, cast

from agentic.errors import BREAKS, UserError, described, listed, suggest
from agentic.plugins.contracts import contract_of, fits, homes, named, with_article
from agentic.plugins.discover import PluginError, PluginRow, Problem
from agentic.plugins.hookspecs import KINDS


@dataclass(frozen=True)
class Component:
    """A component as a plugin offers it.

    `target` is a class or a `"module:Class"` string; `sha256` is set for local files.
    """

    kind: str
    name: str
    plugin: str
    version: str | None
    source: str
    target: type | str
    sha256: str | None = None

    @property
    def full_name(self) -> str:
        """`plugin/name`, which is always valid."""
        return f"{self.plugin}/{self.name}"


@dataclass(frozen=True)
class Registry:
    """The components that were loaded, in load order, the rows of all plugins, and what went wrong.

    `proposers` are the functions that propose experiments, each with its plugin.
    """

    components: tuple[Component, ...] = ()
    problems: tuple[Problem, ...] = ()
    rows: tuple[PluginRow, ...] = ()
    proposers: tuple[Component, ...] = ()

    @property
    def files(self) -> list[str]:
        """The paths of the plugins that were given by path."""
        return [row.location for row in self.rows if row.source == "file"]

    def names(self, kind: str) -> list[str]:
        """The names that can be written for a kind: the short one where it is unambiguous, otherwise the full one."""
        return sorted({c.name if self.winner(kind, c.name) is c else c.full_name for c in self.offers(kind)})

    def component(self, kind: str, name: str) -> Component:
        """The component a short or full name stands for. Raises PluginError if it is unknown or ambiguous."""
        if winner := self.winner(kind, name):
            return winner
        offers = self.offers(kind, name)
        if not offers:
            also = [other for other in KINDS if self.offers(other, name)]
            noun = "energy" if kind == "energies" else kind.removesuffix("s")
            other = f"; the name is one of the {listed(also)}" if also else ""
            raise self._unknown(f"unknown {noun}", name, self.names(kind), [kind], other)
        by, full = " and ".join(c.plugin for c in offers), " or ".join(f"'{c.full_name}'" for c in offers)
        raise PluginError(f"{kind} '{name}' is offered by {by}; write {full} instead")

    def resolve(self, kind: str, name: str) -> type[Any]:
        """The class a name stands for; a lazy string is imported now.

        Raises PluginError naming the plugin when the target cannot be imported or called.
        """
        found = self.component(kind, name)
        target: Any = found.target
        try:
            if isinstance(target, str):
                target = EntryPoint(name, target, kind).load()
            if not callable(target):
                raise TypeError(f"it should be a class and is of type {type(target).__name__}")
        except BREAKS as error:
            cause = f"{kind} '{found.name}' at {found.target} does not load, {described(error)}"
            handle = next((row.handle for row in self.rows if row.id == found.plugin), found.plugin)
            remedy = f"`agentic plugins check {handle}` shows more"
            raise Problem(found.plugin, found.version, cause, remedy) from error
        return cast("type[Any]", target)

    def find(self, contract: Any, name: str, where: str = "", kind: str = "") -> tuple[Component, type[Any]]:
        """The component of that name which fulfills a contract, and its class.

        `where` is the table that names it, as messages call it; `kind` is looked in first. Raises PluginError, one
        sentence: for a name that nobody offers, and for one that is something else, with those that would do.
        """
        others: list[type[Any]] = []
        for each in dict.fromkeys([*([kind] if kind else []), *homes(contract), *KINDS]):
            if self.offers(each, name):
                target = self.resolve(each, name)
                if fits(target, contract):
                    return self.component(each, name), target
                others.append(target)
        label, known = f"{where} " if where.startswith("[") else "", self.satisfying(contract)
        if others:
            what = with_article(contract_of(others[0]))
            raise PluginError(f"{label}{name} is {what}; {named(contract)} is wanted: {listed(known)}")
        noun = named(contract).partition(" ")[2].lower() if contract is not object else "component"
        raise self._unknown(f"{label}unknown {noun}", name, known, homes(contract))

    def satisfying(self, contract: Any) -> list[str]:
        """The names that can be written where a contract is asked for; components that do not load are left out."""
        found = []
        for kind in homes(contract):
            for name in self.names(kind):
                with suppress(PluginError):
                    found += [name] if fits(self.resolve(kind, name), contract) else []
        return sorted(found)

    def make(self, contract: Any, table: Mapping[str, Any], where: str = "", environment: Any = None) -> Any:
        """The component of a plain table, `{"name": ..., parameter: ...}`, that fulfills `contract`.

        Tables with a name among its parameters become components too, by the contract that the parameter's annotation
        asks for. `environment` is for those that are made from one. Raises UserError, one sentence, for whatever does
        not fit.
        """
        from agentic.plugins.making import Making, is_table

        if not is_table(table):
            raise UserError(f'expected a table with a name, as {{"name": "..."}}, got {table!r}')
        return Making(self, environment).maker(contract, table, where)()

    def offers(self, kind: str, name: str | None = None) -> list[Component]:
        """The components of a kind, or those that this short or full name may stand for."""
        if kind not in KINDS:
            raise PluginError(f"expected a kind of component ({listed(KINDS)}), got '{kind}'{suggest(kind, KINDS)}")
        return [c for c in self.components if c.kind == kind and name in (None, c.name, c.full_name)]

    def winner(self, kind: str, name: str) -> Component | None:
        """The component that a name stands for: the only one, or the built-in among several; else None."""
        offers = self.offers(kind, name)
        candidates = offers if len(offers) == 1 else [c for c in offers if c.source == "built-in"]
        return candidates[0] if len(candidates) == 1 else None

    def _unknown(self, what: str, name: str, known: Sequence[str], kinds: Iterable[str], also: str = "") -> PluginError:
        """What is said of a name that nobody offers."""
        full = [c.full_name for kind in kinds for c in self.offers(kind)]
        broken = [row for row in self.rows if row.status in ("failed", "unreadable", "clash")]
        hint = f" (`agentic plugins check {broken[0].handle}` says why)" if broken else ""
        failed = f"; plugins that failed to load: {listed(row.id for row in broken)}{hint}" if broken else ""
        return PluginError(f"{what} '{name}'{suggest(name, [*known, *full])}; known: {listed(known)}{also}{failed}")
