"""What a word on the command line stands for: a kind, a contract in the field's or the code's word, or a name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from agentic.errors import UserError, listed, suggest
from agentic.plugins import KINDS, contracts_of, fits
from agentic_catalog.entries import Catalog, Entry
from agentic_catalog.places import Places

FIELD = {
    "solver": "minimizer",
    "change": "wrapper",
    "world": "env",
    "environment": "env",
    "population": "populationenergy",
}
SINGULAR = {"energies": "energy", "losses": "loss"}


def chosen(catalog: Catalog, word: str | None) -> tuple[list[Entry], bool]:
    """The components that a word stands for, all of them for None, and whether it was the name of one.

    Raises UserError for a word that is neither.
    """
    if word is None:
        return list(catalog.entries), False
    kinds = _kinds(catalog)
    test = kinds.get(_singular(word.lower()))
    if test is not None:
        return [each for each in catalog.entries if test(each)], False
    if found := catalog.named(word):
        return found, True
    names = [each.name for each in catalog.entries]
    near = suggest(word, [*names, *kinds]) or "; `agentic components` lists the names"
    raise UserError(f"there is no component and no kind of component '{word}'{near}; kinds: {listed(kinds)}")


def kind_words(catalog: Catalog) -> list[str]:
    """The words for kinds of components."""
    return list(_kinds(catalog))


def _kinds(catalog: Catalog) -> dict[str, Callable[[Entry], bool]]:
    """What each word asks of a component."""
    places = Places(catalog)
    found: dict[str, Callable[[Entry], bool]] = {_singular(kind): partial(_of_kind, kind) for kind in KINDS}
    for contract in (each for kind in KINDS for each in contracts_of(kind)):
        found.setdefault(_singular(contract.__name__.lower()), partial(_fits, contract))
    found |= {word: found[meant] for word, meant in FIELD.items()}
    return {**found, "planner": lambda each: ("planner",) in places.tables(each)}


def _of_kind(kind: str, entry: Entry) -> bool:
    return entry.component.kind == kind


def _fits(contract: Any, entry: Entry) -> bool:
    return entry.target is not None and fits(entry.target, contract)


def _singular(word: str) -> str:
    """A word in the singular: losses and loss are one."""
    return SINGULAR.get(word, word if word.endswith("ss") else word.removesuffix("s"))
