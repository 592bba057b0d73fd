"""The two exceptions that the command line tells apart: the user's mistake and a run that failed."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")


class UserError(ValueError):
    """A mistake that the caller can mend (exit code 2): says what was expected, what came and what to do."""


class RunError(RuntimeError):
    """A failure of a run that started (exit code 1): what was recorded before stays readable."""


BREAKS = (Exception, SystemExit, GeneratorExit)  # what third parties' code may leave with: Ctrl-C is ours


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
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        broken = RunError(f"it broke, {described(error)}")
        broken.__cause__ = error
        return broken


def suggest(word: str, known: Iterable[str]) -> str:
    """', did you mean X?' for the nearest known word, '' if none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f", did you mean '{near[0]}'?" if near else ""


def said(error: BaseException) -> str:
    """An exception's message on one line; the name of its type where it has none, or none that can be read."""
    try:
        text = str(error)
    except BREAKS:
        text = ""
    return _cut(text, 300) or type(error).__name__


def described(error: BaseException) -> str:
    """An exception's type and message on one line."""
    kind, message = type(error).__name__, said(error)
    return kind if message == kind else f"{kind}: {message}"


def shown(value: object) -> str:
    """A value on one line, at most 80 characters of it; the name of its type where it does not say what it is."""
    try:
        return _cut(repr(value), 80)
    except BREAKS:
        return f"a {type(value).__name__}"


def _cut(text: str, length: int) -> str:
    line = " ".join(text[: 2 * length].split())
    return line if len(line) <= length else f"{line[: length - 4]} ..."


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
