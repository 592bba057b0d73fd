"""The findings of a bench: sentences that are computed from its table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import final

from agentic import Access, Verdict
from agentic_bench import Cell
from agentic_report.bench_folder import Bench, Column
from agentic_report.cells import JUDGED, apart, difference, known
from agentic_report.ladders import ladders
from agentic_report.wording import enumerated, number, quoted

BEHAVIOR = (Access.RECORDS.value, Access.MODEL.value)  # in the unchanged world, and without a look inside
FEWEST = 2  # columns of behavior on which two agents must agree before they count as the same by behavior
EQUAL = 1e-9  # differences up to it are rounding errors
PAIRS = 2  # told at most
CLOSE = 0.9  # of the best return
RETURN = "episode_return"
Both = tuple[Cell, Cell]


@final
@dataclass(frozen=True)
class _Pair:
    """Two agents of a world that behavior does not tell apart, and what does once it changes, the widest gap first.

    `gaps` are those differences in units of the column's range. `twins` are agents that no column tells from either.
    """

    world: str
    a: str
    b: str
    same: Sequence[Both]
    parted: Sequence[Both]
    gaps: Sequence[float]
    twins: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all that is measured of their behavior is the same number."""
        return max(difference(*both) for both in self.same) <= EQUAL

    @property
    def rank(self) -> tuple[int, float]:
        return -len(self.parted), -sum(self.gaps)


def findings(bench: Bench) -> list[str]:
    """The sentences of a bench, most telling first; empty where nothing was measured."""
    pairs = [pair for world in bench.worlds for pair in _pairs(bench, world)]
    equal = [pair for pair in pairs if pair.equal]
    sentences = [_same(bench, pair) for pair in sorted(equal or pairs, key=lambda pair: pair.rank)[:PAIRS]]
    sentences += [sentence for world in bench.worlds for sentence in _paid(bench, world)]
    sentences += islice((sentence for world in bench.worlds for sentence in ladders(bench, world)), 1)
    return [*sentences, *_nulls(bench)]


def telling(bench: Bench) -> tuple[str, str] | None:
    """World and agent of the first sentence: of two that are the same by behavior the one that a change moves more."""
    pairs = [pair for world in bench.worlds for pair in _pairs(bench, world)]
    best = min([pair for pair in pairs if pair.equal] or pairs, key=lambda pair: pair.rank, default=None)
    if best is None:
        return None
    ahead = sum((one.value or 0.0) > (other.value or 0.0) for one, other in best.parted)
    return best.world, best.a if 2 * ahead > len(best.parted) else best.b


def _same(bench: Bench, pair: _Pair) -> str:
    """Agents that are the same by behavior alone, and are not once the world is changed."""
    names = enumerated([one.metric for one, _ in pair.same])
    size = "by 0" if pair.equal else "by no more than their intervals"
    parts = [f"{one.metric} {number(one.value)} against {number(other.value)}" for one, other in pair.parted]
    where = f" in {quoted(pair.world)}" if len(bench.worlds) > 1 else ""
    agents = [agent for agent in bench.agents if agent in (pair.a, pair.b, *pair.twins)]
    return (
        f"By behavior alone {enumerated(agents)} are the same{where}: they differ {size} on {names}. "
        f"Change the world and they part: {enumerated(parts, 4)}."
    )


def _pairs(bench: Bench, world: str) -> Iterator[_Pair]:
    """All pairs in a world, but for an agent that is told of already: one example of each kind says enough."""
    agents, columns = bench.agents_in(world), _telling(bench, world)
    found = [pair for a, b in combinations(agents, 2) if (pair := _pair(bench, world, a, b, columns))]
    seen: set[str] = set()
    for pair in sorted(found, key=lambda pair: (not pair.equal, *pair.rank)):
        if not {pair.a, pair.b} & seen:
            others = [agent for agent in agents if agent not in (pair.a, pair.b)]
            twins = tuple(o for o in others if any(_twins(bench, world, o, agent) for agent in (pair.a, pair.b)))
            seen |= {pair.a, pair.b, *twins}
            yield replace(pair, twins=twins)


def _twins(bench: Bench, world: str, a: str, b: str) -> bool:
    """Whether two agents have the same value in every column."""
    columns = bench.columns_in(world)
    mine, theirs = ([bench.cells.get((world, agent, c.label)) for c in columns] for agent in (a, b))
    both = list(zip(mine, theirs, strict=True))
    return all(x is not None and y is not None and known(x) and known(y) and difference(x, y) <= EQUAL for x, y in both)


def _telling(bench: Bench, world: str) -> Mapping[Column, float]:
    """The range of each column in which not all agents are the same, as they are in what is said of the world alone."""
    values = {column: bench.values(world, column.label).values() for column in bench.columns_in(world)}
    ranges = {column: max(found) - min(found) for column, found in values.items() if found}
    return {column: width for column, width in ranges.items() if width > EQUAL}


def _pair(bench: Bench, world: str, a: str, b: str, columns: Mapping[Column, float]) -> _Pair | None:
    same: list[Both] = []
    parted: list[tuple[float, Both]] = []
    for column, width in columns.items():
        one, other = (bench.cells.get((world, agent, column.label)) for agent in (a, b))
        if one is None or other is None or not (known(one) and known(other)):
            continue
        if column.access in BEHAVIOR:
            if apart(one, other):
                return None
            same.append((one, other))
        elif column.intervenes and apart(one, other):
            parted.append((difference(one, other) / width, (one, other)))
    if len(same) < FEWEST or not parted:
        return None
    parted.sort(key=lambda each: each[0], reverse=True)
    return _Pair(world, a, b, same, [both for _, both in parted], [gap for gap, _ in parted])


def _paid(bench: Bench, world: str) -> Iterator[str]:
    """Agents that earn nearly as much as the best one, and that nothing which intervenes tells from its null."""
    columns = bench.columns_in(world)
    label = next((column.label for column in columns if column.name == RETURN and not column.under), "")
    paid = bench.values(world, label)
    best = max(paid.values(), default=0.0)
    close = [agent for agent, value in paid.items() if 0 < CLOSE * best <= value < best - EQUAL]
    changed = {(world, column.label) for column in columns if column.intervenes}
    judged = [cell for cell in bench.cells.values() if (cell.world, cell.metric) in changed and cell.verdict in JUDGED]
    blind = [a for a in close if {cell.verdict for cell in judged if cell.agent == a} == {Verdict.INSIDE}]
    if blind:
        shares = enumerated([f"{agent} ({number(100 * paid[agent] / best)} %)" for agent in blind])
        earn, them, null = ("earns", "it", "its null") if len(blind) == 1 else ("earn", "them", "their null")
        yield (
            f"In {quoted(world)} {shares} {earn} nearly the best return, and no measure of a changed world tells "
            f"{them} from {null}."
        )


def _nulls(bench: Bench) -> Iterator[str]:
    """Who is nowhere told from chance, and how many values are."""
    judged = [cell for cell in bench.cells.values() if cell.verdict in JUDGED]
    agents = {agent: [cell for cell in judged if cell.agent == agent] for agent in bench.agents}
    still = [agent for agent, cells in agents.items() if {cell.verdict for cell in cells} == {Verdict.INSIDE}]
    if still:
        verb = "lies" if len(still) == 1 else "lie"
        yield f"{enumerated(still)} {verb} {Verdict.INSIDE.value} on every measure that has one."
    if judged:
        outside = sum(cell.verdict is Verdict.OUTSIDE for cell in judged)
        yield f"{outside} of {len(judged)} values that have a null lie outside of it."
