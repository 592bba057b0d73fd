"""Templates filled in, and what they all can use."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from agentic_report import wording


def render(name: str, **values: Any) -> str:
    """The template of that name with these values."""
    return _templates().get_template(f"{name}.html.j2").render(values)


@cache
def _templates() -> Environment:
    loaded = Environment(
        loader=PackageLoader("agentic_report"),
        autoescape=True,
        finalize=lambda value: "" if value is None else value,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.filters |= {name: getattr(wording, name) for name in ("number", "span", "breakable", "moment", "duration")}
    loaded.filters |= {"settings": wording.settings}
    loaded.globals |= {"source": _source, "plotly": _plotly}
    return loaded


def _source(name: str) -> Markup:
    """A style sheet or a script of ours, as it is; empty where there is none."""
    file = files("agentic_report") / "templates" / name
    return Markup(file.read_text(encoding="utf-8") if file.is_file() else "")


@cache
def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
