"""The three minimizations, and the levels of access, as drawings of the loop of agent and world."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

WIDTH = 520  # narrow, so that the words can be read on a phone
LINE = 17
FILL = {"agent": "#d7e7f5", "world": "#dcefe0", "seen": "#f6c667", "plain": "#f4f4f4"}
MINIMIZATIONS = (
    ("perceive", ("lowers the free energy", "over beliefs about latents", "Evidence, by [inference]")),
    ("act", ("lowers the expected energy", "over plans", "ExpectedEnergy, by [planner]")),
    ("learn", ("lowers a loss, or uses Bayes' rule,", "over weights, between ticks", "by [learner]")),
)
LEVELS = (
    ("records", "what went in and out", {"observation", "action"}),
    ("internals", "and what it believed and planned", {"observation", "action", "inside"}),
    ("model", "what the world really does", {"world"}),
    ("intervene", "what happens if something is changed", {"observation", "action", "world", "change"}),
)


def draw(folder: Path) -> Iterator[Path]:
    """Both drawings, as SVG."""
    for name, text in {"three_minimizations": minimizations(), "access_levels": levels()}.items():
        path = folder / f"{name}.svg"
        path.write_text(text, encoding="utf-8")
        yield path


def minimizations() -> str:
    """Observation in, action out; what each of the three lowers, and over what."""
    parts = [_box(20, 20, 130, 250, "world", ("an environment", "of Gymnasium"), "world")]
    for i, (name, lines) in enumerate(MINIMIZATIONS):
        parts.append(_box(230, 20 + 85 * i, 270, 80, name, lines, "agent"))
    parts += [
        _arrow(150, 50, 230, 50, "obs"),
        _arrow(230, 145, 150, 145, "action"),
        _arrow(150, 230, 230, 230, "tick"),
        '<path d="M365 100v5" stroke="#333" stroke-width="2" marker-end="url(#end)"/>',
        _text(20, 295, "perceive hands a belief to act; learn changes the model that both use."),
    ]
    return _svg(310, "Perceiving, acting and learning lower a free energy each", parts)


def levels() -> str:
    """The loop four times, with what a metric of each level looks at in yellow."""
    parts = [part for i, level in enumerate(LEVELS) for part in _level(20 + 255 * (i % 2), 20 + 165 * (i // 2), *level)]
    return _svg(350, "What a metric looks at: records, internals, the model, interventions", parts)


def _level(x: int, y: int, name: str, about: str, seen: set[str]) -> Iterator[str]:
    def kind(part: str, otherwise: str = "plain") -> str:
        return "seen" if part in seen else otherwise

    yield _text(x, y + 12, name, ' font-weight="bold" font-size="15"')
    yield _text(x, y + 30, about, ' font-size="12"')
    yield _box(x, y + 42, 80, 90, "world", (), kind("world"))
    yield _box(x + 145, y + 42, 80, 90, "agent", ("beliefs,", "plans"), kind("inside"))
    yield _arrow(x + 80, y + 68, x + 145, y + 68, "obs", kind("observation"))
    yield _arrow(x + 145, y + 112, x + 80, y + 112, "action", kind("action"))
    if "change" in seen:
        yield _text(x + 8, y + 80, "changed", ' font-size="12"')


def _box(x: int, y: int, width: int, height: int, name: str, lines: Sequence[str], kind: str) -> str:
    texts = [_text(x + 8, y + LINE * (i + 2) + 4, line, ' font-size="12"') for i, line in enumerate(lines)]
    rect = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5" fill="{FILL[kind]}" stroke="#888"/>'
    return "\n".join([rect, _text(x + 8, y + LINE, name, ' font-weight="bold"'), *texts])


def _arrow(x: int, y: int, to_x: int, to_y: int, words: str, kind: str = "plain") -> str:
    color, width = ("#c47f00", 4) if kind == "seen" else ("#333", 2)
    tip = 8 if to_x > x else -8
    line = f'<path d="M{x} {y}L{to_x - tip} {to_y}" stroke="{color}" stroke-width="{width}" marker-end="url(#end)"/>'
    return f"{line}\n{_text((x + to_x) // 2, y - 7, words, chr(32) + 'text-anchor=' + chr(34) + 'middle' + chr(34))}"


def _text(x: int, y: int, words: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(words)}</text>'


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="13">\n<title>{escape(title)}</title>\n'
        '<defs><marker id="end" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#333"/></marker></defs>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )
