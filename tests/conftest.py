"""What holds for every test: one thread, no deadlines, with CI=true all extras; and who is in which tier."""

import os
from collections.abc import Generator, Iterator

import pytest
import torch
from hypothesis import settings

TIERS = pytest.StashKey[dict[str, set[str]]]()
NAMES = {"slow", "soak"}
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Thousands of factorizations of tiny matrices: on a busy machine, threads make them thirty times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.hookimpl(tryfirst=True)  # before `-m` takes tests away
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[TIERS] = {item.nodeid: NAMES & {mark.name for mark in item.iter_markers()} for item in items}


@pytest.fixture
def tiers(request: pytest.FixtureRequest) -> dict[str, set[str]]:
    """For every test that was collected, whatever `-m` left out, which of slow and soak it is marked with."""
    return request.config.stash[TIERS]


# CI=true: a skip by pytest.importorskip is a failure. Other skips (a check that means nothing for a component) stay.


def missing(call: pytest.CallInfo[object]) -> str | None:
    """The reason of a skip that `pytest.importorskip` raised, told by where it was raised and not by its words."""
    excinfo = call.excinfo
    if os.environ.get("CI") != "true" or excinfo is None or not excinfo.errisinstance(pytest.skip.Exception):
        return None
    raised_by = excinfo.traceback[-1].frame.code.raw
    return str(excinfo.value) if raised_by is pytest.importorskip.__code__ else None


def failed(report: pytest.TestReport | pytest.CollectReport, reason: str) -> None:
    report.outcome = "failed"
    report.longrepr = (
        f"{reason}; with CI=true nothing may be missing: pip install -e '.[dev,tests,docs]' -c constraints.txt"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if reason := missing(call):
        failed(report, reason)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    call = getattr(report, "call", None)  # set by pytest, which takes it away again
    if call is not None and (reason := missing(call)):
        failed(report, reason)
    return report
