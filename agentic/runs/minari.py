"""Minari data sets as records."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from agentic.environments.spaces import Layout, layout
from agentic.errors import BREAKS, ThirdPartyWarning, UserError, described
from agentic.runs.record import Record
from agentic.runs.table import PHASES, table_of

ROUNDING = 1e-6  # of 1 + |bound|: by how much an action may lie outside its bounds


def record_of(dataset: Any) -> Record:
    """A Minari data set in memory: columns as a run records them, every episode an evaluated one.

    Raises UserError for spaces that cannot be read, a data set without a step, or one that lacks last observations,
    and for whatever else goes wrong while it is read.
    """
    name = str(getattr(getattr(dataset, "spec", None), "dataset_id", type(dataset).__name__))
    try:
        table = _table(dataset, name)
    except UserError:
        raise
    except BREAKS as error:
        raise UserError(f"the data set {name} cannot be read, {described(error)}") from error
    return Record(tables=[table], manifest={"dataset": name})


def _table(dataset: Any, name: str) -> pa.Table:
    seen = layout(dataset.observation_space, f"the observation space of {name}")
    done = layout(dataset.action_space, f"the action space of {name}")
    episodes = [_episode(each, number, seen, done) for number, each in enumerate(dataset.iterate_episodes())]
    if not any(len(episode["t"]) for episode in episodes):
        raise UserError(f"the data set {name} holds no step: collect at least one episode")
    columns = {key: np.concatenate([episode[key] for episode in episodes]) for key in episodes[0]}
    _look(name, columns, seen, done)
    return table_of(np.full(len(columns["t"]), PHASES.index("evaluate")), columns)


def load_dataset(name: str) -> Any:
    """The local Minari data set of that id. Raises UserError where it, or Minari, is not there."""
    try:
        import minari

        return minari.load_dataset(name)
    except ImportError as error:
        said = " ".join(str(error).split())
        raise UserError(f"no Minari data set can be read here ({said}): pip install 'agentic[minari]'") from None
    except BREAKS as error:
        said = " ".join(str(error).split())
        raise UserError(f"the data set {name!r} is not here ({said}): fetch it with `minari download {name}`") from None


def _episode(episode: Any, number: int, seen: Layout, done: Layout) -> dict[str, np.ndarray]:
    """The columns of one episode. Raises UserError where a run would have failed."""
    said = f"episode {number} of the data set"
    rewards = np.asarray(episode.rewards)
    steps = len(rewards) if rewards.ndim else 0
    if rewards.dtype.kind not in "biuf" or rewards.shape != (steps,) or not np.isfinite(rewards).all():
        raise UserError(f"{said} has rewards that are no finite numbers (t,): {rewards.dtype} {rewards.shape}")
    columns = {"episode": np.full(steps, number), "row": np.zeros(steps, np.int64), "t": np.arange(steps)}
    parts = (("obs", seen, episode.observations, 0), ("next_obs", seen, episode.observations, 1))
    for prefix, space, values, first in (*parts, ("action", done, episode.actions, 0)):
        for leaf in space.leaves:
            name = f"{prefix}.{leaf.name}" if leaf.path else prefix
            try:
                array = leaf.cast(leaf.part(values))
            except ValueError as error:
                raise UserError(f"{said}: its {prefix} {error}") from error
            expected = (steps + (prefix != "action"), *leaf.shape)
            if array.shape != expected:
                raise UserError(
                    f"{said} has {steps} rewards and {prefix} of shape {array.shape}, "
                    f"expected {expected}: it needs every action and one more observation"
                )
            array = array[first : first + steps]
            if not leaf.fits(array) or (prefix == "action" and not leaf.within(array, slack=ROUNDING)):
                raise UserError(f"{said} has {name} outside its space {space.space}".replace("\n", " "))
            columns[name] = np.ascontiguousarray(array)
    columns["reward"] = rewards.astype(np.float64)
    for name, flags in (("terminated", episode.terminations), ("truncated", episode.truncations)):
        array = np.asarray(flags)
        if array.shape != (steps,) or not np.isin(array, (0, 1)).all():
            raise UserError(f"{said} has {name} of shape {array.shape}, expected {steps} times true or false")
        columns[name] = array.astype(bool)
    return columns


def _look(name: str, columns: Mapping[str, np.ndarray], seen: Layout, done: Layout) -> None:
    """Say once of each leaf that leaves its bounds that it does; actions, by no more than rounding."""
    for prefixes, space in ((("obs", "next_obs"), seen), (("action",), done)):
        for leaf in space.leaves:
            names = [f"{prefix}.{leaf.name}" if leaf.path else prefix for prefix in prefixes]
            if not all(leaf.within(columns[each]) for each in names):
                said = f"{name}: {names[0]} leaves the bounds of its space; it is recorded as it is"
                warnings.warn(said, ThirdPartyWarning, stacklevel=4)
