"""The folder of a run: the only place that knows how its files are called.

What cannot be read is empty here; `Record`, `Manifest` and `Result` say what is wrong with a file.
"""

import json
import re
from contextlib import suppress
from itertools import islice
from os import SEEK_END
from pathlib import Path
from shlex import quote
from typing import Any, Literal, Self, final

from agentic.errors import UserError, said, shown
from agentic.runs.files import forget_parts, is_own, json_table, toml_table, unsealed

TAIL = 2**16  # bytes at the end of a traceback that are read
DEEPEST, MOST = 4, 1000  # levels of folders that are searched for a run, and folders of each
Kind = Literal["ticks", "candidates"]


@final
class RunFolder:
    """The folder of a run, finished or not, by the paths of its files and what can be read of them.

    `manifest_file` says what ran, on what, and how it ended, as JSON; `experiment_file` is the resolved experiment, as
    TOML; `measurements_file` what was measured of the run, as JSON; `error_file` the traceback of one that failed.
    `discovery_file` says how the parts of a run were found in a recording, as JSON, where nobody had told them.
    `progress_file` has a line of JSON for each completed episode and each report of learning, while the run goes on.
    `partial_file` holds what there is of a chunk of ticks while it is filled. `table_folder` shows the chunks of ticks
    of a run that ended once more, alone and as hard links, for pandas, polars and DuckDB, which read a folder as a
    table; nobody here reads it. `learned` is the checkpoint of the end of learning.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest_file, self.experiment_file = self.path / "manifest.json", self.path / "experiment.toml"
        self.measurements_file, self.error_file = self.path / "measurements.json", self.path / "error.txt"
        self.partial_file, self.table_folder = self.path / "ticks-partial.parquet", self.path / "ticks"
        self.learned, self.progress_file = self.path / "learned", self.path / "progress.jsonl"
        self.discovery_file = self.path / "discovery.json"

    @classmethod
    def new(cls, path: str | Path) -> Self:
        """A folder for one more run, made where it is missing. Raises UserError where it has a record already."""
        made = cls(path)
        try:
            made.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the run folder {path}: {error.strerror}; give another one") from error
        if made.chunks() or made.partial_file.exists():
            raise UserError(f"{path} already holds a record: give a new folder")
        forget_parts(made.path)
        return made

    @property
    def holds_run(self) -> bool:
        """Whether a run, or several that were carried out together, left a manifest or ticks here."""
        return is_own(self.manifest_file) or bool(self.chunks()) or is_own(self.partial_file)

    @property
    def holds_one(self) -> bool:
        """Whether it is a single run; the manifest of several says what executor they were given to."""
        return self.holds_run and "executor" not in self.manifest

    def check(self) -> None:
        """Check that a single run lies here. Raises UserError where none does, and names one that lies deeper."""
        if self.holds_one:
            return
        levels = ("/".join(["[!.]*"] * depth) for depth in range(1, DEEPEST + 1))
        below = (path for level in levels for path in sorted(islice(self.path.glob(level), MOST)))
        if one := next((path for path in below if type(self)(path).holds_one), None):
            raise UserError(
                f"{self.path} is the folder of many runs, as of a sweep: give one of its runs, such as {one}; "
                f"`agentic runs {quote(str(self.path))}` lists them"
            )
        raise UserError(f"{self.path} is not the folder of a run: it holds neither ticks nor the manifest of one")

    def chunk(self, kind: Kind, index: int) -> Path:
        """One Parquet file of ticks, or of the candidate plans of the same ticks."""
        return self.path / f"{kind}-{index:06d}.parquet"

    @staticmethod
    def number(chunk: Path) -> int:
        """The place of a Parquet file among those of its kind, from 0 on."""
        return int(chunk.stem.partition("-")[2])

    def chunks(self, kind: Kind = "ticks") -> list[Path]:
        """All Parquet files of a kind that are there, in the order of the ticks."""
        named = (path for path in self.path.glob(f"{kind}-*.parquet") if path.stem.partition("-")[2].isdecimal())
        return sorted(filter(is_own, named), key=lambda path: (len(path.name), path.name))

    def checkpoint(self, ticks: int) -> Path:
        """The folder of the checkpoint after so many ticks."""
        return self.path / f"checkpoint-{ticks:012d}"

    def checkpoints(self) -> list[Path]:
        """The folders of checkpoints, in the order of the ticks."""
        named = (path for path in self.path.glob("checkpoint-*") if path.name.partition("-")[2].isdecimal())
        return sorted(path for path in named if path.is_dir())

    def link(self) -> None:
        """Fill `table_folder`, where the file system has hard links and nothing else is in its place."""
        with suppress(OSError):
            self.table_folder.mkdir()
            for path in self.chunks():
                (self.table_folder / path.name).hardlink_to(path)

    def unlink(self) -> None:
        """Remove `table_folder`, the chunk that is being filled and the traceback, as a run goes on before them."""
        for path in (*self.table_folder.glob("ticks-*.parquet"), self.partial_file, self.error_file):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.table_folder.rmdir()

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of the manifest."""
        return json_table(self.manifest_file)

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The lines of the progress so far, up to the first that was cut off, as by `kill -9`."""
        found: list[dict[str, Any]] = []
        for line in complete_lines(self.progress_file):
            try:
                found.append(dict(json.loads(line)))
            except (ValueError, TypeError, RecursionError):
                break
        return found

    @property
    def experiment(self) -> dict[str, Any]:
        """The tables of the experiment."""
        return toml_table(self.experiment_file)

    @property
    def measurements(self) -> dict[str, Any]:
        """The content of the measurements; also empty where their checksum is not that of what they say."""
        return unsealed(json_table(self.measurements_file)) or {}

    @property
    def discovery(self) -> dict[str, Any]:
        """How the parts of the run were found in a recording; also empty where that is not what was written."""
        return unsealed(json_table(self.discovery_file)) or {}

    @property
    def status(self) -> str:
        """The way the run ended, with the last line of the traceback where it failed; a killed one could not say so."""
        status = str(self.manifest.get("status") or "unknown")
        if status == "failed" and is_own(self.error_file):
            with open(self.error_file, "rb") as file:
                file.seek(-min(TAIL, self.error_file.stat().st_size), SEEK_END)
                lines = file.read().decode(errors="replace").strip().splitlines()
            return f"failed: {lines[-1]}" if lines else "failed"
        return "running, or killed before it could say so" if status == "running" else status

    @property
    def plugin_options(self) -> str:
        """The options that name the plugin files a run needed, each with a blank before it."""
        rows = self.manifest.get("components")
        rows = rows if isinstance(rows, list) else ()
        names = dict.fromkeys(str(row.get("plugin")) for row in rows if isinstance(row, dict) and row.get("sha256"))
        return "".join(f" --plugin {quote(name)}.py" for name in names)


def complete_lines(file: Path) -> list[bytes]:
    """The lines of a file of a run's folder that were written to their end; none where there is no such file."""
    lines = file.read_bytes().splitlines(keepends=True) if is_own(file) else []
    return lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]


def create_folder(parent: str | Path, slug: str) -> Path:
    """A new folder `parent/NNNN-slug` with the next free number, also when several runs start at once.

    Raises UserError where it cannot be made.
    """
    name = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-") or "run"
    try:
        parent = Path(parent)
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            number = max(map(number_of, parent.glob("[0-9][0-9][0-9][0-9]*-*")), default=0) + 1
            folder = parent / f"{number:04d}-{name}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            if len(list(parent.glob(f"{number:04d}-*"))) == 1:
                return folder
            folder.rmdir()  # somebody else took the number at the same moment: try the next
    except (OSError, TypeError, ValueError) as error:  # of what is no path, or none on this system
        reason = error.strerror if isinstance(error, OSError) else said(error)
        place = parent if isinstance(error, OSError) else shown(parent)
        raise UserError(f"cannot make a folder in {place}: {reason}; give another one") from error


def number_of(folder: Path) -> int:
    """The number of a folder NNNN-slug; 0 for any other."""
    digits, dash, _ = folder.name.partition("-")
    return int(digits) if dash and len(digits) >= 4 and digits.isdecimal() else 0
