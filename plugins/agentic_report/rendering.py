"""Templates filled in, and what they all can use."""

import hashlib
from base64 import b64encode
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
    loaded.globals |= {"source": _source, "script": _script, "permitted": _permitted}
    return loaded


@cache
def _script(name: str) -> Markup:
    """A script of ours, or plotly's, in its element: what is within is the same on every page."""
    from plotly.offline import get_plotlyjs

    text = get_plotlyjs() if name == "plotly" else str(_source(name))
    return Markup("<script>{}</script>").format(Markup(text.replace("\r\n", "\n").replace("\r", "\n")))


@cache
def _permitted(*names: str) -> str:
    """The scripts of these names as a content security policy permits them, by their SHA-256: no others run."""
    texts = [_script(name).removeprefix("<script>").removesuffix("</script>") for name in names]
    sums = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{each}'" for each in sums)


def _source(name: str) -> Markup:
    """A style sheet or a script of ours, as it is; empty where there is none."""
    file = files("agentic_report") / "templates" / name
    return Markup(file.read_text(encoding="utf-8") if file.is_file() else "")
