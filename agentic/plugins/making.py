"""Components made from plain tables: the name looked up under the contract its place asks for, parameters checked."""

import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentic.errors import RunError, UserError, described, listed, said
from agentic.plugins.contracts import Contract, asked, fits, named, only, several, with_article
from agentic.plugins.parameters import Accepted, accepted, reader, typed

if TYPE_CHECKING:
    from agentic.plugins.registry import Component, Registry

Table = Mapping[str, Any]  # a component by `name`; every other key is a parameter of it


@dataclass(frozen=True)
class Making:
    """The maker of components: where names are looked up, and the environment for those that ask for one.

    `made` collects a plain row for every component, in the order of the tables. `inner` makes what has a contract that
    takes more than a table; it returns None for all others.
    """

    registry: "Registry"
    environment: Any = None
    made: list[dict[str, Any]] = field(default_factory=list)
    inner: Callable[[Contract | None, Table, str], Any] | None = None

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
        for first. Raises UserError for whatever does not fit; so does the function, for what the component says about
        its parameters, but RunError for anything else, which is its plugin's business.
        """
        found, target = self.registry.find(contract, str(table["name"]), where, kind)
        written = {key: value for key, value in table.items() if key != "name" and value is not None}
        self.made.append(row_of(found, written))
        takes, label = accepted(target, leading), f"{where} {table['name']}".strip()
        for part in parts:
            takes.names.pop(part, None)
        own = {key: value for key, value in written.items() if key not in others}
        takes.check(own, label, others)
        inside = f"{where.strip('[]')}." if where else ""
        values = {
            key: self._value(takes.annotation(key), value, f"[{inside}{key}]", f"{label}: {key}", found.kind)
            for key, value in own.items()
        }
        through_env = hasattr(target, "from_env")
        construct: Callable[..., Any] = target.from_env if through_env else target
        first = (self.environment,) if through_env else ()

        def make(*arguments: Any, **more: Any) -> Any:
            made = _made(partial(construct, *first, *arguments, **more, **values), takes, label, found.plugin)
            if (through_env or not isinstance(target, type)) and not fits(type(made), contract):
                raise UserError(f"{label} makes {with_article(type(made).__name__)}, {named(contract)} is wanted")
            return made

        return make

    def _value(self, annotation: Any, value: Any, where: str, label: str, kind: str) -> Any:
        """A parameter's value in the type of its annotation, with what is a component's table made that component."""
        contract = asked(annotation)
        if contract is None:
            if plain := reader(annotation):
                return typed(value, plain, label)
        elif several(annotation):
            if not (isinstance(value, list) and all(map(is_table, value))):
                wanted = f"a list of tables, each with the name of {named(contract)}"
                raise UserError(f"{where} should be {wanted}, got {value!r}")
            return tuple(self._component(contract, part, where, kind) for part in value)
        elif only(annotation) and not is_table(value):
            raise no_component(self.registry, contract, value, where)
        made = [
            self._component(contract, part, where, kind) if is_table(part) else typed(part, None, label)
            for part in (value if isinstance(value, list) else [value])
        ]
        return made if isinstance(value, list) else made[0]

    def _component(self, contract: Contract | None, table: Table, where: str, kind: str) -> Any:
        if self.inner is not None and (made := self.inner(contract, table, where)) is not None:
            return made
        return self.maker(object if contract is None else contract, table, where, kind=kind)()


def no_component(registry: "Registry", contract: Contract, value: Any, where: str) -> UserError:
    """The error about a value that stands in the place of a component's table."""
    known = listed(registry.satisfying(contract))
    return UserError(f"{where} should be a table with the name of {named(contract)}, got {value!r}; known: {known}")


def row_of(found: "Component", parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a component in the manifest of a run, with the SHA-256 of a saved policy or pickle that it reads."""
    row: dict[str, Any] = {key: getattr(found, key) for key in ("kind", "name", "plugin", "version", "sha256")}
    named = [f"{parameters[key]}{end}" for key in ("path", "pickle") if key in parameters for end in ("", ".zip")]
    files = {file: sha256(Path(file).read_bytes()).hexdigest() for file in named if os.path.isfile(file)}
    row["parameters"] = json.loads(json.dumps(dict(parameters)), parse_constant=str)  # inf is no JSON
    return {**row, "files": files} if files else row


def is_table(value: Any) -> bool:
    """Whether a value is a component's table: one with a name."""
    return isinstance(value, Mapping) and isinstance(value.get("name"), str)


def _made(construct: Callable[[], Any], takes: Accepted, label: str, plugin: str) -> Any:
    try:
        return construct()
    except UserError as error:
        raise UserError(f"{label}: {error}") from error
    except (TypeError, ValueError) as error:
        raise UserError(_refused(error, takes, label)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise RunError(f"{label} of plugin {plugin} broke while being made, {described(error)}") from error


def _refused(error: Exception, takes: Accepted, label: str) -> str:
    """What a constructor said, in the words of a file where it misses a parameter that one may write."""
    missing = re.search(r"missing \d+ required .*", said(error))
    names = [name for name in re.findall(r"'(\w+)'", missing[0]) if name in takes.names] if missing else []
    if names:
        return f"{label} needs the parameter '{names[0]}': write {names[0]} = ..."
    return f"{label} cannot be made: {said(error)}"
