"""The runs that are compared, from folders, patterns, records, and folders of many runs."""

from collections.abc import Iterable, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from agentic import Record
from agentic.errors import UserError, listed, shown
from agentic.front import Kept
from agentic_report.comparing.trial import Trial, trial
from agentic_report.listing.conditions import Condition, check_known
from agentic_report.listing.listed import Listed
from agentic_report.listing.places import ordered, run_folders, said_in


def folders(runs: Any) -> list[Path]:
    """The folders of the runs that are meant, each once: by a folder, a pattern, a record, or several of those.

    Whatever lies in a folder stands for it: a sweep's table, a bench's scores, a line of `find_runs`.

    Raises UserError for what is none of these, and where no run lies.
    """
    if isinstance(runs, Kept) and not isinstance(runs, Sequence):  # a list of runs is those in it
        if runs.folder is None:
            kind = "record" if isinstance(runs, Record) else type(runs).__name__
            raise UserError(f"this {kind} lies in no folder: give out='runs' where it is made")
        return [runs.folder] if isinstance(runs, Record) else folders(runs.folder)
    if isinstance(runs, str | Path):
        paths = _paths(str(runs))
        found = [each for path in paths for each in run_folders(path)]
        if not found:
            raise UserError(f"{runs} holds no run: {said_in(paths) or 'expected the folder of one, or of several'}")
        return found
    if not isinstance(runs, Iterable):
        raise UserError(f"runs are folders, patterns, records or what lies in a folder, got {shown(runs)}")
    once = {path.resolve(): path for each in runs for path in folders(each)}
    return [*once.values()]


def trials(paths: Iterable[Path], where: Iterable[Condition], column: str) -> tuple[list[Trial], list[str]]:
    """The runs in folders as they are compared, those for which all conditions hold, and sentences on the others.

    Raises UserError where none is left.
    """
    paths, wanted = [*paths], [*where]
    if wanted:
        rows = [row for path in paths if (row := Listed.of(path, str(path)))]
        check_known((each.key for each in wanted), rows)
        paths = [row.folder for row in rows if all(each.holds(row.value(each.key)) for each in wanted)]
    found, notes = list[Trial](), list[str]()
    for path in paths:
        try:
            found.append(trial(path, column))
        except (UserError, KeyError) as error:
            notes.append(f"{path} is left out: {error}")
    if not found:
        raise UserError(notes[0] if notes else "there is no run to compare: no condition holds of any")
    notes += [f"{each.folder}: {each.problems[0]}; what is sound is read" for each in found if each.problems]
    notes += [f"{each.folder}: {each.ended}; it stands as far as it came" for each in found if each.ended != "finished"]
    return found, notes


def check_comparable(runs: Iterable[Trial]) -> None:
    """Raises UserError for runs in several environments, whose returns are on scales of their own."""
    worlds = list(dict.fromkeys(each.world for each in runs))
    if len(worlds) > 1:
        raise UserError(
            f"these runs are of {len(worlds)} environments ({listed(worlds)}), whose returns are on scales of their "
            f"own: choose one, as with --where env={worlds[0]}"
        )


def parts(runs: Any) -> Mapping[str, Any] | None:
    """The groups that somebody made, where they are given by label."""
    return {str(label): each for label, each in runs.items()} if isinstance(runs, Mapping) else None


def _paths(text: str) -> list[Path]:
    """The path itself where it is there, else those that the pattern means."""
    if Path(text).is_dir():
        return [Path(text)]
    if has_magic(text):
        return sorted((path for path in map(Path, glob(text)) if path.is_dir()), key=ordered)
    raise UserError(f"there is no folder {text}: expected that of a run, or of several")
