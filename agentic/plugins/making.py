"""Components made from plain tables: the name looked up under the contract its place asks for, parameters checked."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from agentic.errors import UserError, listed
from agentic.plugins.contracts import Contract, asked, fits, named, only, several, with_article
from agentic.plugins.parameters import accepted, check_names, maker, plain

if TYPE_CHECKING:
    from agentic.plugins.registry import Component, Registry

Table = Mapping[str, Any]  # a component by `name`; every other key is a parameter of it


@dataclass(frozen=True)
class Making:
    """What components are made with: where names are looked up, the environment for those that ask for one.

    `made` collects a plain row for every component, in the order of the tables. `inner` makes what has a contract that
    takes more than a table; it returns None for all others.
    """

    registry: "Registry"
    environment: Any = None
    made: list[dict[str, Any]] = field(default_factory=list)
    inner: Callable[[Contract | None, Table, str], Any] | None = None

    def make(self, contract: Contract, table: Table, where: str, *leading: Any, **parts: Any) -> Any:
        """The component. `leading` and `parts` are what it is given beside its table. Raises UserError."""
        return self.maker(contract, table, where, len(leading), parts)(*leading, **parts)

    def maker(
        self,
        contract: Contract,
        table: Table,
        where: str,
        leading: int = 0,
        parts: Collection[str] = (),
        others: Collection[str] = (),
        kind: str = "",
    ) -> Callable[..., Any]:
        """A function that makes the component from its `leading` arguments and its `parts`; all else is checked now.

        `others` are keys of the table that are somebody else's. `kind` is where a name without a contract is looked
        for first.
        """
        found, target = self.registry.find(contract, str(table["name"]), where, kind)
        written = {key: value for key, value in table.items() if key != "name" and value is not None}
        self.made.append(row_of(found, written))
        takes = accepted(target, leading)
        for part in parts:
            takes.names.pop(part, None)
        inside, label = f"{where.strip('[]')}." if where else "", f"{where} {table['name']}".strip()
        own = {key: value for key, value in written.items() if key not in others}
        check_names(takes, own, label, others)
        given = {
            key: self._nested(takes.names.get(key), value, f"[{inside}{key}]", found.kind) for key, value in own.items()
        }
        construct = maker(target, takes, given, label, found.plugin, *others)

        def make(*arguments: Any, **more: Any) -> Any:
            first = (self.environment,) if hasattr(target, "from_env") else ()
            made = construct(*first, *arguments, **more)
            if not isinstance(target, type) and not fits(type(made), contract):
                wanted = with_article(named(contract))
                raise UserError(f"{label} makes {with_article(type(made).__name__)}, {wanted} is wanted")
            return made

        return make

    def _nested(self, parameter: Parameter | None, value: Any, where: str, kind: str) -> Any:
        """A parameter's value, with what is a table with a name in it made a component."""
        annotation = None if parameter is None else parameter.annotation
        contract = None if annotation in (None, Parameter.empty) else asked(annotation)
        if contract is None and parameter is not None and plain(annotation):
            return value
        if contract is not None and several(annotation):
            wanted = with_article(named(contract))
            if not (isinstance(value, list) and all(is_table(part) for part in value)):
                raise UserError(f"{where} should be a list of tables, each with the name of {wanted}, got {value!r}")
            return tuple(self._one(contract, part, where, kind) for part in value)
        if isinstance(value, list) and not (contract is not None and only(annotation)):
            return [self._one(contract, part, where, kind) for part in value]
        if contract is not None and only(annotation) and not is_table(value):
            raise no_component(self.registry, contract, value, where)
        return self._one(contract, value, where, kind)

    def _one(self, contract: Contract | None, value: Any, where: str, kind: str) -> Any:
        if not is_table(value):
            return value
        if self.inner is not None and (made := self.inner(contract, value, where)) is not None:
            return made
        return self.maker(object if contract is None else contract, value, where, kind=kind)()


def no_component(registry: "Registry", contract: Contract, value: Any, where: str) -> UserError:
    """What is wrong with a value that stands in the place of a component's table."""
    known = listed(registry.satisfying(contract))
    wanted = with_article(named(contract))
    return UserError(f"{where} should be a table with the name of {wanted}, got {value!r}; known: {known}")


def row_of(found: "Component", parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A component as the manifest of a run has it."""
    row = {key: getattr(found, key) for key in ("kind", "name", "plugin", "version", "sha256")}
    return {**row, "parameters": json.loads(json.dumps(dict(parameters)), parse_constant=str)}  # inf is no JSON


def is_table(value: Any) -> bool:
    """Whether a value is a component's table: one with a name."""
    return isinstance(value, Mapping) and isinstance(value.get("name"), str)
