"""The folder of a bench: the only place that knows how its files are called."""

from pathlib import Path
from typing import Any, ClassVar, final

from agentic.jobs import UnitFolder
from agentic.runs import RunFolder, is_own, json_table, toml_table, unsealed


@final
class BenchFolder:
    """The folder of a bench, finished or not, by the paths of its files and what can be read of them.

    `file` is the resolved bench file, as TOML; `cells_file` the table of the bench, as JSON.
    """

    CELLS: ClassVar[str] = "cells.json"

    def __init__(self, path: Path) -> None:
        self.path, self._units = path, UnitFolder(path)
        self.file, self.cells_file = path / "battery.toml", path / self.CELLS

    @property
    def holds_bench(self) -> bool:
        """Whether a bench left a table or units here."""
        return is_own(self.cells_file) or self._units.holds_units

    @property
    def settings(self) -> dict[str, Any]:
        """The tables of the resolved file; empty where it cannot be read."""
        return toml_table(self.file)

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of the manifest; empty where it cannot be read."""
        return RunFolder(self.path).manifest

    @property
    def cells(self) -> dict[str, Any]:
        """The content of the table; empty where it cannot be read, or is not what was written."""
        return unsealed(json_table(self.cells_file)) or {}

    def units(self, world: str, agent: str) -> dict[int, Path]:
        """The folders of an agent's runs in a world, by seed and in that order; not what links out of the bench."""
        return self._units.seeds(world, agent)
