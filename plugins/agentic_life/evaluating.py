"""A saved agent evaluated again: more episodes, on the seeds of its own evaluation and on others."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

import agentic
from agentic import Experiment, UserError
from agentic.cli import check_trusted, find_nearby, run_progress, say
from agentic.experiments import EvaluateTable, LearnTable, learned, limited, recorded
from agentic.plugins import Registry, load
from agentic.runs import RunFolder
from agentic_life.evaluation import Evaluation


def evaluate(
    folder: str | Path,
    *,
    episodes: int | None = None,
    seeds: int = 5,
    seed: int | None = None,
    plugins: Iterable[str | Path] = (),
    trust: bool = False,
    quiet: bool = True,
    device: str | None = None,
) -> Evaluation:
    """Evaluate the agent of the run in a folder as it was when learning ended; nothing is written there.

    It plays so many `episodes`, by default as many as the run evaluated, on each of `seeds` seeds from `seed` on,
    by default the run's own: on that the episodes are those that the run evaluated. It computes on a `device`, by
    default on the run's. `plugins` are by path; what only the folder names is run where it is given `trust`. Progress
    is shown on standard error unless it is `quiet`.

    Raises UserError for what cannot be loaded, RunError for what fails.

    >>> import agentic, agentic_life, tempfile
    >>> record = agentic.run("cartpole", episodes=2, out=tempfile.mkdtemp())
    >>> agentic_life.evaluate(record.folder, seeds=2).mean[0]
    500.0
    """
    return Evaluator(load(plugins), trust, quiet, device).of(folder, episodes, seeds, seed)


@final
@dataclass(frozen=True)
class Evaluator:
    """The way agents are evaluated: with the components of a `registry`, and with or without progress shown, where."""

    registry: Registry
    trust: bool
    quiet: bool
    device: str | None = None

    def of(self, folder: str | Path, episodes: int | None, seeds: int, seed: int | None) -> Evaluation:
        """The evaluation of the agent in a folder; see `evaluate`."""
        experiment = recorded(folder)
        file = RunFolder(folder).experiment_file
        check_trusted(experiment, self.registry, str(file), trust=self.trust)
        find_nearby(experiment.env.names)
        experiment = limited(experiment, self.registry)
        if self.device is not None:
            experiment = experiment.on(self.device)
        first = experiment.run.seed if seed is None else seed
        count = experiment.evaluate.episodes or EvaluateTable().episodes if episodes is None else episodes
        for name, given, least in (("seeds", seeds, 1), ("episodes", count, 1), ("seed", first, 0)):
            if given < least:
                raise UserError(f"{name} must be at least {least}, got {given}")
        returns = {}
        for place, each in enumerate(range(first, first + seeds), 1):
            if not self.quiet:
                say(f"{experiment.env.id}, agent {experiment.agent.name}: seed {each} ({place} of {seeds})", err=True)
            returns[each] = self._returns(folder, experiment, count, each)
        early = bool(experiment.learn.steps) and not RunFolder(folder).learned.exists()
        remarks = ("learning was not over: this is the agent of the latest checkpoint",) if early else ()
        return Evaluation(Path(folder).resolve().name, returns, remarks)

    def _returns(self, folder: str | Path, experiment: Experiment, episodes: int, seed: int) -> np.ndarray:
        """The returns on one seed; the agent is loaded for each, so that none depends on those before."""
        built = learned(folder, experiment, self.registry)
        evaluation = experiment.evaluate.model_copy(update={"episodes": episodes})
        shown = experiment.model_copy(update={"learn": LearnTable(), "evaluate": evaluation})
        torch.set_num_threads(experiment.run.threads)
        try:
            with run_progress(shown, quiet=self.quiet) as observer:
                schedule, dtype = agentic.Schedule(episodes), getattr(torch, experiment.run.dtype)
                world = built.environment
                where: dict[str, Any] = {"dtype": dtype, "device": experiment.run.device}
                record = agentic.run(built.agent, world, schedule, seed=seed, observer=observer, **where)
        finally:
            built.environment.close()
        return record.returns("evaluate")
