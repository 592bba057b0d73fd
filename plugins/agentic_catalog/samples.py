"""Example tables: TOML that can be pasted and that makes the component, tried before it is shown.

Values that must be given are those of an example file, of the component's own `example()`, or any of the right type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, final
from warnings import catch_warnings, simplefilter

import gymnasium

from agentic import Agent, Experiment, Learner, build, make
from agentic.errors import UserError, attempt
from agentic.experiments import TOP, gymnasium_id, toml_text
from agentic.plugins import fits, several
from agentic.testing import Example
from agentic_catalog.entries import Catalog, Entry, is_plain
from agentic_catalog.places import Path, Places
from agentic_catalog.values import Values

Table = Mapping[str, Any]
USUAL = ("CartPole-v1", "FrozenLake-v1", "Pendulum-v1")  # worlds that are tried first


@final
@dataclass(frozen=True)
class Sample:
    """An example of a component: the tables of a file, `world` where they depend on one, else empty.

    `problem` is why nothing could be made of it here, as where a package is missing; else empty.
    """

    tables: Table
    world: str = ""
    problem: str = ""

    @property
    def toml(self) -> str:
        """The tables as TOML; the keys of one table where no table of a file is meant."""
        if "name" in self.tables:
            return toml_text({"table": self.tables}).partition("\n")[2].strip()
        return toml_text(self.tables).strip()


@final
@dataclass(frozen=True)
class Samples:
    """The examples of a catalog's components."""

    catalog: Catalog

    @cached_property
    def places(self) -> Places:
        return Places(self.catalog)

    @cached_property
    def values(self) -> Values:
        return Values(self.catalog)

    def of(self, entry: Entry) -> Sample | None:
        """An example that makes the component; None where a file cannot say what it needs."""
        if not entry.in_file:
            return None
        failed: Sample | None = None
        for own in self._tables(entry):
            for env in self._worlds(entry):
                tables = self._mounted(entry, own, env)
                made = attempt(partial(self._make, entry, own, tables, env))
                world = str(env.get("id", "")) if hasattr(entry.target, "from_env") else ""
                if not isinstance(made, UserError | RuntimeError):
                    return Sample(tables, world)
                failed = failed or Sample(tables, world, str(made))
        return failed

    def _tables(self, entry: Entry) -> Iterator[dict[str, Any]]:
        """Tables of the component's own: its defaults, as example files have it, and with all that it may be given."""
        seen: list[dict[str, Any]] = []
        uses = list(self.values.uses(entry))
        for passed_on in (True, False):
            for opened, shown in ((False, False), (False, True), (True, False), (True, True)):
                for use in ({}, *uses):
                    own = {"name": entry.name, **self._defaults(entry, passed_on), **use}
                    for each in entry.parameters:
                        if each.name not in own and not each.table and (each.needed or (opened and each.open)):
                            own[each.name] = self.values.of(entry, each, shown_first=shown)
                    own |= self.values.shown(entry) if entry.free else {}
                    own = {key: value for key, value in own.items() if value not in (None, (), [], {})}
                    if own not in seen:
                        seen.append(own)
                        yield own

    def _defaults(self, entry: Entry, passed_on: bool) -> dict[str, Any]:
        """The defaults that a file can say, with or without those that an environment may know better."""
        plain = (each for each in entry.parameters if each.contract is None and is_plain(each.default))
        return {each.name: each.default for each in plain if passed_on or not each.passed_on}

    def _worlds(self, entry: Entry) -> Iterator[Table]:
        """Tables [env] to try a component in, those where it is used first; one empty where none is needed."""
        target = entry.target
        wraps = fits(target, gymnasium.Wrapper)
        if not (wraps or fits(target, Agent) or hasattr(target, "from_env")):
            yield {}
            return
        yield from self.values.worlds(entry)
        if wraps and isinstance(target, Example):
            spec = getattr(getattr(attempt(target.example), "unwrapped", None), "spec", None)
            yield from [{"id": spec.id}] if spec is not None else []
        yield from ({"id": each} for each in USUAL)
        for each in self.catalog.entries:
            if each.component.kind == "envs" and fits(each.target, gymnasium.Env):
                yield {"id": gymnasium_id(each.name, self.catalog.registry)}
        yield from self.values.bench_worlds

    def _mounted(self, entry: Entry, own: Table, env: Table) -> dict[str, Any]:
        """The table in its place of a file, in a world where the component depends on it."""
        target, registry = entry.target, self.catalog.registry
        if fits(target, gymnasium.Wrapper):
            return {"env": {**env, "changes": [own]}}
        if fits(target, gymnasium.Env):
            given = {key: value for key, value in own.items() if key != "name"}
            return {"env": {"id": gymnasium_id(entry.name, registry), "kwargs": given}}
        if fits(target, Agent):
            return self._agent(entry, own, env)
        if tables := self.places.tables(entry, self.values.shipped):
            return self._in_place(own, tables[0])
        for holder, parameter in self.places.holders(entry):
            part = [own] if several(parameter.annotation) else own
            host = {**self.values.needed(holder), parameter.name: part}
            return self._mounted(holder, host, env)
        return dict(own)

    def _agent(self, entry: Entry, own: Table, env: Table) -> dict[str, Any]:
        """An agent with the tables of its parts: those of an example file, else the simplest."""
        for tables in self.values.shipped:
            if tables.get("agent", {}).get("name") == entry.name and tables["env"] == env:
                return {**tables, "agent": {**own, **tables["agent"]}}
        parts: dict[str, Any] = {}
        for path, contract in self.places.needed(entry):
            part = self.values.simplest(contract, entry)
            if path[0] in TOP:
                parts[path[0]] = part
            else:
                own = {**own, path[-1]: part}
        return {"env": dict(env), "agent": dict(own), **parts}

    def _in_place(self, own: Table, path: Path) -> dict[str, Any]:
        """A table in its place, within one of an example file where it is not a table of its own."""
        if path in (("metrics",), ("loggers",)):
            return {path[0]: [own]}
        if len(path) == 1:
            return {path[0]: dict(own)}
        hosts = (tables[path[0]] for tables in self.values.shipped if path[1] in tables.get(path[0], {}))
        host = next(hosts, {"name": self.places.owners.get(path, "")})
        return {path[0]: {**host, path[1]: dict(own)}}

    def _make(self, entry: Entry, own: Table, tables: Table, env: Table) -> None:
        with catch_warnings():
            simplefilter("ignore")  # it is only tried
            self._made(entry, own, tables, env)

    def _made(self, entry: Entry, own: Table, tables: Table, env: Table) -> None:
        """Make the component, in its world where it depends on one; learners, which need a model, are not tried."""
        target, registry = entry.target, self.catalog.registry
        if fits(target, Agent | gymnasium.Env | gymnasium.Wrapper):
            agent = {} if "agent" in tables else {"agent": {"name": "random"}}
            build(Experiment.of({**tables, **agent}), registry).environment.close()
        elif env:
            environment = make(env["id"], kwargs=env.get("kwargs", {}))
            try:
                registry.make(target, own, "", environment)
            finally:
                environment.close()
        elif not fits(target, Learner):
            registry.make(target, own)
