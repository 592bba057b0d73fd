"""Loggers: where the numbers of a run go while it goes on, beside its record.

A logger is only told. What it draws, raises or returns changes nothing of the run.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from agentic.errors import BREAKS, ThirdPartyWarning, described
from agentic.runs.seeds import Chance


@final
@dataclass(frozen=True)
class LoggedRun:
    """The run that a logger is about to be told of.

    `folder` is the run's own, None where its record is kept in memory; `experiment` holds the tables of its file, empty
    where it was made in Python; `manifest` says what runs: seed, versions, components. The run begins at `step`
    environment steps: 0, but for one that goes on from a checkpoint, after which nothing was logged yet.
    """

    folder: Path | None
    experiment: Mapping[str, Any]
    manifest: Mapping[str, Any]
    step: int = 0


class Logger(ABC):
    """A destination for the numbers of a run while it goes on, as TensorBoard.

    A constructor keeps its parameters; files and connections are opened by `start`. One that raises is left out from
    then on: the run goes on, which is said once and stands in the manifest. It takes no part in chance: whatever it
    draws from the generators that belong to nobody is put back.

    >>> import agentic
    >>> class Best(agentic.Logger):
    ...     best = 0.0
    ...     def log(self, step, scalars):
    ...         self.best = max(self.best, scalars.get("evaluate.return", 0.0))
    >>> best = Best()
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> record = agentic.run(agent, env, agentic.Schedule(episodes=3), agentic.Recording(loggers=[best]))
    >>> best.best
    10.0
    """

    def start(self, run: LoggedRun) -> None:  # noqa: B027  # not all have something to open
        """Begin, before the first tick: open what is written to. Default: nothing."""

    @abstractmethod
    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Take what came to be known after `step` environment steps of the run, evaluation included.

        Names are `<phase>.return`, `<phase>.length` and `<phase>.energy.<term>`, means over the episodes that were
        completed in this step, and `learned.<name>` of what learning reported. Numbers need not be finite.
        """

    def finish(self, status: str) -> None:  # noqa: B027
        """End, after the last tick; `status` is finished, failed or interrupted. Default: nothing."""


@final
class Loggers:
    """The loggers of a run, none of which can stop it; `note` is told why one is left out."""

    def __init__(self, loggers: Sequence[Logger], note: Callable[[str], None]) -> None:
        self.there, self._note = list(loggers), note

    def tell(self, act: Callable[[Logger], None]) -> None:
        """Do the same with each; who raises is told of, and left out from here on."""
        for logger in [*self.there]:
            chance = Chance().get_state()
            try:
                act(logger)
            except BREAKS as error:
                self.there.remove(logger)
                words = f"the logger {type(logger).__name__} is left out from here on, {described(error)}"
                self._note(words)
                warnings.warn(f"{words}; the run goes on", ThirdPartyWarning, stacklevel=2)
            finally:
                Chance().set_state(chance)
