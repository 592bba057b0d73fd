"""Executors by name: processes of this machine are built in, others are entry points."""

from importlib.metadata import entry_points
from typing import Any

from agentic.errors import BREAKS, UserError, described, listed, suggest
from agentic.jobs.executor import Executor
from agentic.jobs.processes import Processes

GROUP = "agentic.executors"


def executor_names() -> list[str]:
    """The names of all executors that are installed."""
    return [Processes.name, *sorted({point.name for point in entry_points(group=GROUP)} - {Processes.name})]


def executor_class(name: str) -> type[Executor]:
    """The executor of a name. Raises UserError where there is none, or it cannot be imported."""
    if name == Processes.name:
        return Processes
    known = executor_names()
    for point in entry_points(group=GROUP, name=name):
        try:
            found = point.load()
        except BREAKS as error:
            raise UserError(
                f"the executor {name} cannot be imported, {described(error)}: reinstall {point.value}"
            ) from error
        if isinstance(found, type) and issubclass(found, Executor):
            return found
        raise UserError(f"the executor {name} is no agentic.jobs.Executor, but {found!r}: ask who made {point.value}")
    raise UserError(f"there is no executor {name!r}{suggest(name, known)}; known: {listed(known)}")


def executor_of(given: str | Executor, **options: Any) -> Executor:
    """The executor of a name, with the options it is made with; one that is made already is returned as it is."""
    return given if isinstance(given, Executor) else executor_class(given)(**options)
