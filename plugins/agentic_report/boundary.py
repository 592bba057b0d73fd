"""The boundary that was found in a recording, drawn: who is coupled with whom across it, and roles over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, final

from agentic_report.reading import mapping, real, tables, words
from agentic_report.wording import enumerated, number

ROLES = {"world": "world", "sensor": "sensors", "actuator": "actuators", "boundary": "boundary", "inside": "inside"}
FORBIDDEN = {("world", "inside"), ("inside", "world"), ("world", "actuator"), ("inside", "sensor")}
WIDE, HIGH = 460, 360  # of the drawing; a phone shows four fifths of that
BOXES = {"world": (2, 130), "sensor": (172, 4), "actuator": (172, 256), "boundary": (172, 130), "inside": (342, 130)}
BOX = (116, 100)
LOOP = {("world", "sensor"), ("sensor", "inside"), ("inside", "actuator"), ("actuator", "world")}
OUTER, INNER = (
    16,
    -24,
)  # of the two arrows between neighbors: that of the loop, and that back, from the middle of an edge
NAMED, LONG = 3, 15  # columns named in a box, and the letters of one
APART = 7  # from the middle, of the two arrows between what lies opposite


@final
@dataclass(frozen=True)
class Box:
    """The columns of one role: where they are drawn, and their names as far as there is place."""

    role: str
    x: int
    y: int
    lines: Sequence[str]

    @property
    def title(self) -> str:
        return ROLES[self.role]


@final
@dataclass(frozen=True)
class Arrow:
    """The couplings from one role to another, in nats, and whether a boundary forbids them."""

    source: str
    target: str
    nats: float
    path: str
    label: tuple[float, float]

    @property
    def forbidden(self) -> bool:
        return (self.source, self.target) in FORBIDDEN

    @property
    def width(self) -> float:
        return round(1 + float(min(self.nats, 1e3) ** 0.25) / 2, 2)

    @property
    def words(self) -> str:
        """The arrow for who does not see it."""
        return f"{ROLES[self.source]} to {ROLES[self.target]} {number(self.nats)} nats"


@final
@dataclass(frozen=True)
class Graph:
    """The drawing of one object: boxes and arrows."""

    name: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]

    @property
    def described(self) -> str:
        said = [f"{box.title}: {len(box.lines)}" for box in self.boxes]
        return f"{self.name}. {'; '.join(said)}. Couplings: {', '.join(arrow.words for arrow in self.arrows)}."


def boundary(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows of a discovery; None where nothing was discovered."""
    roles = [_read(row) for row in tables(found.get("roles"))]
    if not roles:
        return None
    names = [row["column"] for row in roles]
    objects = sorted({row["object"] for row in roles} - {0})
    couplings = _matrix(found.get("couplings"), len(names))
    return {
        "title": f"Object {found.get('object') or 1} found in {found.get('source') or 'a recording'}",
        "detected": found.get("detected") is True,
        "said": {name: words(found.get(name)) for name in ("reasons", "cautions")},
        "numbers": {name: real(found.get(name)) for name in ("boundary_evidence", "leak", "agreement")},
        "facts": {**_kept(mapping(found.get("settings"))), **_kept(mapping(found.get("frame")), "boundary", "start")},
        "roles": sorted(roles, key=lambda row: (row["object"], [*ROLES].index(row["role"]))),
        "graphs": [graph(each, roles, names, couplings, len(objects)) for each in objects],
        "alternatives": [(real(row.get("more")), changed(roles, row)) for row in tables(found.get("alternatives"))],
        "windows": strip(found.get("windows"), names),
    }


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    """One column's row, with what everything below asks it for."""
    role, one = str(row.get("role")), row.get("object")
    return {
        "column": str(row.get("column")),
        "object": one if isinstance(one, int) else 0,
        "role": role if role in ROLES else "world",
        "probability": real(row.get("probability")),
        "part": row.get("part"),
    }


def graph(
    one: int, roles: Sequence[Mapping[str, Any]], names: Sequence[str], couplings: Sequence[Sequence[float]], count: int
) -> Graph:
    """One object before everything else, which is its world."""
    seen = [_role(row, one) for row in roles]
    groups = {role: [i for i, each in enumerate(seen) if each == role] for role in BOXES}
    boxes = [Box(role, *BOXES[role], _lines([names[i] for i in own])) for role, own in groups.items() if own]
    arrows = []
    for source, own in groups.items():
        for target, others in groups.items():
            nats = sum(couplings[i][j] for i in own for j in others)
            if source != target and nats > 0:
                arrows.append(Arrow(source, target, nats, *_drawn(source, target)))
    name = "The boundary" if count == 1 else f"The boundary of object {one}"
    return Graph(name, boxes, sorted(arrows, key=lambda each: each.forbidden))


def changed(roles: Sequence[Mapping[str, Any]], other: Mapping[str, Any]) -> str:
    """The columns that have other roles there, and which."""
    groups: dict[str, list[str]] = {}
    for row, role in zip(roles, words(other.get("roles")), strict=False):
        if role != row.get("role"):
            groups.setdefault(role, []).append(str(row.get("column")))
    return "; ".join(f"{enumerated(own, 4)} {role}" for role, own in groups.items()) or "the same roles, other objects"


def strip(windows: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """The roles of each column in each window; None where there are none."""
    rows = tables(windows)
    kept = [(row, list(row.get("roles") or ())) for row in rows]
    kept = [(row, roles) for row, roles in kept if len(roles) == len(names)]
    if not kept:
        return None
    spans = [f"{row.get('first')} to {row.get('last')}" for row, _ in kept]
    return {"spans": spans, "rows": [(name, [str(roles[i]) for _, roles in kept]) for i, name in enumerate(names)]}


def _kept(table: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a table says, of all `names` or of some."""
    return {name: said for name, said in table.items() if said is not None and (not names or name in names)}


def _role(row: Mapping[str, Any], one: int) -> str:
    """The role that a column has for one object: those of others are its world."""
    return str(row["role"]) if row["object"] == one else "world"


def _lines(names: Sequence[str]) -> list[str]:
    short = [name if len(name) <= LONG else f"{name[: LONG - 1]}…" for name in names]
    return short if len(short) <= NAMED else [*short[: NAMED - 1], f"and {len(short) - NAMED + 1} more"]


def _drawn(source: str, target: str) -> tuple[str, tuple[float, float]]:
    """The path from one box to another, beside that of the way back, and where its number stands."""
    (x, y), (u, v) = _middle(source), _middle(target)
    if x == u or y == v:
        return _straight((x, y), (u, v))
    aside = OUTER if (source, target) in LOOP else INNER
    corner, low = (x if y == _middle("world")[1] else u), (v if y == _middle("world")[1] else y)
    right, down = (1 if corner > WIDE / 2 else -1), (1 if low > HIGH / 2 else -1)
    bend = corner + right * aside, low + down * aside
    beside = bend[0], HIGH / 2 + down * BOX[1] / 2  # at the box of the side, and at the one above or below
    above = WIDE / 2 + right * BOX[0] / 2, bend[1]
    first, last = (beside, above) if corner == x else (above, beside)
    place = tuple(0.25 * a + 0.5 * b + 0.25 * c for a, b, c in zip(first, bend, last, strict=True))
    return f"M{first[0]:g} {first[1]:g}Q{bend[0]:g} {bend[1]:g} {last[0]:g} {last[1]:g}", (place[0], place[1])


def _straight(here: tuple[float, float], there: tuple[float, float]) -> tuple[str, tuple[float, float]]:
    (x, y), (u, v) = here, there
    across, ahead = (u > x) - (u < x), (v > y) - (v < y)
    x, u = x + across * BOX[0] / 2 - ahead * APART, u - across * BOX[0] / 2 - ahead * APART
    y, v = y + ahead * BOX[1] / 2 + across * APART, v - ahead * BOX[1] / 2 + across * APART
    return f"M{x:g} {y:g}L{u:g} {v:g}", (x + 0.25 * (u - x), y + 0.25 * (v - y))


def _middle(role: str) -> tuple[float, float]:
    x, y = BOXES[role]
    return x + BOX[0] / 2, y + BOX[1] / 2


def _matrix(given: Any, size: int) -> list[list[float]]:
    """The couplings (p, p) from row to column, in nats; zeros where they are none."""
    rows = given if isinstance(given, list) and len(given) == size else [[]] * size
    return [_row(row, size) for row in rows]


def _row(given: Any, size: int) -> list[float]:
    numbers: Iterable[Any] = given if isinstance(given, list) and len(given) == size else [0.0] * size
    return [float(x) if isinstance(x, int | float) and isfinite(x) else 0.0 for x in numbers]
