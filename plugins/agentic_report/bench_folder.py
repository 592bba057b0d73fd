"""The folder of a bench as the page reads it: finished or killed, whole or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, final

from agentic import Access
from agentic.errors import RunError, UserError
from agentic.runs import RunFolder, is_own, toml_table
from agentic_bench import Battery, BenchFolder, Cell, Scores
from agentic_report.cells import cell_of, known
from agentic_report.reading import facts, mapping, results, tables, words

Place = tuple[str, str]  # world, agent
Key = tuple[str, str, str]  # world, agent, metric
LOOKS = [*(access.value for access in Access), ""]  # what a column looks at; empty where that is not known


@final
@dataclass(frozen=True)
class Column:
    """A column of the profile: a metric by its component's `name`, `under` an intervention where one is named.

    `access` is what the metric looks at; whatever it is, one that is `under` an intervention changes the world.
    """

    label: str
    name: str
    under: str
    access: str
    unit: str

    @property
    def intervenes(self) -> bool:
        """Whether it changes the world."""
        return self.access == Access.INTERVENE.value


@final
@dataclass(frozen=True)
class Bench:
    """The content of a bench's folder.

    `file` is the resolved bench file with its `settings`, `cells` go by world, agent and metric. `battery` is what the
    file says where it can be understood.
    """

    folder: Path
    file: str
    settings: Mapping[str, Any]
    manifest: Mapping[str, Any]
    battery: Battery | None
    worlds: tuple[str, ...]
    agents: tuple[str, ...]
    metrics: tuple[str, ...]
    cells: Mapping[Key, Cell]

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """The bench in a folder; None where it holds none."""
        (file, settings), found = _file(folder), BenchFolder(folder)
        if not (settings or found.holds_bench):
            return None
        manifest, table = found.manifest, found.cells
        battery = _battery(settings)
        if battery and (not table or manifest.get("status") == "running"):
            table = Scores.of(battery, folder).to_dict()  # it did not live to write its own
        cells = {(c.world, c.agent, c.metric): c for each in tables(table.get("cells")) if (c := cell_of(each))}
        asked = [*(_asked(battery) or cells)]
        worlds, agents, metrics = (
            words(table.get(name)) or tuple(dict.fromkeys(key[place] for key in asked))
            for place, name in enumerate(("worlds", "agents", "metrics"))
        )
        return cls(folder, file, settings, facts(manifest), battery, worlds, agents, metrics, cells)

    @property
    def title(self) -> str:
        name = mapping(self.settings.get("bench")).get("name")
        return name if isinstance(name, str) and name else self.folder.resolve().name

    @property
    def unfinished(self) -> str:
        """The cells that are done, of how many, where the bench did not come to its end; empty where it did."""
        if self.manifest.get("status") == "finished":
            return ""
        asked = _asked(self.battery) or dict.fromkeys(self.cells, ())
        begun = {key for key, cell in self.cells.items() if cell.begun}
        done = sum(
            all(is_own(RunFolder(self.folder / unit).measurements_file) for unit in asked[key])
            for key in begun & asked.keys()
        )
        return f"{done} of {len(asked)} cells"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order of the bench's file."""
        return tuple(self._column(label) for label in self.metrics)

    def columns_in(self, world: str) -> tuple[Column, ...]:
        """The columns that have a cell in a world, in the order in which a terminal shows them."""
        known = {column.label: column for column in self.columns}
        there = dict.fromkeys(metric for where, _, metric in self.cells if where == world)
        return tuple(known[label] for label in there if label in known)

    def agents_in(self, world: str) -> tuple[str, ...]:
        """The agents that have a cell or a record in a world."""
        there = {agent for where, agent, _ in self.cells if where == world}
        return tuple(agent for agent in self.agents if agent in there or self.units(world, agent))

    def values(self, world: str, label: str) -> dict[str, float]:
        """The finite values of a column in a world, by agent."""
        cells = {agent: self.cells.get((world, agent, label)) for agent in self.agents_in(world)}
        return {agent: cell.value or 0.0 for agent, cell in cells.items() if cell and known(cell)}

    def units(self, world: str, agent: str) -> tuple[Path, ...]:
        """The folders of an agent's runs in a world, by seed."""
        return tuple(self._units.get((world, agent), {}).values())

    @property
    def example(self) -> Path | None:
        """The folder of the first run there is."""
        return next((path for units in self._units.values() for path in units.values()), None)

    @property
    def seeds(self) -> list[int]:
        """The seeds that were run."""
        return sorted({seed for units in self._units.values() for seed in units})

    def sample(self, world: str, agent: str, label: str) -> Mapping[str, Any]:
        """What the first seed's measurement says, as a plain table; empty where there is none."""
        return mapping(self._samples.get((world, agent), {}).get(label))

    @cached_property
    def _units(self) -> Mapping[Place, Mapping[int, Path]]:
        found = BenchFolder(self.folder)
        return {(world, agent): found.units(world, agent) for world in self.worlds for agent in self.agents}

    @cached_property
    def _samples(self) -> Mapping[Place, Mapping[str, Any]]:
        read = {place: [results(unit)[0] for unit in units.values()] for place, units in self._units.items()}
        return {place: {k: v for each in reversed(found) for k, v in each.items()} for place, found in read.items()}

    def _column(self, label: str) -> Column:
        asked = _metrics(self.battery).get(label)
        sample = next((each for place in self._units if (each := self.sample(*place, label))), {})
        name, under = asked or (str(sample.get("metric") or label), "")
        access = Access.INTERVENE.value if under else sample.get("access")
        unit = sample.get("unit") or next((c.unit for c in self.cells.values() if c.metric == label and c.unit), "")
        return Column(label, name, under, access if access in LOOKS else "", str(unit))


def _file(folder: Path) -> tuple[str, Mapping[str, Any]]:
    """The name and the tables of the bench file in a folder."""
    found = ((path.name, toml_table(path)) for path in sorted(folder.glob("*.toml")))
    return next(((name, read) for name, read in found if "worlds" in read and "agents" in read), ("", {}))


def _battery(settings: Mapping[str, Any]) -> Battery | None:
    try:
        battery = Battery.of(settings)
        battery.tasks()
    except (UserError, RunError):
        return None
    return battery


def _asked(battery: Battery | None) -> Mapping[Key, Sequence[Path]]:
    """Every cell there should be, in the order of the file, and the folders of the runs it takes."""
    asked: dict[Key, list[Path]] = {}
    for task in battery.tasks() if battery else ():
        for column in task.columns:
            asked.setdefault((task.world, task.agent, column.label), []).append(task.folder)
    return asked


def _metrics(battery: Battery | None) -> Mapping[str, tuple[str, str]]:
    """The component's name of each column, and the intervention it is under."""
    worlds = [world.name for world in battery.worlds] if battery else []
    columns = [column for world in worlds for column, _ in battery.columns(world)] if battery else []
    return {column.label: (column.metric.name, column.under) for column in columns}
