"""What a run that goes on has done so far, from the end of its journal: long ones are not read whole."""

import json
from collections.abc import Mapping
from os import SEEK_END
from pathlib import Path
from typing import Any

from agentic.runs import RunFolder, is_own
from agentic_report.reading import mapping, real

MOST = 2**20  # bytes at the end of a journal that are read, some thousand episodes
LATELY = 20  # episodes of learning whose returns are told


def going_on(folder: Path) -> tuple[list[float] | None, int | None, str]:
    """The returns of evaluation so far, the steps of experience so far, and a word on learning, as far as known.

    The returns are None where the journal is too long to have been read from where evaluation began.
    """
    lines, whole = _lines(RunFolder(folder).progress_file)
    evaluated = [line for line in lines if line.get("phase") == "evaluate"]
    if evaluated:
        known = whole or lines[0].get("phase") == "learn"
        return ([_return(line) for line in _episodes(evaluated)] if known else None), None, "in evaluation"
    if not lines:
        return [], None, ""
    step, lately = lines[-1].get("step"), [_return(line) for line in _episodes(lines)][-LATELY:]
    mean = real(sum(lately) / len(lately)) if lately else None
    last = f"last {len(lately)} episodes" if len(lately) > 1 else "first episode"
    word = "" if mean is None else f"; mean return {mean:.4g} in the {last}"
    return [], step if type(step) is int else None, f"in learning{word}"


def _lines(file: Path) -> tuple[list[Mapping[str, Any]], bool]:
    """The complete lines at the end of a journal, and whether these are all."""
    if not is_own(file):
        return [], True
    with open(file, "rb") as journal:
        size = journal.seek(0, SEEK_END)
        journal.seek(max(size - MOST, 0))
        parts = journal.read(MOST).split(b"\n")
    found = list[Mapping[str, Any]]()
    for part in parts[int(size > MOST) : -1]:  # the last one is not written to its end yet
        try:
            found.append(mapping(json.loads(part)))
        except (ValueError, RecursionError):
            break
    return found, size <= MOST


def _episodes(lines: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in lines if "return" in line]


def _return(line: Mapping[str, Any]) -> float:
    value = real(line.get("return"))
    return float("nan") if value is None else value
