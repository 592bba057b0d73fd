"""Bench files: agents, worlds, metrics and interventions as data, so that one more of any is one more table."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, final

import numpy as np
from pydantic import Field, ValidationError

from agentic import Experiment
from agentic.errors import UserError, listed, suggest
from agentic.experiments import TOP, RunTable, Table, agent_path, originated, read, sentence, toml_text
from agentic.showing import Shown
from agentic_bench.tables import BenchAgent, BenchIntervention, BenchMetric, BenchTable, WorldTable
from agentic_bench.task import Column, Task


@final
class Battery(Shown, Table):
    """A battery: everything a bench depends on.

    Raises UserError, one sentence, wherever it is made from something wrong.
    """

    bench: BenchTable = BenchTable()
    run: RunTable = RunTable()
    worlds: Annotated[tuple[WorldTable, ...], Field(min_length=1)]
    agents: Annotated[tuple[BenchAgent, ...], Field(min_length=1)]
    metrics: Annotated[tuple[BenchMetric, ...], Field(min_length=1)]
    interventions: tuple[BenchIntervention, ...] = ()

    def brief(self) -> Mapping[str, object]:
        """Its name, and the labels in it."""
        kinds = ("worlds", "agents", "metrics", "interventions")
        labels = {kind: list(dict.fromkeys(table.title for table in getattr(self, kind))) for kind in kinds}
        return {"name": self.bench.name, **labels, "seeds": list(self.bench.chosen)}

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The battery in a TOML file; agents that are files, and a `path` of theirs, are looked for beside it."""
        tables = read(path)
        agents = tables.get("agents")
        for agent in agents if isinstance(agents, list) else ():
            if isinstance(agent, dict):
                _place(agent, Path(path).parent)
        return cls.of(tables, source=f"{path}: ")

    @classmethod
    def of(cls, tables: Mapping[str, Any], *, source: str = "") -> Self:
        """The battery in plain tables; `source` starts its error messages."""
        try:
            made = cls.model_validate(_with_origins(tables))
            made._check()
        except ValidationError as error:
            raise UserError(source + sentence(error, cls)) from None
        except UserError as error:
            raise UserError(f"{source}{error}") from None
        return made

    def only(self, agents: Iterable[str] = (), seeds: int | Iterable[int] | None = None) -> Self:
        """The battery with those agents alone, by label, and those seeds, or so many from 0 on; nothing named: all."""
        wanted = [agents] if isinstance(agents, str) else list(agents)
        known = dict.fromkeys(agent.title for agent in self.agents)
        for label in wanted:
            if label not in known:
                raise UserError(f"no agent '{label}' is in this bench{suggest(label, known)}; known: {listed(known)}")
        kept = [self._resolved(agent) for agent in self.agents if not wanted or agent.title in wanted]
        chosen = self if seeds is None else self._on(seeds)
        return chosen.model_copy(update={"agents": tuple(kept)})

    def _on(self, seeds: int | Iterable[int]) -> Self:
        given = [_number(seed) for seed in seeds] if isinstance(seeds, Iterable) else _number(seeds)
        try:
            table = BenchTable.model_validate({**self.bench.model_dump(), "seeds": given})
        except ValidationError as error:
            raise UserError(f"[bench] {sentence(error, BenchTable)}".replace("[seeds]", "seeds")) from None
        made = self.model_copy(update={"bench": table})
        made._check()
        return made

    def tasks(self) -> list[Task]:
        """The units of work: every agent in every world it lives in, on every seed."""
        return [
            self._task(world, self._resolved(agent), place, seed)
            for world in self.worlds
            for place, seed in enumerate(self.bench.chosen)
            for agent in self.agents
            if agent.lives_in(world.name)
        ]

    def columns(self, world: str) -> list[tuple[Column, int]]:
        """The columns of a world, and on how many of the seeds each is measured."""
        changes = {change.title: change for change in self.interventions if change.lives_in(world)}
        count = len(self.bench.chosen)
        return [
            (_column(metric, changes.get(label or "")), min(metric.seeds or count, count))
            for metric in self.metrics
            if metric.lives_in(world)
            for label in metric.under or (None,)
            if label is None or label in changes
        ]

    def tables(self) -> dict[str, Any]:
        """The battery as plain tables, absent keys left out."""
        return self.model_dump(exclude_none=True, exclude_defaults=True)

    def to_toml(self) -> str:
        """The battery as a TOML file, resolved."""
        return toml_text(self.tables())

    def _task(self, world: WorldTable, agent: BenchAgent, place: int, seed: int) -> Task:
        run = {**self.run.model_dump(), "seed": seed} | ({"candidates": self.bench.candidates} if place == 0 else {})
        env = world.model_dump(include={"id", "kwargs", "changes", "wrappers"})
        own = agent.component.model_dump() | ({"selection": agent.selection.model_dump()} if agent.selection else {})
        tables = {
            "run": run,
            "env": env,
            "agent": _seeded(own, seed),
            **agent.parts,
            "evaluate": {"episodes": world.episodes},
        }
        where = f"agent {agent.title} in world {world.name}: "
        columns = tuple(column for column, seeds in self.columns(world.name) if place < seeds)
        return Task(world.name, agent.title, seed, Experiment.of(tables, source=where), columns, agent.learning)

    def _resolved(self, agent: BenchAgent, students: tuple[str, ...] = ()) -> BenchAgent:
        """With the table of the agent that it is `of`, parts included, in place of that one's label.

        `students` are the labels of those that it is itself wanted for. Raises UserError where no agent of that label
        is in all its worlds.
        """
        label = agent.parameters.get("of")
        if not isinstance(label, str):
            return agent
        if label in (agent.title, *students):
            raise UserError(f"agent {agent.title} is of '{label}', which is in the end of itself: give another one")
        worlds = [world.name for world in self.worlds if agent.lives_in(world.name)]
        others = [other for other in self.agents if other.title == label]
        teacher = next((other for other in others if all(map(other.lives_in, worlds))), None)
        if teacher is None:
            known = listed(dict.fromkeys(other.title for other in self.agents))
            raise UserError(
                f"agent {agent.title} is of '{label}', which is no one agent in all its worlds {listed(worlds)}; "
                f"known: {known}: name others, or write a table for each of the worlds"
            )
        teacher = self._resolved(teacher, (agent.title, *students))
        table = {**teacher.component.model_dump(), **teacher.parts}
        if teacher.selection:
            table["selection"] = teacher.selection.model_dump()
        learn = table.pop("learn", {})
        practice = {"practice": learn["steps"], "warmup": learn["warmup"], "seed": "{seed}"} if learn else {}
        return BenchAgent.model_validate({**practice, **agent.model_dump(exclude_none=True), "of": table})

    def _check(self) -> None:
        """What each table says about others. Raises UserError."""
        worlds = [world.name for world in self.worlds]
        _check_unique(worlds, "worlds", "this bench")
        for kind in ("agents", "metrics", "interventions"):
            for table in getattr(self, kind):
                _check_known(table.worlds, worlds, f"[[{kind}]] {table.title} is in the world", "[[worlds]]")
        for metric in self.metrics:
            changes = [change.title for change in self.interventions]
            _check_known(metric.under, changes, f"[[metrics]] {metric.title} is under", "[[interventions]]")
        for world in worlds:
            for kind in ("agents", "interventions"):
                _check_unique([t.title for t in getattr(self, kind) if t.lives_in(world)], kind, f"world {world}")
            _check_unique([column.label for column, _ in self.columns(world)], "metrics", f"world {world}")
        for agent in self.agents:
            self._resolved(agent)


def _with_origins(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tables with those of every agent `from` a run's folder; of one for each "{seed}" those of the first seed."""
    agents, bench = tables.get("agents"), tables.get("bench")
    seeds = bench.get("seeds") if isinstance(bench, Mapping) else None
    first = seeds[0] if isinstance(seeds, list | tuple) and seeds else 0
    found = []
    for agent in agents if isinstance(agents, list | tuple) else ():
        if not isinstance(agent, Mapping) or not isinstance(folder := agent.get("from"), str) or "name" in agent:
            found.append(agent)
            continue
        own = {key: agent[key] for key in ("label", "about", "worlds", "learning", "learn") if key in agent}
        rest = {key: part for key, part in agent.items() if key not in own}
        parts = {key: rest.pop(key) for key in TOP if key in rest}
        whole = originated({**parts, "agent": {**rest, "from": _seeded(folder, first)}})
        found.append({"label": Path(folder).name, **own, **whole.pop("agent"), **whole, "from": folder})
    return {**tables, "agents": found} if found else tables


def _place(agent: dict[str, Any], folder: Path) -> None:
    """Name the files of an agent, and of agents within it, from here instead of from `folder`."""
    name = agent.get("name")
    if isinstance(name, str) and (file := agent_path(name)):
        agent["name"] = _from_here(folder, file) + name.removeprefix(file)
    for key in ("path", "pickle", "from"):
        if isinstance(agent.get(key), str):
            agent[key] = _from_here(folder, agent[key])
    for key, inner in agent.items():
        if isinstance(inner, dict) and key not in BenchAgent.model_fields:
            _place(inner, folder)


def _from_here(folder: Path, file: str) -> str:
    """The path of a file in `folder`, relative to the current one; what is absolute stays so."""
    return file if Path(file).is_absolute() else os.path.relpath(folder / file)


def _number(given: Any) -> Any:
    """A number of NumPy as Python's own."""
    return given.item() if isinstance(given, np.generic) else given


def _seeded(value: Any, seed: int) -> Any:
    """With the seed in place of "{seed}", as a number where a text is nothing else."""
    if isinstance(value, str):
        return seed if value == "{seed}" else value.replace("{seed}", str(seed))
    if isinstance(value, Mapping):
        return {key: _seeded(part, seed) for key, part in value.items()}
    return [_seeded(part, seed) for part in value] if isinstance(value, list | tuple) else value


def _column(metric: BenchMetric, change: BenchIntervention | None) -> Column:
    if change is None:
        return Column(metric.title, metric.component)
    return Column(
        f"{metric.title} under {change.title}", metric.component, change.title, change.component, change.informed
    )


def _check_known(labels: tuple[str, ...], known: list[str], said: str, what: str) -> None:
    """Raises UserError for a label that is none of the known."""
    for label in labels:
        if label not in known:
            raise UserError(
                f"{said} '{label}', which is none of the {what}{suggest(label, known)}; known: {listed(known)}"
            )


def _check_unique(labels: list[str], kind: str, where: str) -> None:
    """Raises UserError for a label that is there twice."""
    if repeated := [label for label in labels if labels.count(label) > 1]:
        raise UserError(f"two [[{kind}]] of {where} are called '{repeated[0]}': give one of them another label")
