"""Results: the measurements of one subject as a file beside its record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, final

from agentic.errors import RunError, UserError
from agentic.metrics.measurement import Measurement
from agentic.runs.folder import RunFolder, write_whole


@final
@dataclass(frozen=True)
class Result:
    """What a task found: measurements by column, why others are `missing`, and which of those broke."""

    measurements: Mapping[str, Measurement]
    missing: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    key: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The result in the folder of a task; None where there is none, or none that can be read."""
        try:
            found = json.loads(RunFolder(folder).measurements_file.read_text(encoding="utf-8"))
            measured = {name: Measurement.from_dict(each) for name, each in found["measurements"].items()}
            return cls(measured, found["missing"], tuple(found["broken"]), found["key"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
            return None

    def keep(self, folder: Path) -> None:
        """Write it into the folder of a run. Raises RunError where that fails."""
        measured = {name: each.to_dict() for name, each in self.measurements.items()}
        content = {"measurements": measured, "missing": dict(self.missing), "broken": self.broken, "key": self.key}
        file = RunFolder(folder).measurements_file
        try:
            write_whole(file, json.dumps(content, indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise RunError(f"cannot write {file}: {error.strerror}") from error
