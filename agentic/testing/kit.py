"""The machine of the conformance kit: checks by name, run one by one, from a decorator or from the command line.

A check is a function of `make`, which gives a fresh component each time it is called. It returns where the contract
holds, raises AssertionError with what was expected where it does not, and NotApplicable where it has no meaning.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, partial
from typing import Any, TypeVar, final

from agentic.errors import BREAKS, UserError, described
from agentic.testing.causes import CAUSES

PARTS = ("observation_", "transition_", "prior_")  # of a model, whose checks are named so
Make = Callable[[], Any]
Run = Callable[[Make], None]
Test = TypeVar("Test", bound=Callable[..., None])


class NotApplicable(Exception):
    """Why a check has no meaning for a component."""


@final
@dataclass(frozen=True)
class Check:
    """One requirement of a contract on one component; calling it raises AssertionError where it is not met.

    It is not tried, which is a NotApplicable, where one of its `causes` fails: what fails is told once, not in all its
    consequences.
    """

    name: str
    run: Run
    make: Make
    causes: tuple["Check", ...] = field(default=(), compare=False, repr=False)

    def __call__(self) -> None:
        if self.cause:
            raise NotApplicable(f"not tried: {self.cause} failed")
        if (
            "finding" not in vars(self) or not self.finding.held
        ):  # what was seen to hold, as a cause, is not tried again
            self.run(self.make)

    @cached_property
    def cause(self) -> str:
        """The name of the first cause that fails; empty where none does."""
        return next((each.failed for each in self.causes if each.failed), "")

    @cached_property
    def failed(self) -> str:
        """Its name, or its cause's, where it does not hold; empty where it does."""
        return self.cause or ("" if self.finding.passed else self.name)

    @cached_property
    def finding(self) -> "Finding":
        """What it found, once."""
        return find(self)


@final
@dataclass(frozen=True)
class Finding:
    """What one check found. `message` says what was expected and what came, or why it was skipped."""

    check: str
    passed: bool
    message: str = ""

    @property
    def held(self) -> bool:
        """Whether it was tried and holds."""
        return self.passed and not self.message

    def __str__(self) -> str:
        if self.passed:
            return f"passed   {self.check}" if not self.message else f"skipped  {self.check}: {self.message}"
        return f"FAILED   {self.check}: {self.message}"


def find(check: Check) -> Finding:
    """Run one check; whatever it raises becomes a finding of one line."""
    try:
        check()
    except NotApplicable as reason:
        return Finding(check.name, True, _line(str(reason)))
    except AssertionError as failure:
        return Finding(check.name, False, _line(str(failure)) or "an assertion without words")
    except BREAKS as error:
        return Finding(check.name, False, _line(f"raised {described(error)}"))
    return Finding(check.name, True)


def pytest_parameters(checks: Sequence[Check], expected_failures: Mapping[str, str]) -> Callable[[Test], Test]:
    """A decorator that gives a test one id per check, passed to it as `check`."""
    import pytest

    names = [check.name for check in checks]
    for name in expected_failures:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f", did you mean '{near[0]}'?" if near else f": the checks are {', '.join(names)}"
            raise UserError(f"expected_failures names the check '{name}', which there is not{hint}")
    parameters = []
    for check in checks:
        reason = expected_failures.get(check.name)
        marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
        parameters.append(pytest.param(partial(_in_pytest, check), id=check.name, marks=marks))
    return pytest.mark.parametrize("check", parameters)


def _in_pytest(check: Check) -> None:
    """The check, a skipped test where it does not apply."""
    import pytest

    try:
        check()
    except NotApplicable as reason:
        pytest.skip(str(reason))


def named(runs: Iterable[Run], make: Make, basic: Sequence[str] = ()) -> list[Check]:
    """The checks of these functions, named after them, the `basic` ones first: each a cause of all that come after it.

    Other causes are in `CAUSES`, for those of a part, as in `prior_finite`, under the name without the part's.
    """
    by_name = {run.__name__: run for run in runs}
    made: dict[str, Check] = {}

    def check(name: str) -> Check:
        if name not in made:
            first = basic[: basic.index(name)] if name in basic else basic
            part = next((each for each in PARTS if name.startswith(each)), "")
            others = () if name in basic else CAUSES.get(name.removeprefix(part), ())
            known = [each for each in (*first, *(part + other for other in others)) if each in by_name]
            made[name] = Check(name, by_name[name], make, tuple(check(each) for each in known))
        return made[name]

    return [check(name) for name in (*basic, *(name for name in by_name if name not in basic))]


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 400 else flat[:397] + "..."
