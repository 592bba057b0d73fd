"""Saving a run while it goes on, and putting a new one where the saved one was."""

import time
import warnings
from collections.abc import Mapping
from typing import Any, final

from torch import Tensor

from agentic.errors import ThirdPartyWarning, UserError, listed, shown
from agentic.runs.checkpoint import Checkpoint
from agentic.runs.folder import RunFolder
from agentic.runs.going import Going
from agentic.runs.manifest import versions
from agentic.runs.rewind import World
from agentic.runs.schedule import Checkpoints
from agentic.runs.stopping import Stop
from agentic.saving import Beside, Fixtures, Unfit, Unsavable, capture, restore


@final
class Saver:
    """What saves a run: when it is time, when learning is over, and before a stop that was asked for.

    It is made before the first tick, when the run is as whoever makes it again will have it.
    """

    def __init__(self, going: Going, folder: RunFolder, every: Checkpoints, *, spent: float = 0.0) -> None:
        self.going, self.folder, self.every = going, folder, every
        self.stop: Stop | None = None
        self._world = World(going.world)
        self._fixtures = Fixtures(going, self._world.layers)
        self._beside, self._said = Beside(self._fixtures), list[str]()
        self._started = time.monotonic() - spent
        self._saved, self._steps, self._able = time.monotonic(), 0, True

    def after_tick(self, learned: bool) -> None:
        """Save where it is time to. Raises KeyboardInterrupt where a stop was asked for."""
        if learned:
            self.save(learned=True)
        elif self.stop:
            self.save()
            raise KeyboardInterrupt
        elif self._due():
            self.save()

    def _due(self) -> bool:
        late = 0 < 60 * self.every.minutes <= time.monotonic() - self._saved
        return late or 0 < self.every.steps <= self.going.steps - self._steps

    def save(self, *, learned: bool = False) -> None:
        """Save the run as it is between two ticks.

        A ThirdPartyWarning says, once, what of it cannot be saved: it goes on, and cannot be resumed.
        """
        if not self._able:
            return
        self._saved, self._steps = time.monotonic(), 0 if learned else self.going.steps  # evaluation counts anew
        self.going.recorder.settle()
        try:
            tree, tensors = capture(self.going, self._fixtures, lost := list[str]())
        except Unsavable as error:
            self._able = False
            words = (
                f"this run cannot be resumed, {error}; give what holds it get_state and set_state, or name it unchanged"
            )
            warnings.warn(words, ThirdPartyWarning, stacklevel=2)
            return
        lost += self._beside.changed()
        if new := [each for each in lost if each not in self._said]:
            warnings.warn(_lost(new), ThirdPartyWarning, stacklevel=2)
            self._said += new
        world, more, why = self._world.captured()
        going = self.going
        about: dict[str, Any] = {"ticks": going.ticks, "phase": going.phase, "steps": going.steps, "learned": learned}
        about |= {"started": self.folder.manifest.get("started"), "learn_steps": going.schedule.learn_steps}
        about |= {"seconds": time.monotonic() - self._started, "world": why, "lost": lost}
        about |= {"versions": versions()}
        tensors |= {f"world{name}": tensor for name, tensor in more.items()}
        Checkpoint.write(self.folder, {"run": tree, "world": world}, tensors, about)

    def put_agent_back(self, checkpoint: Checkpoint, *, own_world: bool) -> None:
        """Give the agent what it had learned then, and the wrappers of its `own_world` their statistics.

        It computes where this run does, wherever the other did. Raises UserError where it does not fit.
        """
        tree, tensors = checkpoint.read()
        _warn(checkpoint)
        try:
            learned, going = _part(_part(_part(tree, "run"), "has"), "agent"), self.going
            restore(learned, tensors, going.agent, self._fixtures, going.device)
            if own_world:
                self._world.put_wrappers_back(_part(tree, "world"), _worlds(tensors))
        except Unfit as error:
            raise UserError(_unfit(checkpoint, error)) from error

    def put_back(self, checkpoint: Checkpoint) -> None:
        """Put the run where the checkpoint was made. Raises UserError where it does not fit."""
        tree, tensors = checkpoint.read()
        _warn(checkpoint)
        try:
            world, kept = _part(tree, "world"), _standing(self.going)
            restore(_part(tree, "run"), tensors, self.going, self._fixtures)
            if _standing(self.going) != kept or self.going.ticks != checkpoint.ticks:
                raise Unfit("it is of another run")
        except Unfit as error:
            raise UserError(_unfit(checkpoint, error)) from error
        chance = self.going.chance.get_state()
        self.going.extend(checkpoint.about["learn_steps"])
        self.going.recorder.check(self.folder)
        self._world.put_back(self.going, lambda: self.going.recorder.before(self.folder), world, _worlds(tensors))
        self.going.chance.set_state(chance)
        self._saved, self._steps = time.monotonic(), self.going.steps


def _lost(lost: list[str]) -> str:
    """What is said of things that changed, and that belong to no object of the run, or that nobody can save."""
    return f"a resumed run does not get back {listed(lost)}: its numbers may be others; keep that in attributes"


def _warn(checkpoint: Checkpoint) -> None:
    lost = checkpoint.about.get("lost")
    if isinstance(lost, list) and lost:
        warnings.warn(_lost([shown(each)[1:-1] for each in lost]), ThirdPartyWarning, stacklevel=3)


def _standing(going: Going) -> list[Any]:
    """What stays the same when a run is put back: its parts, and the kind of its agent."""
    return [type(going.agent), *map(id, (going.world, going.recorder, going.chance))]


def _worlds(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the environments, by their own names."""
    return {name.removeprefix("world"): tensor for name, tensor in tensors.items() if name.startswith("world")}


def _part(tree: Any, name: str) -> Any:
    if not isinstance(tree, dict) or name not in tree:
        raise Unfit("it holds no run")
    return tree[name]


def _unfit(checkpoint: Checkpoint, error: Unfit) -> str:
    """Why a checkpoint cannot be used, and what is of another version now."""
    kept = checkpoint.about.get("versions")
    then, now = kept if isinstance(kept, Mapping) else {}, versions()
    found = [f"{name} was {then.get(name)} and is {now[name]}" for name in now if then.get(name) != now[name]]
    differs = f"; {', '.join(found)}" if found else ""
    return f"{checkpoint.path} does not fit this agent: {error}{differs}"
