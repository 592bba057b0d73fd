"""The house: the rooms of the core and the packages around it, and who may import whom, from the import contracts.

What is drawn is what import-linter checks: `[tool.importlinter]` of pyproject.toml, and the modules that are there.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import final

ROOT = Path(__file__).parents[1]
WIDTH, CORE, EDGE, GAP = 1020, 640, 20, 8  # of the picture, of the core's column; around all, between boxes
LINE, LETTER = 14, 5.7  # height of a line and width of a letter of the small text, in pixels
RIGHT = CORE + 2 * EDGE + 2 * GAP  # where the packages begin
INSIDE = ["agentic.*.*"]  # modules inside a room, which the packages may not import
RULES = (
    "A room imports only rooms below it; of two on one line either may import the other.",
    "The core imports no package on this side, and these packages do not import each other.",
)
COLORS = {"core": "#d7e7f5", "package": "#dcefe0"}


@final
@dataclass(frozen=True)
class House:
    """What the contracts say: `layers` of rooms, the highest first; the packages that import them; exceptions."""

    layers: tuple[tuple[str, ...], ...]
    packages: tuple[str, ...]
    exceptions: tuple[tuple[str, str], ...]


def house(pyproject: str) -> House:
    """The house as the contracts in the text of a pyproject.toml have it."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    layers = next(each for each in contracts if each["type"] == "layers")["layers"]
    apart = next(each for each in contracts if each["type"] == "independence")
    split = (rule.split(" -> ") for rule in apart.get("ignore_imports", ()))
    return House(
        layers=tuple(tuple(re.split(r"\s*[:|]\s*", layer)) for layer in layers),
        packages=next(tuple(each["source_modules"]) for each in contracts if each.get("forbidden_modules") == INSIDE),
        exceptions=tuple((one.removesuffix(".**"), other.removesuffix(".**")) for one, other in split),
    )


def svg(plan: House) -> str:
    """The picture: the core as layers on the left, the packages that import it on the right."""
    core, below = _core(plan)
    packages = _packages(plan.packages, EDGE)
    exceptions = [f"The one exception: {one} imports {other}." for one, other in plan.exceptions]
    notes = wrap(" ".join([*RULES, *exceptions]), 52)
    texts = [_text(RIGHT, below - GAP - LINE * (len(notes) - 1 - i), note) for i, note in enumerate(notes)]
    down = f'<path d="M10 {EDGE}V{below - GAP}l-4 -6m4 6l4 -6" fill="none" stroke="#555"/>'
    parts = "\n".join([down, *core, *packages, *texts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {below + EDGE}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="11">\n'
        f"<title>The rooms of agentic and who may import whom</title>\n"
        f'<rect width="{WIDTH}" height="{below + EDGE}" fill="white"/>\n{parts}\n</svg>\n'
    )


def modules(room: str) -> list[str]:
    """The modules of a room of the core, without its `__init__`; none for a room that is a file."""
    return sorted(path.stem for path in (ROOT / "agentic" / room).glob("*.py") if path.stem != "__init__")


def draw(folder: Path) -> Iterator[Path]:
    """The house, as SVG."""
    path = folder / "house.svg"
    path.write_text(svg(house((ROOT / "pyproject.toml").read_text(encoding="utf-8"))), encoding="utf-8")
    yield path


def _core(plan: House) -> tuple[list[str], int]:
    """The boxes of the layers, and where they end."""
    parts, y = list[str](), EDGE
    for layer in plan.layers:
        width = (CORE - GAP * (len(layer) - 1)) // len(layer)
        listed = [wrap(" ".join(modules(room)), int((width - 2 * EDGE) / LETTER)) for room in layer]
        height = LINE * (max(map(len, listed)) + 1) + 10
        for i, (room, lines) in enumerate(zip(layer, listed, strict=True)):
            name = room if (ROOT / "agentic" / room).is_dir() else f"{room}.py"
            parts += _box(EDGE + i * (width + GAP), y, width, height, name, lines, "core")
        y += height + GAP
    return parts, y


def _packages(packages: Sequence[str], y: int) -> list[str]:
    """The packages that import the core, each with the arrow that says so."""
    x, inner = RIGHT, WIDTH - RIGHT - EDGE
    parts = [_text(x, y + LINE, "import the names in agentic and in its rooms")]
    y += LINE + GAP
    for package in packages:
        home = "envs" if (ROOT / "envs" / package).is_dir() else "plugins"
        parts += _box(x, y, inner, 2 * LINE + 10, package, [f"{home}/{package}"], "package")
        parts.append(f'<path d="M{x} {y + LINE + 5}h-{2 * GAP - 2}l5 -4m-5 4l5 4" fill="none" stroke="#555"/>')
        y += 2 * LINE + 10 + GAP
    return parts


def _box(x: int, y: int, width: int, height: int, name: str, lines: Sequence[str], kind: str) -> list[str]:
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{COLORS[kind]}" stroke="#888"/>',
        _text(x + 8, y + LINE + 2, name, ' font-weight="bold" font-size="12"'),
        *[_text(x + 8, y + LINE * (i + 2) + 2, line) for i, line in enumerate(lines)],
    ]


def _text(x: int, y: int, words: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(words)}</text>'
