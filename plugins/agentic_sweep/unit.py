"""Units of a sweep: one run with its values and its seed, in a folder of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from sys import float_info
from typing import Any, final

from agentic import Experiment, build
from agentic.errors import UserError, attempt
from agentic.experiments import Built, limited
from agentic.jobs import Unit, forget, unit_path
from agentic.metrics import summarize
from agentic.plugins import load
from agentic.runs import json_table, sealed, unsealed, write_whole
from agentic_sweep.tables import label_of

FILE = "unit.json"
LONGEST = 40  # letters of values in the name of a folder; of longer ones a hash is there too, since many begin alike


@final
@dataclass(frozen=True)
class SweptRun(Unit):
    """A run of a sweep: `key` stands for all that it depends on, `files` are plugins by path."""

    values: Mapping[str, Any]
    seed: int
    experiment: Experiment
    key: str
    files: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The values and the seed in words."""
        return f"{label_of(self.values)}, seed {self.seed}"

    @property
    def place(self) -> Path:
        """The folder of the run, within that of the sweep."""
        text = json.dumps(self.values, default=str) if self.values else "as it is"
        more = f" {sha256(text.encode()).hexdigest()[:16]}" if len(text) > LONGEST else ""
        return unit_path(f"{text[:LONGEST]}{more}", seed=self.seed)

    def is_done(self, folder: Path) -> bool:
        """Whether a folder holds this very run, ended; one that failed is tried again."""
        found = outcome(folder)
        return found.get("key") == self.key and "failed" not in found

    def give_up(self, folder: Path, reason: str) -> None:
        """Say why there is no run."""
        _write(folder, "", {"failed": f"it broke, {reason}"})

    def run(self, folder: Path) -> None:
        """Run it; what does not fit, or breaks, is told in its outcome."""
        forget(self.seed)
        record = attempt(lambda: self._built().run(folder))
        if isinstance(record, Exception):
            _write(folder, self.key, {"failed": str(record), "broken": not isinstance(record, UserError)})
            return
        summary = summarize(record)
        kept = {name: summary[name] for name in ("steps", "evaluation_steps", "episodes", "energy", "problems")}
        _write(folder, self.key, {**kept, "returns": summary["return"]["values"], "return": summary["return"]["mean"]})

    def _built(self) -> Built:
        registry = load(self.files)
        return build(limited(self.experiment, registry), registry).with_loggers(registry)


def outcome(folder: Path) -> dict[str, Any]:
    """What became of the run in a folder; empty where it has not ended, or somebody else wrote what it is said to."""
    found = unsealed(json_table(folder / FILE)) or {}
    sound = all(_is_number(found.get(name, 0)) for name in ("return", "episodes", "steps"))
    return found if sound and isinstance(found.get("failed", ""), str) else {}


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and value is not True and abs(value) <= float_info.max)


def _write(folder: Path, key: str, content: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, json.dumps(sealed({"key": key, **content}), indent=1, allow_nan=False) + "\n")
