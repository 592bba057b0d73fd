"""The two exceptions that the command line tells apart: the user's mistake and a run that failed."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from textwrap import shorten
from typing import TypeVar

T = TypeVar("T")


class UserError(ValueError):
    """A mistake that the caller can mend (exit code 2): says what was expected, what came and what to do."""


class RunError(RuntimeError):
    """A failure of a run that started (exit code 1): what was recorded before stays readable."""


BREAKS = (Exception, SystemExit)  # what third parties' code may leave with: their exit is not ours, Ctrl-C is


class ThirdPartyWarning(UserWarning):
    """Something odd that an environment, an agent or a data set did, and that stops nothing."""


class CloseWarning(ThirdPartyWarning):
    """An environment that broke while it was closed: what it did before stays, the exit code is 1."""


def attempt(work: Callable[[], T]) -> T | UserError | RunError:
    """The value of `work()`, or its error as a value: a UserError where it does not apply, a RunError where it broke.

    Whatever else it raises becomes a RunError that says so; Ctrl-C does not.
    """
    try:
        return work()
    except (UserError, RunError) as error:
        return error
    except BREAKS as error:
        broken = RunError(f"it broke, {described(error)}")
        broken.__cause__ = error
        return broken


def suggest(word: str, known: Iterable[str]) -> str:
    """', did you mean X?' for the nearest known word, '' if none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f", did you mean '{near[0]}'?" if near else ""


def described(error: BaseException) -> str:
    """An exception's type and message on one line."""
    return shorten(f"{type(error).__name__}: {error}", 300, placeholder="...")


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
