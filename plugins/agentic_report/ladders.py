"""Agents that differ in one number only, such as planners of several depths: what rises with it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from agentic_report.bench_folder import Bench
from agentic_report.reading import tables, words
from agentic_report.wording import enumerated, number, quoted

FEWEST = 3  # rungs of a ladder
OWN = {"name", "label", "about", "worlds"}


def ladders(bench: Bench, world: str) -> Iterator[str]:
    """A sentence for each ladder along which measures that change the world rise and never fall."""
    found = tables(bench.settings.get("agents"))
    living = [each for each in found if not each.get("worlds") or world in words(each["worlds"])]
    for name, group in groupby(sorted(living, key=_component), key=_component):
        rungs = [*group]
        key = _rung(rungs)
        if not key:
            continue
        rungs.sort(key=lambda rung: float(rung[key]))
        labels = [str(rung.get("label") or name) for rung in rungs]
        rising = _rising(bench, world, labels)
        if rising:
            steps = enumerated([str(rung[key]) for rung in rungs])
            example = max(reversed([*rising]), key=lambda label: len({*rising[label]}))
            values = enumerated([number(value) for value in rising[example]])
            verb = "rises" if len(rising) == 1 else "rise"
            yield (
                f"In {quoted(world)} the {key} of the {name} ({steps}) shows where the world changes: "
                f"{enumerated([*rising])} {verb} with it ({example}: {values})."
            )


def _component(table: Mapping[str, Any]) -> str:
    return str(table.get("name"))


def _rung(rungs: Sequence[Mapping[str, Any]]) -> str:
    """The only parameter in which agents differ, where it is a number and another one for each; empty without."""
    keys = dict.fromkeys(key for rung in rungs for key in rung if key not in OWN)
    differing = [key for key in keys if any(rung.get(key) != rungs[0].get(key) for rung in rungs)]
    if len(rungs) < FEWEST or len(differing) != 1:
        return ""
    values = [rung.get(differing[0]) for rung in rungs]
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    return differing[0] if len(numbers) == len(rungs) else ""


def _rising(bench: Bench, world: str, labels: Sequence[str]) -> Mapping[str, Sequence[float]]:
    """The values of each measure that changes the world and rises along the agents."""
    rising = {}
    for column in bench.columns_in(world):
        known = bench.values(world, column.label) if column.intervenes else {}
        values = [known[label] for label in labels if label in known]
        never_falls = all(after >= before - 1e-9 for before, after in pairwise(values))
        if len(values) == len(labels) and never_falls and values[-1] - values[0] > 1e-9:
            rising[column.label] = values
    return rising
