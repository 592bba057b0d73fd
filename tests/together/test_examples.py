"""The thirty names that a user meets first: each has an example in its docstring, and it runs."""

import doctest
from inspect import getdoc, getmodule
from pathlib import Path

import pytest

import agentic

FIRST = (
    *("run", "measure", "bench", "report", "make", "build", "load", "minimize", "ticks"),
    *("Record", "Environment", "Experiment", "Measurement", "Profile", "Solution", "Subject", "Schedule", "Recording"),
    *(
        "Agent",
        "EnergyAgent",
        "PolicyAgent",
        "Decision",
        "Energy",
        "Model",
        "Goal",
        "Gain",
        "Metric",
        "Learner",
        "Loss",
    ),
    "Minimizer",
)
SLOW = ("bench",)  # it starts processes
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def test_there_are_thirty() -> None:
    assert len(set(FIRST)) == 30
    assert set(FIRST) <= set(agentic.__all__)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in FIRST])
def test_the_example_of_a_name_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    thing = getattr(agentic, name)
    assert getmodule(thing) is not None
    example = doctest.DocTestParser().get_doctest(getdoc(thing) or "", {}, name, None, None)
    assert example.examples, f"the docstring of agentic.{name} has no example"
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
