"""Boundaries that are known, discovered anew: `python -m soak.discovery [CASE...]`, the table of docs/soak.md.

Every case is tried on seeds from 100 on, for settings were chosen below. Beside `agentic.discover` stand the other ways
of soak/baselines.py, in the same run on the same recordings.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import click
import numpy as np

import agentic
from agentic_discovery import rand_index
from agentic_discovery.columns import ranks
from agentic_envs.planted import Planted, network, structureless
from agentic_envs.planted.cell import cell
from agentic_envs.planted.lived import Setting, lived, point_mass, springs
from agentic_envs.planted.nonlinear import binary
from agentic_envs.planted.several import objects, switching
from soak.baselines import BASELINES

FIRST = 100  # the first seed
BOUNDARY = {"sensor": "boundary", "actuator": "boundary"}
HEAD = "| case | what | found | demand | held | " + " | ".join(BASELINES) + " | s |"
Row = dict[str, Any]
Line = tuple[Callable[[list[Row]], float], float, bool]  # a figure, its demand, whether that is the least


@final
@dataclass(frozen=True)
class Case:
    """Recordings of one kind, what each is scored by, and what the scores have to be."""

    make: Callable[[Sequence[int]], Iterator[Planted]]
    seeds: int
    score: Callable[[Planted], Row]
    lines: Mapping[str, Line]

    def rows(self, seeds: int | None) -> list[Row]:
        """The scores of each recording, in the order of seeds."""
        made = self.make(range(FIRST, FIRST + min(self.seeds, seeds or self.seeds)))
        return [{"number": number} | self.score(each) for number, each in enumerate(made)]


def discovered(planted: Planted, **more: Any) -> Any:
    """What `agentic.discover` finds in a recording, with the order that it has."""
    arrays = dict(zip(planted.names, planted.values.T, strict=True))
    episode = np.repeat(np.arange(len(planted.episodes)), planted.episodes)
    return agentic.discover({**arrays, "episode": episode}, episode="episode", order=planted.order, **more)


def sides(roles: Sequence[str]) -> list[str]:
    """Roles where sensors and actuators are one boundary."""
    return [BOUNDARY.get(role, role) for role in roles]


def partition(planted: Planted, **more: Any) -> Row:
    """Adjusted Rand indices of {world, boundary, inside}, of the discovery and of the others."""
    start = time.perf_counter()
    found = discovered(planted, **more)
    seconds = time.perf_counter() - start
    roles, true = [each.role for each in found.roles], sides(planted.roles)
    index = rand_index(sides(roles), true)
    others = {
        name: rand_index(other(planted.values, ranks(planted.names, planted.order)), true)
        for name, other in BASELINES.items()
    }
    beside = [role == "world" for name, role in zip(planted.names, roles, strict=True) if "beside" in name]
    return {
        "index": index,
        "exact": index == 1,
        "oriented": roles == list(planted.roles),
        "told": not found.reasons,
        "doubts": bool(found.cautions or found.reasons),
        "evidence": float(found.boundary_evidence),
        "beside": all(beside),
        "reasons": list(found.reasons),
        "seconds": seconds,
        **others,
    }


def crossing(planted: Planted) -> Row:
    """Bits from world to inside past the boundary that was found, and past one of shuffled roles.

    The inside is blurred by a hundredth of its spread: a belief is a function of what was seen and done.
    """
    from agentic_metrics import TransferEntropy

    metric = TransferEntropy(source_history=2, estimator="gaussian", surrogates=99)
    found = [each.role for each in discovered(planted).roles]
    source, rows = np.random.default_rng(0), dict[str, float]()
    for name, roles in (("found", found), ("shuffled", source.permutation(found).tolist())):
        parts = [np.flatnonzero(np.isin(sides(roles), [side])) for side in ("world", "inside", "boundary")]
        world, inside, given = (planted.values[:, each] for each in parts)
        inside = inside + 0.01 * inside.std(0) * source.standard_normal(inside.shape)
        rows[name] = metric.estimate([world], [inside], [[given]], generator=np.random.default_rng(0)).value
    return rows


def owned(planted: Planted) -> Row:
    """How many objects were found, and whose each column is."""
    start = time.perf_counter()
    found = discovered(planted)
    owners = [each.object for each in found.roles]
    return {
        "count": max(owners),
        "right": max(owners) == max(planted.objects),
        "index": rand_index(owners, planted.objects),
        "told": not found.reasons,
        "seconds": time.perf_counter() - start,
    }


def switched(window: int) -> Callable[[Planted], Row]:
    """The mean index over windows of so many steps, each against the roles of its time."""

    def score(planted: Planted) -> Row:
        start, last = time.perf_counter(), planted.switches[0]
        found = discovered(planted, window=window).windows
        true = [planted.roles if each.last <= last else planted.later[0] for each in found]
        indices = [rand_index(sides(each.roles), sides(roles)) for each, roles in zip(found, true, strict=True)]
        return {"index": float(np.mean(indices)), "least": min(indices), "seconds": time.perf_counter() - start}

    return score


def alarms(planted: Planted) -> Row:
    """Whether a boundary was told where there is none."""
    start = time.perf_counter()
    found = discovered(planted)
    return {
        "told": not found.reasons,
        "evidence": float(found.boundary_evidence),
        "seconds": time.perf_counter() - start,
    }


def each(make: Callable[[int], Planted]) -> Callable[[Sequence[int]], Iterator[Planted]]:
    """The recordings of seeds, one after the other."""
    return lambda seeds: (make(seed) for seed in seeds)


def together(setting: Callable[[], Setting]) -> Callable[[Sequence[int]], Iterator[Planted]]:
    """As many copies of a world as there are seeds, in one run on the first of them."""
    return lambda seeds: iter(lived(setting(), seeds[0], copies=len(seeds)))


def nothing(seeds: Sequence[int]) -> Iterator[Planted]:
    """A hundred recordings without structure: linear networks, noise with memory, runs whose columns were shuffled."""
    for size in (12, 28, 60):
        for density in (0.0, 0.06, 0.1, 0.2, 0.35):
            for seed in seeds[:5]:
                yield structureless(seed, size, density)
    for seed in seeds[:10]:
        source = np.random.default_rng(seed)
        values = source.standard_normal((2000, 28))
        for step in range(1, len(values)):
            values[step] += 0.95 * values[step - 1]
        yield plain(values)
    for run in lived(springs(), seeds[0], copies=min(15, len(seeds))):
        source = np.random.default_rng(seeds[0])
        rolled = [np.roll(column, source.integers(100, len(column) - 100)) for column in run.values.T]
        yield plain(np.stack(rolled, 1))


def plain(values: Any) -> Planted:
    """A recording of which all is world."""
    count = values.shape[1]
    return Planted(tuple(f"x{place}" for place in range(count)), values, ("world",) * count, (0,) * count)


def thinned(planted: Planted) -> Planted:
    """Every second step alone."""
    return replace(planted, values=planted.values[::2], episodes=(len(planted.values[::2]),))


def hidden(planted: Planted) -> Planted:
    """The same without four of its columns, one of each role."""
    gone = {planted.roles.index(role) for role in set(planted.roles)}
    left = [place for place in range(len(planted.names)) if place not in gone]
    kept: dict[str, Any] = {
        name: tuple(getattr(planted, name)[place] for place in left) for name in ("names", "roles", "objects")
    }
    return replace(planted, values=planted.values[:, left], **kept)


def mean(name: str) -> Callable[[list[Row]], float]:
    """The mean of a number over rows."""
    return lambda rows: float(np.mean([row[name] for row in rows]))


def most(name: str) -> Callable[[list[Row]], float]:
    """The largest of a number over rows."""
    return lambda rows: float(max(row[name] for row in rows))


def exactly(share: float, index: float | None = None) -> dict[str, Line]:
    """The lines of a case of partitions: the share that is exact, and the mean index."""
    lines: dict[str, Line] = {"exact": (mean("exact"), share, True)}
    return lines if index is None else {**lines, "index": (mean("index"), index, True)}


def unordered(seeds: Sequence[int]) -> Iterator[Planted]:
    """Our agent among springs, as if all columns were of one moment."""
    return (replace(one, order=None) for one in lived(springs(), seeds[0], copies=len(seeds)))


def apart(share: float, oriented: float) -> dict[str, Line]:
    """The lines of a case with an agent and things beside it: also whether nothing else is taken in, and sides."""
    lines: dict[str, Line] = {"nobody's things left out": (mean("beside"), 0.95, True)}
    return exactly(share) | lines | {"oriented": (mean("oriented"), oriented, True)}


DOUBTS: dict[str, Line] = {"not told, or with doubts": (mean("doubts"), 0.8, True)}
PAIR: dict[str, Line] = {"two": (mean("right"), 11 / 12, True), "index": (mean("index"), 0.94, True)}
PAST: dict[str, Line] = {"bits, found": (most("found"), 0.02, False), "bits, shuffled": (mean("shuffled"), 1, True)}
CASES: dict[str, Case] = {
    "network, 2,000 steps": Case(each(network), 20, partition, exactly(0.85, 0.97)),
    "network, 300 steps": Case(each(lambda seed: network(seed, steps=300)), 20, partition, exactly(0.85, 0.97)),
    "network of 40": Case(
        each(lambda seed: network(seed, world=22, sensors=4, actuators=4, inside=10)), 10, partition, exactly(0.9)
    ),
    "agent among springs": Case(together(springs), 20, partition, apart(0.7, 0.65)),
    "agent among springs, 4,000 steps": Case(together(lambda: springs(steps=4000)), 5, partition, exactly(0.8)),
    "agent on a point mass": Case(together(point_mass), 20, partition, apart(0.8, 0.8)),
    "cell": Case(each(cell), 20, partition, {"index": (mean("index"), 0.95, True)}),
    "cell, as particles": Case(each(cell), 20, partial(partition, particles="x,y"), exactly(0.85, 0.95)),
    "network of two values, counted": Case(
        each(lambda seed: binary(seed, density=0.25)), 20, partial(partition, estimator="plugin"), exactly(0.85, 0.97)
    ),
    "two objects, 2,000 steps": Case(each(objects), 12, owned, PAIR),
    "two objects, 500 steps": Case(each(lambda seed: objects(seed, steps=500)), 12, owned, PAIR),
    "roles switch, windows of 1,000": Case(each(switching), 10, switched(1000), {"index": (mean("index"), 0.99, True)}),
    "roles switch, windows of 500": Case(each(switching), 10, switched(500), {"index": (mean("index"), 0.99, True)}),
    "roles switch, windows of 250": Case(each(switching), 10, switched(250), {"index": (mean("index"), 0.97, True)}),
    "bits past the boundary": Case(together(point_mass), 5, crossing, PAST),
    "every second step": Case(each(lambda seed: thinned(network(seed, steps=4000))), 20, partition, DOUBTS),
    "order within the step unknown": Case(unordered, 20, partition, DOUBTS),
    "4 of 28 columns hidden": Case(each(lambda seed: hidden(network(seed))), 20, partition, DOUBTS),
    "no structure": Case(nothing, 20, alarms, {"alarms": (mean("told"), 0.02, False)}),
}


SHARES = ("exact", "oriented", "two", "alarms", "nobody's things left out", "not told, or with doubts")


def lines_of(name: str, case: Case, rows: list[Row]) -> Iterator[Row]:
    """The lines of a table: each figure with its demand; the first has the other ways' mean index, and seconds."""
    others = {other: mean(other)(rows) for other in BASELINES if other in rows[0]}
    first = {"others": others, "seconds": mean("seconds")(rows) if "seconds" in rows[0] else None}
    for what, (figure, demand, least) in case.lines.items():
        value = figure(rows)
        held = value >= demand if least else value <= demand
        line = {"case": name, "what": what, "found": value, "demand": demand, "least": least, "held": held}
        yield {**line, "of": len(rows), "others": {}, "seconds": None, **first}
        first = {}


def printed(line: Row) -> str:
    """One line of the table."""
    share, value = line["what"] in SHARES, line["found"]
    found = f"{value * line['of']:.0f} of {line['of']}" if share else f"{value:.3f}"
    demand = f"{'at least' if line['least'] else 'at most'} {line['demand']:.3g}"
    others = [f"{line['others'][name]:.2f}" if name in line["others"] else "" for name in BASELINES]
    took = "" if line["seconds"] is None else f"{line['seconds']:.1f}"
    cells = [line["case"], line["what"], found, demand, "yes" if line["held"] else "no", *others, took]
    return f"| {' | '.join(cells)} |"


@click.command()
@click.argument("wanted", nargs=-1, metavar="[CASE]...")
@click.option("--seeds", type=click.IntRange(min=1), help="So many seeds, where a case has more.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/discovery.json"), show_default=True)
def main(wanted: tuple[str, ...], seeds: int | None, out: Path) -> None:
    """Try all cases, or those that contain one of the words; exit code 1 where a demand is not met."""
    click.echo(f"{HEAD}\n|{' --- |' * HEAD.count(' | ')} --- |")
    every, found = list[Row](), dict[str, list[Row]]()
    for name, case in CASES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        found[name] = case.rows(seeds)
        for line in lines_of(name, case, found[name]):
            every.append(line)
            click.echo(printed(line))
    out.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "command": " ".join(["python -m soak.discovery", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "torch")} | {"python": sys.version.split()[0]},
    }
    out.write_text(json.dumps({**about, "lines": every, "rows": found}, indent=1), encoding="utf-8")
    sys.exit(0 if all(line["held"] for line in every) else 1)


if __name__ == "__main__":
    main()
