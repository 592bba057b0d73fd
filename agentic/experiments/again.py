"""Runs that are used again: one that goes on where it stopped, and the agent that one has learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, final

from agentic.environments.environment import Environment
from agentic.errors import UserError
from agentic.experiments.build import Built, Observer, build
from agentic.experiments.experiment import Experiment, file_in
from agentic.experiments.origin import put_in, start_of
from agentic.plugins.registry import Registry
from agentic.runs.checkpoint import Checkpoint, sound
from agentic.runs.files import sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import read
from agentic.runs.record import Record


def recorded(folder: str | Path) -> Experiment:
    """The experiment of a run's folder. Raises UserError where there is none, as of a run that was made in Python."""
    file = file_in(folder)
    if read(RunFolder(folder)).get("experiment") not in (None, sha256_of(file)):
        raise UserError(f"{file} is not the one that the run was made from: put that back")
    return Experiment.load(file)


@final
@dataclass(frozen=True)
class Resumption:
    """A run that is to go on in its folder from its latest checkpoint, `start`; None for its beginning.

    With `more` it learns for so many steps more, a finished one too, and is evaluated anew.
    """

    folder: RunFolder
    built: Built
    start: Checkpoint | None
    more: int = 0

    @classmethod
    def of(cls, folder: str | Path, experiment: Experiment, registry: Registry, more: int = 0) -> Self:
        """That of the run in a folder, whose experiment is `recorded` there.

        Raises UserError for a finished run, for more steps of a run that does not learn, and for what cannot be built.
        """
        place = RunFolder(folder)
        if (manifest := read(place)).get("status") == "finished" and not more:
            raise UserError(f"{folder} finished: nothing is left to do; if it learns, --steps +1000 lets it learn on")
        if more < 0 or (more and not experiment.learn.steps):
            what = "learns nothing" if more > 0 else f"cannot learn for {more} steps"
            raise UserError(f"{folder} {what}: leave --steps out, or give a run that learns and so many steps more")
        steps = experiment.learn.steps + more
        start = next((each for each in sound(place) if _leads_to(each, steps)), None)
        if start is None and (more or place.checkpoints() or place.learned.exists()):
            what = "of its learning: run it again with more steps" if more else "that can be read: nothing was changed"
            raise UserError(f"{folder} holds no checkpoint {what}")
        built = build(experiment, registry).with_loggers(registry)
        _check_files(folder, manifest.get("components"), built.components)
        learn = experiment.learn.model_copy(update={"steps": steps})
        longer = experiment.model_copy(update={"learn": learn})
        return cls(place, replace(built, experiment=longer), start, more)

    @property
    def words(self) -> str:
        """Where it goes on, for those who wait."""
        if self.start is None:
            return "no checkpoint was saved: the run begins again"
        phase = {"learn": "learning", "evaluate": "evaluation"}.get(str(self.start.about["phase"]), "")
        return f"the run goes on after {self.start.ticks:,} ticks, in its {phase}"

    def run(self, observer: Observer | None = None) -> Record:
        """Go on to the end. Raises UserError, with the folder as it was, where the checkpoint does not fit."""
        return self.built.go_on(self.folder, self.start, self.more > 0, observer)


def _leads_to(start: Checkpoint, steps: int) -> bool:
    """Whether a run that learns for so many steps comes by a checkpoint, which may be of one that learned for fewer."""
    return bool(start.about["phase"] == "learn" or start.about["learn_steps"] == steps)


def _check_files(folder: str | Path, then: Any, now: Sequence[Mapping[str, Any]]) -> None:
    """Raises UserError for a file that components are made from, as a saved policy, and that was another then."""
    found = {file: sha256 for row in now for file, sha256 in row.get("files", {}).items()}
    rows = [row.get("files") for row in then if isinstance(row, dict)] if isinstance(then, list) else []
    for file, sha256 in [pair for files in rows if isinstance(files, dict) for pair in files.items()]:
        if found.get(file) != sha256:
            raise UserError(f"{file} is not what it was when the run in {folder} began: put it back, or run anew")


def learned(
    folder: str | Path, experiment: Experiment, registry: Registry, environment: Environment | None = None
) -> Built:
    """What the run in a folder was made of, its agent as it was when learning ended, or at its latest checkpoint.

    It is on the device of the `experiment`, wherever it learned, and goes on from there where it is let learn more.
    Wrappers have the statistics they had; an `environment` that is given takes the place of the own one, and stays as
    it is. Raises UserError where the run has learned nothing yet, and for what cannot be loaded.
    """
    built = build(experiment, registry, environment)
    if experiment.learn.steps:
        put_in(built.agent, built.environment, experiment, start_of(folder), own_world=environment is None)
    return built
