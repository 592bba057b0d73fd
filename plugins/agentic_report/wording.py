"""Values as they read on a page: three digits, true minus signs, and names that may break where they are long."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isinf, isnan
from typing import Any

from markupsafe import Markup, escape

DASH = "–"
TINY = 5e-10  # what is smaller is a rounding error of an exact value


def number(value: float | None) -> str:
    """A number to three significant digits; a dash for none."""
    if value is None or isnan(value):
        return DASH
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < TINY:
        return "0"
    return (f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}").replace("-", "−")


def span(low: float | None, high: float | None) -> str:
    """An interval; empty without both bounds."""
    return "" if low is None or high is None or isnan(low) or isnan(high) else f"[{number(low)}, {number(high)}]"


def chance(p_value: float | None) -> str:
    """A p-value."""
    if p_value is None:
        return ""
    return "p < 0.001" if p_value < 0.001 else f"p = {number(p_value)}"


def enumerated(words: Sequence[str], most: int = 6) -> str:
    """Words as a sentence lists them: a, b and c; what is beyond `most` is counted."""
    shown = [*words] if len(words) <= most else [*words[: most - 1], f"{len(words) - most + 1} more"]
    return " and ".join(shown) if len(shown) < 3 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def quoted(label: str) -> str:
    """A label within a sentence: in quotes where it is more than one word."""
    return label if label.replace("-", "").replace("_", "").isalnum() else f"“{label}”"


def breakable(text: str) -> Markup:
    """A name in which a line may break after an underscore or a slash."""
    shown = str(escape(text))
    for sign in "_/":
        shown = shown.replace(sign, f"{sign}<wbr>")
    return Markup(shown)


def moment(seconds: Any) -> str:
    """A time stamp as a date and a time in UTC; empty for what is none."""
    if not _is_time(seconds):
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return ""


def _is_time(seconds: Any) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and abs(seconds) < 1e15


def duration(seconds: Any) -> str:
    """Seconds as people say them; empty for what is none."""
    if not _is_time(seconds):
        return ""
    if seconds < 100:
        return f"{number(float(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def settings(table: Any) -> str:
    """The parameters of a component on one line, as in `tree(horizon = 3, backup = max)`; nested ones in brackets."""
    if isinstance(table, Mapping):
        pairs = ", ".join(f"{key} = {settings(value)}" for key, value in table.items() if key != "name")
        name = str(table.get("name", ""))
        return (f"{name}({pairs})" if pairs else name) if name else f"({pairs})" if pairs else ""
    if isinstance(table, list | tuple):
        return f"[{', '.join(map(settings, table))}]"
    return str(table)


def plain(value: float | None) -> str:
    """A number to four significant digits, as terminals and notebooks show it; a dash for none."""
    return "-" if value is None or isnan(value) else f"{value:.4g}"


def plain_span(low: float | None, high: float | None) -> str:
    """An interval in such numbers; a dash without both bounds."""
    return "-" if "-" in (plain(low), plain(high)) else f"[{plain(low)}, {plain(high)}]"
