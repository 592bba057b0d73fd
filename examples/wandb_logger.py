"""Weights & Biases as a logger, a plugin of one file: `agentic run tmaze.toml --plugin wandb_logger.py --logger wandb`.

Without a network `WANDB_MODE=offline` keeps what is logged below the folder of the run; `wandb sync` sends it later.
"""

from collections.abc import Mapping

from agentic import LoggedRun, Logger, hookimpl


class WeightsAndBiases(Logger):
    """A run of Weights & Biases in `project`, with the experiment's tables as its configuration."""

    def __init__(self, project: str = "agentic") -> None:
        self.project = project

    def start(self, run: LoggedRun) -> None:
        """Begin, or go on under the same id, which is the name of the run's folder."""
        import wandb

        name = run.folder.name if run.folder else None
        where = {"id": name, "name": name, "dir": run.folder, "resume": "allow"}
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
