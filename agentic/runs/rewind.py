"""Environments put back where a checkpoint was made: by the state they offer, by doing again what was done, or not."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from gymnasium.vector import VectorEnv
from torch import Tensor

from agentic.environments.answers import number
from agentic.environments.environment import Environment
from agentic.environments.spaces import Arrays, Layout
from agentic.errors import BREAKS, ThirdPartyWarning
from agentic.runs.record import EpisodeRecord, Record
from agentic.runs.seeds import environment_seed, stream
from agentic.runs.table import PHASES
from agentic.saving import Fixtures, Tree, Unfit, Unsavable, capture, offers_state, restore

if TYPE_CHECKING:
    from agentic.runs.going import Going

Before = Callable[[], list[pa.Table]]  # what is recorded of the time before the checkpoint
PATIENCE = 10.0  # seconds of doing again what was done


@final
class World:
    """The environments of a run, which a checkpoint captures apart from all else: not everybody can see into them."""

    def __init__(self, world: Environment) -> None:
        self.world, self.layers = world, tuple(world.layers)
        self._fixtures = Fixtures(self.layers)
        self._around = Fixtures(self.layers, tuple(env.unwrapped for env in self.layers))

    def captured(self) -> tuple[Tree, dict[str, Tensor], str]:
        """The state of the environments; where nobody can see into them that of the wrappers around them, and why."""
        try:
            tree, tensors = capture(self.layers, self._fixtures)
            return {"whole": tree}, tensors, ""
        except Unsavable as error:
            why = str(error)
        try:
            tree, tensors = capture(self.layers, self._around)
            return {"around": tree}, tensors, why
        except Unsavable:
            return {}, {}, why

    def put_wrappers_back(self, tree: Tree, tensors: dict[str, Tensor]) -> None:
        """Give the wrappers the statistics that they had. Raises Unfit where they are others now."""
        for name, fixtures in (("whole", self._fixtures), ("around", self._around)):
            if name in tree:
                restore(tree[name], tensors, self.layers, fixtures)

    def put_back(self, going: "Going", before: Before, tree: Tree, tensors: dict[str, Tensor]) -> None:
        """Put the environments back: by the state that they offer, else by doing again what is recorded `before`.

        Else by all that could be seen of them. Where nothing leads back every row begins a new episode, and a
        ThirdPartyWarning says so.
        """
        whole = tree.get("whole")
        offered = whole is not None and all(offers_state(env.unwrapped) for env in self.layers)
        if offered and self._restored(whole, tensors):
            return
        if self._done_again(going, before):
            if self.world.adapts:  # steps in excess, which moved statistics too, are not recorded
                with suppress(Unfit):
                    self.put_wrappers_back(tree, tensors)
            return
        if whole is not None and not offered and self._restored(whole, tensors):
            return
        with suppress(Unfit):
            self.put_wrappers_back(tree, tensors)
        words = f"{self.world.id} cannot be put back where it was, so that every row begins a new episode there"
        warnings.warn(f"{words}: numbers are not those of a run that never stopped", ThirdPartyWarning, stacklevel=2)
        if going.journal is not None:
            going.journal.forget()
        if going.course is not None:
            states = (stream(going.seed, f"env after {going.ticks} ticks", row) for row in range(self.world.batch))
            going.course.begin_anew([int(state.generate_state(1, np.uint32)[0]) for state in states])

    def _restored(self, tree: Tree, tensors: dict[str, Tensor]) -> bool:
        try:
            restore(tree, tensors, self.layers, self._fixtures)
        except Unfit:
            return False
        return True

    def _done_again(self, going: "Going", before: Before) -> bool:
        """Whether doing again what the record holds led to the very same, to where the run is now, and in time."""
        if any(isinstance(env, VectorEnv) for env in self.layers):
            return False
        try:
            until, record = time.monotonic() + PATIENCE, Record(None, before())
            first = 0 if going.schedule.learn_steps else PHASES.index("evaluate")
            for phase in PHASES[first : PHASES.index(going.phase) + 1]:
                with self.world.frozen() if phase == "evaluate" else nullcontext():
                    for row, env in enumerate(self.layers):
                        episodes = record.episodes(phase, pc.field("row") == row)
                        seed = environment_seed(going.seed, row, phase=phase)
                        last = self._now(going, row) if phase == going.phase else None
                        for same in _again(env, self.world, episodes, seed, last):
                            if not same or time.monotonic() > until:
                                return False
        except BREAKS:
            return False
        return True

    def _now(self, going: "Going", row: int) -> Arrays | None:
        """The observation that the next tick of a row goes on from: that after a step which is not recorded, too."""
        if (course := going.course) is None:
            return None
        now = course.native if course.last is None else course.last.next_obs
        return tuple(leaf[row : row + 1] for leaf in now)


def _again(
    env: Any, world: Environment, episodes: list[EpisodeRecord], seed: int, last: Arrays | None
) -> Iterator[bool]:
    """Whether all that one row shows and pays is as recorded, while its episodes are done again, up to its `last`."""
    seen, done = world.observation_layout, world.action_layout
    for place, episode in enumerate(episodes):
        obs, _ = env.reset(seed=None if place else seed)
        yield _same(seen, obs, _columns(episode, "obs", seen), 0)
        actions, after = _columns(episode, "action", done), _columns(episode, "next_obs", seen)
        for t in range(episode.length):
            obs, reward, ends, *_ = env.step(done.row(actions, t))
            yield _same(seen, obs, after, t) and _paid(reward, ends, episode, t)
    if not episodes:
        obs, _ = env.reset(seed=seed)
    yield last is None or _same(seen, obs, last, 0)


def _paid(reward: Any, ends: Any, episode: EpisodeRecord, t: int) -> bool:
    """Whether a step paid to the bit what is recorded, and ended its episode or not."""
    paid = np.float64(number(reward)).tobytes() == np.float64(episode.arrays["reward"][t]).tobytes()
    return paid and bool(ends) == bool(episode.arrays["terminated"][t])


def _columns(episode: EpisodeRecord, prefix: str, layout: Layout) -> Arrays:
    names = [prefix] if layout.plain else [f"{prefix}.{name}" for name in layout.names]
    return tuple(
        np.asarray(episode.arrays[name], leaf.dtype).reshape(-1, *leaf.shape)
        for name, leaf in zip(names, layout.leaves, strict=True)
    )


def _same(layout: Layout, obs: Any, recorded: Arrays, place: int) -> bool:
    """Whether an observation is what is recorded at a place, to the bit."""
    found = layout.empty(1)
    layout.store(found, 0, obs)
    return all(one[0].tobytes() == other[place].tobytes() for one, other in zip(found, recorded, strict=True))
