"""Conditions on runs, as `env=CartPole-v1` and `planner.horizon>=3`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from glob import has_magic
from operator import ge, gt, le, lt
from typing import Any, Self, final

from agentic.errors import UserError, listed, suggest
from agentic_report.listing.listed import COLUMNS, Listed
from agentic_report.reading import real

ORDERED: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
WRITTEN = re.compile(r"\s*([^=!<>\s]+)\s*(!=|<=|>=|==?|<|>)\s*(.*?)\s*", re.DOTALL)
NEAR = 12  # keys that a message lists
WHEN = "when"
EARLIEST = "0001-01-01 00:00"  # a date to the minute
DATE = re.compile(r"\d{4}(-\d\d(-\d\d( \d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?)?", re.ASCII)


@final
@dataclass(frozen=True)
class Condition:
    """What a value of a run must be: `key` `sign` `value`.

    Numbers are compared as numbers. For = and != other values are shell patterns, in which * stands for anything; by
    < and > only numbers are ordered, and the texts of `when`. A date stands for the whole of it, as 2026-11-30 for all
    minutes of that day. Where there is no value, != alone holds.
    """

    key: str
    sign: str
    value: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The condition that a text says. Raises UserError for one that says none."""
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise UserError(
                f"{text!r} is no condition: expected KEY=VALUE, or !=, <, <=, > or >= between them, as env=CartPole-v1"
            )
        key, sign, value = found.groups()
        if key == WHEN:
            return cls(key, sign.replace("==", "="), _date(value, text))
        if sign in ORDERED and real(value) is None:
            raise UserError(f"{text!r}: expected a number after {sign}, got {value!r}")
        return cls(key, sign.replace("==", "="), value)

    def holds(self, found: Any) -> bool:
        """Whether it holds of a value."""
        if found is None:
            return self.sign == "!="
        if self.sign in ORDERED:
            if self.key == WHEN:
                return ORDERED[self.sign](str(found)[: len(self.value)], self.value)
            number = None if isinstance(found, str) else real(found)
            return number is not None and ORDERED[self.sign](number, real(self.value))
        return self._is(found) == (self.sign == "=")

    def _is(self, found: Any) -> bool:
        if self.key == WHEN and not has_magic(self.value):
            return str(found).startswith(self.value)
        wanted = real(self.value)
        if wanted is not None and isinstance(found, int | float) and not isinstance(found, bool):
            return float(found) == wanted
        text = text_of(found)
        return text == self.value or fnmatchcase(text, self.value)  # the brackets of a list are no pattern


def conditions(where: Iterable[str] | Mapping[str, Any]) -> list[Condition]:
    """The conditions in a list of texts, or in a mapping from keys to what their values are."""
    if isinstance(where, str):
        raise UserError(f"where takes several conditions, got the text {where!r}: put it into a list")
    if isinstance(where, Mapping):
        texts = {str(key): text_of(value) for key, value in where.items()}
        return [
            Condition(key, "=", _date(text, f"{key}={text}") if key == WHEN else text) for key, text in texts.items()
        ]
    return [Condition.of(text) for text in where]


def check_known(keys: Iterable[str], rows: Sequence[Listed], hint: str = "") -> None:
    """Raises UserError for a key that is no column, and that the experiment of no row has; `hint` says what to do."""
    for key in keys:
        if not rows or key in COLUMNS or any(key in row.settings for row in rows):
            continue
        known = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row.settings)]))
        near = [name for name in known if key.rpartition(".")[2] in name]
        some = near[:NEAR] or [*COLUMNS]
        more = "" if near else " and the keys of experiments, as planner.horizon"
        raise UserError(f"no run has {key!r}{suggest(key, known)}; known: {listed(some)}{more}{hint and f'; {hint}'}")


def _date(value: str, text: str) -> str:
    """A date as `when` writes it, cut to minutes; patterns as they are. Raises UserError for what is none of these."""
    if has_magic(value):
        return value
    written = value.removesuffix("UTC").strip().replace("T", " ")
    try:
        whole = DATE.fullmatch(written) and datetime.fromisoformat(written + EARLIEST[len(written) :])
    except ValueError:
        whole = None
    if not whole:
        raise UserError(f"{text!r}: expected a date, as 2026-11, 2026-11-30 or 2026-11-30 08:15 (UTC), got {value!r}")
    return written[: len(EARLIEST)]


def text_of(value: Any) -> str:
    """A value as it is written in a condition: true and false as in TOML."""
    return str(value).lower() if isinstance(value, bool) else str(value)
