"""Results: the measurements of one subject as a file beside its record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, final

from agentic.errors import RunError, UserError
from agentic.metrics.measurement import Measurement
from agentic.metrics.metric import Outcome
from agentic.runs.files import sealed, write_whole
from agentic.runs.folder import RunFolder


@final
@dataclass(frozen=True)
class Result:
    """The measurements of one subject by column, why others are `missing`, and which of those broke."""

    measurements: Mapping[str, Measurement]
    missing: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    key: str = ""

    @classmethod
    def of(cls, outcomes: Mapping[str, Outcome], key: str) -> Self:
        """The result that outcomes by column amount to; `key` stands for what they depend on."""
        measured = {name: each for name, each in outcomes.items() if isinstance(each, Measurement)}
        missing = {name: str(each) for name, each in outcomes.items() if name not in measured}
        return cls(measured, missing, tuple(n for n, each in outcomes.items() if isinstance(each, RunError)), key)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The result in the folder of a run; None where there is none, or none that is as it was written."""
        try:
            found = RunFolder(folder).measurements
            measured = {name: Measurement.from_dict(each) for name, each in found["measurements"].items()}
            return cls(measured, found["missing"], tuple(found["broken"]), found["key"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
            return None

    def keep(self, folder: Path) -> None:
        """Write the result into the folder of a run. Raises RunError where that fails."""
        measured = {name: each.to_dict() for name, each in self.measurements.items()}
        file = RunFolder(folder).measurements_file
        content = {"measurements": measured, "missing": dict(self.missing), "broken": self.broken, "key": self.key}
        try:
            write_whole(file, json.dumps(sealed(content), indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise RunError(f"cannot write {file}: {error.strerror}") from error
