"""What is asked of loggers: they take the numbers of a run, whole or not, and are told of one that goes on.

Each is told of a run in a folder that is thrown away afterwards.
"""

from collections.abc import Mapping
from math import inf, nan
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from agentic.errors import UserError
from agentic.runs.logger import LoggedRun, Logger
from agentic.testing.kit import Make, NotApplicable, Run

SCALARS: Mapping[str, float] = {"evaluate.return": 1.5, "evaluate.length": 3, "evaluate.energy.expected_energy": -0.25}
MANIFEST: Mapping[str, object] = {"status": "running", "seed": 0, "components": []}


def live(logger: Logger, folder: Path | None, scalars: Mapping[str, float] = SCALARS, step: int = 0) -> None:
    """Tell a logger of a whole run of two steps that matter."""
    logger.start(LoggedRun(folder, {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}, MANIFEST, step))
    logger.log(step + 3, {"learned.loss": 0.5})
    logger.log(step + 6, scalars)
    logger.finish("finished")


def exercise(logger: Logger, source: torch.Generator) -> list[Tensor]:
    """A whole run; a logger answers nothing."""
    with TemporaryDirectory() as folder:
        live(logger, Path(folder))
    return []


def takes_scalars(make: Make) -> None:
    """It is told of a run from its start to its end, and raises nothing."""
    exercise(make(), torch.Generator())


def takes_what_is_not_finite(make: Make) -> None:
    """Infinite numbers and those that are none are numbers of a run too."""
    with TemporaryDirectory() as folder:
        live(make(), Path(folder), {"evaluate.return": nan, "learn.return": inf})


def takes_a_run_that_goes_on(make: Make) -> None:
    """Another one of its kind goes on in the same folder, after the steps that were logged before."""
    with TemporaryDirectory() as folder:
        live(make(), Path(folder))
        live(make(), Path(folder), step=6)


def says_that_it_needs_a_folder(make: Make) -> None:
    """A run in memory is taken, or refused with a UserError as it starts."""
    logger = make()
    try:
        logger.start(LoggedRun(None, {}, MANIFEST))
    except UserError as error:
        raise NotApplicable(f"it says: {error}") from error
    logger.log(3, SCALARS)
    logger.finish("interrupted")


CHECKS: tuple[Run, ...] = (
    takes_scalars,
    takes_what_is_not_finite,
    takes_a_run_that_goes_on,
    says_that_it_needs_a_folder,
)
