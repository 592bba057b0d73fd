"""What a run is to do, and what is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, final

import numpy as np

from agentic.errors import UserError
from agentic.runs.logger import Logger


@final
@dataclass(frozen=True)
class Schedule:
    """The schedule of a run: steps that are learned from, then episodes that are evaluated with learning off.

    `learn_steps` environment steps are counted over all rows; the actions of the first `warmup` (rounded up to whole
    ticks) are uniform draws that last `hold` ticks each (where holds `vary` 1 to `hold`, as many as chance says), after
    which the agent starts afresh. Episodes of the warm-up are truncated after `cut` steps, where that is not 0 and they
    begin farther apart than random actions reach, so that it begins more often. Then exactly `episodes` episodes are
    evaluated, shared evenly among the rows, on seeds that learning never saw.

    Raises UserError for a negative number, and for a `hold` below 1.

    >>> import agentic
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> len(agentic.run(agent, env, agentic.Schedule(episodes=3)).returns())
    3
    """

    episodes: int = 20
    learn_steps: int = 0
    warmup: int = 0
    hold: int = 1
    vary: bool = False
    cut: int = 0

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            if name == "vary":
                continue
            _check_count(name, number, int(name == "hold"))


@final
@dataclass(frozen=True)
class Checkpoints:
    """When a run saves a checkpoint: every so many `minutes`, every so many `steps`; 0 leaves that out.

    Where learning ends one is saved in any case, and at Ctrl-C or SIGTERM too.
    """

    minutes: float = 5.0
    steps: int = 0

    def __post_init__(self) -> None:
        _check_count("checkpoint steps", self.steps, 0)
        if not 0 <= self.minutes < inf:
            raise UserError(f"minutes between checkpoints must be a number of at least 0, got {self.minutes}")


@final
@dataclass(frozen=True)
class Recording:
    """The folder of a run, and what is recorded there beside its ticks.

    `folder` is the run's own, made where it is missing; None keeps the record in memory. Of every decision's plan the
    best `candidates` are recorded too. `components` go into the manifest. With `checkpoints` a run that stops can be
    resumed, where it was made from an experiment file. `loggers` are told of its progress. Where `world` says so the
    state of the world is recorded that each observation was made of, which the environment has to offer
    (`world_state`). Raises UserError for negative `candidates`, and for what is no logger.

    >>> import agentic, tempfile
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> folder = tempfile.mkdtemp()
    >>> record = agentic.run(agent, env, agentic.Schedule(episodes=3), agentic.Recording(folder))
    >>> len(agentic.Record.open(folder).returns())
    3
    """

    folder: str | Path | None = None
    candidates: int = 0
    components: Sequence[Mapping[str, Any]] = ()
    checkpoints: Checkpoints | None = None
    loggers: Sequence[Logger] = ()
    world: bool = False

    def __post_init__(self) -> None:
        _check_count("candidates", self.candidates, 0)
        if not all(isinstance(logger, Logger) for logger in self.loggers):
            raise UserError(f"expected loggers that derive from agentic.Logger, got {self.loggers!r}")


def _check_count(name: str, number: Any, least: int) -> None:
    if not isinstance(number, int | np.integer) or isinstance(number, bool):
        raise UserError(f"{name} must be a whole number, got {number!r}")
    if number < least:
        raise UserError(f"{name} must be at least {least}, got {number}")
