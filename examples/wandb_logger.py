"""Weights & Biases as a logger, a plugin of one file: `agentic run tmaze.toml --plugin wandb_logger.py --logger wandb`.

Without a network `WANDB_MODE=offline` keeps what is logged below the folder of the run; `wandb sync` sends it later.
"""

from collections.abc import Mapping
from hashlib import sha256
from importlib.util import find_spec

from agentic import LoggedRun, Logger, UserError, hookimpl


class WeightsAndBiases(Logger):
    """A run of Weights & Biases in `project`, with the experiment's tables as its configuration."""

    def __init__(self, project: str = "agentic") -> None:
        if find_spec("wandb") is None:
            raise UserError("Weights & Biases needs its package: pip install wandb")
        self.project = project

    def start(self, run: LoggedRun) -> None:
        """Begin, or go on under the same id, which is of the name of the run's folder and of when it was started."""
        import wandb

        name = run.folder.name if run.folder else None
        when = sha256(repr(run.manifest.get("started")).encode()).hexdigest()[:8]  # another run may have the same name
        where = {"id": name and f"{name}-{when}", "name": name, "dir": run.folder, "resume": "allow"}
        self.run = wandb.init(project=self.project, config=dict(run.experiment), **where)

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Send the numbers, under the steps of the run."""
        self.run.log(dict(scalars), step=step)

    def finish(self, status: str) -> None:
        """End, with an exit code."""
        self.run.finish(exit_code=int(status != "finished"))


@hookimpl
def agentic_loggers() -> dict[str, type]:
    """The logger by its short name."""
    return {"wandb": WeightsAndBiases}
