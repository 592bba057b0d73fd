"""The meaning of each metric: from its class where it is installed, else from what its measurements say."""

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from agentic.plugins import PluginError, Registry
from agentic_report.bench_folder import Bench

NAME = r"(?:van |de )?[A-Z][\w’'-]+"
CITED = rf"{NAME}(?:(?:,| and|,? et al\.?) ?(?:{NAME})?)*,? \(?(?:19|20)\d\d"
SOURCE = re.compile(rf"{CITED}(?:; {CITED})*")


@final
@dataclass(frozen=True)
class Meaning:
    """A metric by its component's `name`: one sentence, its source, and a `sample` of what it measured."""

    name: str
    labels: Sequence[str]
    summary: str
    source: str
    sample: Mapping[str, Any]


def meaning(name: str, labels: Sequence[str], sample: Mapping[str, Any], registry: Registry) -> Meaning:
    """One metric; `sample` is one of its measurements as a plain table."""
    return Meaning(name, labels, *_documented(name, registry), sample)


def meanings(bench: Bench, registry: Registry) -> list[Meaning]:
    """Every metric of a bench, once for all interventions it is measured under."""
    found = []
    for name in dict.fromkeys(column.name for column in bench.columns):
        labels = [column.label for column in bench.columns if column.name == name]
        places = ((world, agent, label) for world in bench.worlds for agent in bench.agents for label in labels)
        found.append(meaning(name, labels, next((s for p in places if (s := bench.sample(*p))), {}), registry))
    return found


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, on one line; a full stop within a number or a word ends nothing."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s+(?=[A-Z`(])", paragraph, maxsplit=1)[0]


def _documented(name: str, registry: Registry) -> tuple[str, str]:
    try:
        target = registry.resolve("metrics", name)
    except PluginError:
        return "not installed here, so that only what it measured is known", ""
    module = sys.modules.get(target.__module__)
    texts = [inspect.getdoc(part) or "" for part in (target, module, getattr(module, name, None)) if part is not None]
    found = (match.group() for text in texts if (match := SOURCE.search(" ".join(text.split()))))
    return first_sentence(texts[0]).replace("`", ""), next(found, "").replace("(", "")
