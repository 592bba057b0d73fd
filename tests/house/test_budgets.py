"""Sizes and budgets, in one table of ceilings: what outgrows its plan is noticed on the day it does."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.house.code_lines import code_lines, function_lengths, parameter_counts
from tests.house.repository import ROOT, python_files

ROOMS = {  # code lines, without blanks, comments and docstrings; docs/decisions/0010-budgets.md says why so many
    "science": (6010, "engine models planning learning agents environments runs tick.py"),
    "the door": (2410, "metrics experiments plugins showing.py errors.py"),
    "the front": (536, "front"),
    "saving": (930, "saving"),
    "jobs": (547, "jobs"),
}
FLAT = 8  # modules that lie in agentic/ itself
MODULE, FUNCTION, PARAMETERS = 300, 50, 9  # code lines; lines but for docstrings; without self

EXCEPTIONS = {  # to the number of parameters: each with its own ceiling, and why it is not two things
    "plugins/agentic_energies/linear_gaussian.py:LinearGaussian.__init__": (11, "the matrices of one system"),
    "plugins/agentic_energies/ensemble.py:Ensemble.__init__": (10, "keys of one [model] table, each with a default"),
    "envs/agentic_envs/point_mass.py:PointMass.__init__": (10, "keys of one [env.kwargs] table, each with a default"),
    "plugins/agentic_discovery/asked.py:discover": (12, "options of one command, each with a default"),
}

RAISE = "make it smaller: raising a ceiling needs a decision in docs/decisions"
CODE = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in python_files()
    if not path.is_relative_to(ROOT / "tests")
}


def over(counts: Mapping[str, int], ceiling: int, allowed: Mapping[str, tuple[int, str]] | None = None) -> list[str]:
    """A line for everything above its ceiling."""
    lines = []
    for name, found in counts.items():
        limit = (allowed or {}).get(name, (ceiling, ""))[0]
        if found > limit:
            lines.append(f"{name}: {found}, {found - limit} over the ceiling of {limit}")
    return lines


def said(what: str, lines: Iterable[str]) -> str:
    return "\n".join([f"too many {what}; {RAISE}", *lines])


def within(names: str) -> dict[str, int]:
    """Code lines of modules and rooms of the core."""
    homes = [Path("agentic", name).as_posix() for name in names.split()]
    every = {path: code_lines(CODE[path]) for path in CODE if path.startswith("agentic/")}
    return {home: sum(n for path, n in every.items() if path == home or path.startswith(f"{home}/")) for home in homes}


@pytest.mark.parametrize("name", ROOMS)
def test_a_part_of_the_core_keeps_its_budget(name: str) -> None:
    ceiling, homes = ROOMS[name]
    counts = within(homes)
    assert all(counts.values()), f"the table names what is not there: {counts}"
    rooms = [f"  {home}: {count}" for home, count in counts.items()]
    too_much = over({name: sum(counts.values())}, ceiling)
    assert not too_much, said("code lines", [*too_much, *rooms])


def test_few_modules_lie_flat_in_the_core() -> None:
    flat = [path for path in CODE if Path(path).parent == Path("agentic")]
    assert not over({"agentic/*.py": len(flat)}, FLAT), said(
        "modules", [*over({"agentic/*.py": len(flat)}, FLAT), *flat]
    )


def test_modules() -> None:
    lines = over({path: code_lines(source) for path, source in CODE.items()}, MODULE)
    assert not lines, said("code lines in a module", lines)


def test_functions() -> None:
    counts = {f"{path}:{name}": n for path, source in CODE.items() for name, n in function_lengths(source).items()}
    assert not over(counts, FUNCTION), said("lines in a function", over(counts, FUNCTION))


def test_parameters() -> None:
    counts = {f"{path}:{name}": n for path, source in CODE.items() for name, n in parameter_counts(source).items()}
    lines = over(counts, PARAMETERS, EXCEPTIONS)
    assert not lines, said("parameters", lines)
    loose = [name for name, (limit, _) in EXCEPTIONS.items() if max(counts.get(name, 0), PARAMETERS) < limit]
    assert not loose, f"these exceptions are wider than they need be, lower or remove them: {loose}"


def test_what_is_over_is_reported_by_how_much() -> None:
    lines = over({"one": 12, "two": 9, "three": 12}, 10, {"three": (12, "because")})
    assert said("things", lines) == f"too many things; {RAISE}\none: 12, 2 over the ceiling of 10"
