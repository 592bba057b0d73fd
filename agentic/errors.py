"""The two exceptions the command line tells apart: the user's mistake and a run that failed."""

from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import shorten


class UserError(ValueError):
    """Something the caller can mend (exit code 2): says what was expected, what came and what to do."""


class RunError(RuntimeError):
    """A run that started and failed (exit code 1): what was recorded before stays readable."""


def suggest(word: str, known: Iterable[str]) -> str:
    """', did you mean X?' for the nearest known word, '' if none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f", did you mean '{near[0]}'?" if near else ""


def described(error: BaseException) -> str:
    """An exception's type and message on one line."""
    return shorten(f"{type(error).__name__}: {error}", 300, placeholder="...")


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
