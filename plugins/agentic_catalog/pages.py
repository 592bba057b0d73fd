"""The catalog as text: a group for each contract and its places, and a page about one component."""

from collections.abc import Iterable
from textwrap import indent, shorten

import click

from agentic import Purpose
from agentic.errors import listed, shown
from agentic.plugins import accepted
from agentic_catalog import wording
from agentic_catalog.entries import Catalog, Entry, Parameter
from agentic_catalog.places import Path, Places
from agentic_catalog.samples import Samples

PURPOSE = [name for name in accepted(Purpose).names if name != "goal"]
NARROW = 80  # columns where nobody says how many there are


def listing(catalog: Catalog, entries: Iterable[Entry], width: int = NARROW, *, short: bool = False) -> str:
    """Names and what each is, under the contract they fulfill and the tables they fill; `short`: a line each."""
    places, groups = Places(catalog), dict[str, list[Entry]]()
    for entry in entries:
        groups.setdefault(heading(entry, places), []).append(entry)
    formatter = click.HelpFormatter(width=width)
    for title, members in groups.items():
        with formatter.section(title):
            rows = [(each.name, each.summary or "(it says nothing about itself)") for each in members]
            room = width - 4 - max(len(name) for name, _ in rows)
            formatter.write_dl(
                [(name, shorten(line, room, placeholder="...") if short else line) for name, line in rows]
            )
    return formatter.getvalue().strip("\n")


def heading(entry: Entry, places: Places) -> str:
    """A contract, and where a file names components of it."""
    where = " or ".join(sorted(map(bracketed, places.tables(entry))))
    return f"{entry.contract}, {where}" if where else entry.contract


def bracketed(path: Path) -> str:
    """A place as one writes it: [planner], gain in [planner], [[metrics]] of a bench, [[loggers]]."""
    special: dict[Path, str] = {
        ("metrics",): "[[metrics]] of a bench file",
        ("env",): "id in [env]",
        ("loggers",): "[[loggers]]",
    }
    return special.get(path) or (f"[{path[0]}]" if len(path) == 1 else f"{path[1]} in [{path[0]}]")


def page(samples: Samples, entry: Entry, width: int = NARROW) -> str:
    """All about one component: what it is, where it goes, its parameters and an example."""
    formatter = click.HelpFormatter(width=width)
    part = entry.component
    version = f" {part.version}" if part.version else ""
    formatter.write_text(f"{entry.name}: {heading(entry, samples.places)}; from {part.plugin}{version}")
    for paragraph in wording.paragraphs(entry.problem or wording.text(entry.target)):
        formatter.write_paragraph()
        if paragraph.startswith("    "):  # code, or a list of parameters in somebody's style
            formatter.write(paragraph + "\n")
        else:
            with formatter.indentation():
                formatter.write_text(" ".join(paragraph.split()))
    if entry.parameters or entry.free:
        with formatter.section("Parameters"):
            first = {each.about: each.name for each in reversed(entry.parameters)} | {entry.summary: "above"}
            rows = [(each.name, _row(each, first[each.about])) for each in entry.parameters]
            formatter.write_dl([*rows, *([("any other name", "it takes these too")] if entry.free else [])])
    if ("planner",) in samples.places.tables(entry):
        with formatter.section("Beside them in [planner]"):
            formatter.write_text(f"{listed(PURPOSE)}: what plans are judged by, whoever finds them.")
    if holders := samples.places.holders(entry):
        with formatter.section("Asked for by"):
            formatter.write_text(", ".join(f"`{one.name}` of {each.name}" for each, one in holders))
    with formatter.section("Example"):
        formatter.write(indent(_example(samples, entry), "  ") + "\n")
    return formatter.getvalue().strip("\n")


def _row(each: Parameter, first: str) -> str:
    """Type, default and what is said of a parameter, unless that was said of the `first` one already."""
    if each.open:
        default = "from the environment where it can be told" if each.in_file else "from the environment"
    else:
        default = "needed" if each.needed else f"default {_shown(each.default)}"
    where = "; a table of its own" if each.table else "" if each.in_file or each.open else "; from Python only"
    about = each.about if each.name == first or not each.about else f"See {first}."
    return f"{each.type}, {default}{where}. {about}".strip()


def _shown(value: object) -> str:
    """A default on one line, in the words of a file where it has some."""
    if value is None:
        return "none"
    words = {True: "true", False: "false"}
    return words[value] if isinstance(value, bool) else shown(value)


def _example(samples: Samples, entry: Entry) -> str:
    sample = samples.of(entry)
    if entry.problem:
        return "# none: it cannot be used"
    if sample is None:
        lacking = [f"{each.name} ({each.type})" for each in entry.parameters if each.needed and not each.in_file]
        return f"# from Python only: no file can say {', '.join(lacking)}"
    notes = [f"# as tried in {sample.world}"] if sample.world and not sample.problem else []
    if sample.problem:
        notes.append(f"# not made here: {sample.problem}")
    if "name" in sample.tables:
        notes.append(f"# no table of a file asks for it; in Python: registry.make({entry.contract}, {{...}})")
    return "\n".join([*notes, sample.toml])
