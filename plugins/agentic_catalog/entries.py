"""Entries of the catalog: what a component is, which contract it fulfills, and what a file may say to it.

All of it is read from classes, their signatures and docstrings, and what a contract asks for: nothing from a list.
"""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, final

import gymnasium

from agentic import Agent, Learner
from agentic.errors import UserError, attempt
from agentic.experiments import places
from agentic.plugins import KINDS, Component, Registry, accepted, asked, contract_of, only, reader, several
from agentic_catalog import wording


@final
@dataclass(frozen=True)
class Parameter:
    """A parameter of a component.

    `contract` is the class, or union of classes, a component of which is asked for; None for plain values. `needed`:
    it must be given; `passed_on`: to what makes the component from an environment, which may know better than the
    default; `open`: and has none. `in_file`: a file can say it, be it as a `table` of its own.
    """

    name: str
    annotation: Any
    about: str
    contract: Any = None
    default: Any = None
    needed: bool = False
    passed_on: bool = False
    open: bool = False
    in_file: bool = True
    table: bool = False

    @property
    def type(self) -> str:
        """The annotation as one reads it: without the modules that its names come from."""
        if self.annotation in (Any, object, inspect.Parameter.empty):
            return "any"
        said = self.annotation if isinstance(self.annotation, str) else inspect.formatannotation(self.annotation)
        return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", said)

    def to_dict(self) -> dict[str, Any]:
        """A plain table of it; a default that no file can hold as a text."""
        default = self.default if is_plain(self.default) else str(self.default)
        row = {key: getattr(self, key) for key in ("name", "type", "about", "needed", "in_file")}
        return {**row, "default": default}


@final
@dataclass(frozen=True)
class Entry:
    """A component: `name` is what can be written for it, `contract` the name of what it fulfills.

    `free`: it takes parameters of any other name too. `problem` is why it cannot be used, else empty.
    """

    name: str
    component: Component
    target: Any = None
    parameters: tuple[Parameter, ...] = ()
    free: bool = False
    problem: str = ""

    @property
    def contract(self) -> str:
        return self.component.kind if self.target is None else contract_of(self.target)

    @property
    def summary(self) -> str:
        """One line of what it is."""
        return self.problem or wording.summary(self.target)

    @property
    def in_file(self) -> bool:
        """Whether a file can say all that must be said."""
        return not self.problem and all(each.in_file for each in self.parameters if each.needed)

    def to_dict(self) -> dict[str, Any]:
        """A plain table of it."""
        part = self.component
        return {
            "name": self.name,
            "kind": part.kind,
            "contract": self.contract,
            "plugin": part.plugin,
            "version": part.version,
            "summary": self.summary,
            "about": "" if self.target is None else wording.text(self.target),
            "parameters": [each.to_dict() for each in self.parameters],
            "any_other_name": self.free,
        }


@final
@dataclass(frozen=True)
class Catalog:
    """All components of a registry, by kind and name; those that do not load say so."""

    registry: Registry
    entries: tuple[Entry, ...] = field(default=())

    @classmethod
    def of(cls, registry: Registry) -> Self:
        """The catalog of a registry, whose components are all imported now."""
        found = [_entry(registry, kind, name) for kind in KINDS for name in registry.names(kind)]
        return cls(registry, tuple(found))

    def named(self, name: str) -> list[Entry]:
        """The components of a short or full name, one of each kind at most."""
        return [each for each in self.entries if name in (each.name, each.component.full_name)]

    @cached_property
    def asking(self) -> list[tuple[Entry, Parameter]]:
        """Every parameter that asks for a component, and whose it is."""
        return [(each, one) for each in self.entries for one in each.parameters if one.contract is not None]


def is_plain(value: Any) -> bool:
    """Whether TOML can hold a value."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return isinstance(value, bool | int | str) or (isinstance(value, float) and value == value)


def _entry(registry: Registry, kind: str, name: str) -> Entry:
    component = registry.component(kind, name)
    target = attempt(lambda: registry.resolve(kind, name))
    if isinstance(target, UserError | RuntimeError):
        return Entry(name, component, problem=str(target))
    read = attempt(lambda: _parameters(registry, target))
    if isinstance(read, UserError | RuntimeError):
        return Entry(name, component, target, problem=f"its parameters cannot be read: {read}")
    return Entry(name, component, target, *read)


def _parameters(registry: Registry, target: Any) -> tuple[tuple[Parameter, ...], bool]:
    """The parameters of a component, and whether it takes any other name too."""
    takes = accepted(target, 1 if isinstance(target, type) and issubclass(target, Learner | gymnasium.Wrapper) else 0)
    tables = places(takes) if isinstance(target, type) and issubclass(target, Agent) else {}
    found = (_parameter(registry, target, each, each.name in tables) for each in takes.names.values())
    written = not getattr(target.__init__, "__module__", "").startswith("torch.")  # a Module's own takes no names
    return tuple(found), takes.free and written


def _parameter(registry: Registry, target: Any, found: inspect.Parameter, table: bool) -> Parameter:
    """One parameter; `table`: it is a table of an experiment file."""
    annotation, name = found.annotation, found.name
    contract = asked(annotation)
    plain = annotation in (Any, object, found.empty) or isinstance(annotation, str)
    own = attempt(lambda: inspect.signature(target).parameters.get(name))
    door = getattr(target, "from_env", None)
    passed_on = door is not None and name not in inspect.signature(door).parameters
    alone = contract is not None and (only(annotation) or several(annotation))
    sayable = plain or reader(annotation) is not None
    in_file = table or (alone and bool(registry.satisfying(contract)) if contract else sayable)
    return Parameter(
        name,
        annotation,
        wording.about(target, name),
        contract,
        _default(target, found),
        found.default is found.empty,
        passed_on,
        passed_on and isinstance(own, inspect.Parameter) and own.default is own.empty,
        in_file,
        table,
    )


def _default(target: Any, found: inspect.Parameter) -> Any:
    """The default of a parameter; what the factory of a dataclass makes."""
    if found.default is found.empty:
        return None
    if dataclasses.is_dataclass(target):
        field_of = {each.name: each for each in dataclasses.fields(target)}.get(found.name)
        if field_of is not None and field_of.default_factory is not dataclasses.MISSING:
            return field_of.default_factory()
    return found.default
