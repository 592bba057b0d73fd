"""Minari data sets as records."""

from typing import Any

import numpy as np

from agentic.environments.spaces import Layout, layout
from agentic.errors import UserError
from agentic.runs.record import Record
from agentic.runs.table import PHASES, table_of


def record_of(dataset: Any) -> Record:
    """A Minari data set in memory: columns as a run records them, every episode an evaluated one.

    Raises UserError for spaces that cannot be read, a data set without a step, or one that lacks last observations.
    """
    name = str(getattr(getattr(dataset, "spec", None), "dataset_id", type(dataset).__name__))
    seen = layout(dataset.observation_space, f"the observation space of {name}")
    done = layout(dataset.action_space, f"the action space of {name}")
    episodes = [_episode(each, number, seen, done) for number, each in enumerate(dataset.iterate_episodes())]
    if not any(len(episode["t"]) for episode in episodes):
        raise UserError(f"the data set {name} holds no step: collect at least one episode")
    columns = {key: np.concatenate([episode[key] for episode in episodes]) for key in episodes[0]}
    table = table_of(np.full(len(columns["t"]), PHASES.index("evaluate")), columns)
    return Record(tables=[table], manifest={"dataset": name})


def load_dataset(name: str) -> Any:
    """The local Minari data set of that id. Raises UserError where it, or Minari, is not there."""
    try:
        import minari

        return minari.load_dataset(name)
    except ImportError as error:
        said = " ".join(str(error).split())
        raise UserError(f"no Minari data set can be read here ({said}): pip install 'agentic[minari]'") from None
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"the data set {name!r} is not here ({said}): fetch it with `minari download {name}`") from None


def _episode(episode: Any, number: int, seen: Layout, done: Layout) -> dict[str, np.ndarray]:
    steps = len(episode.rewards)
    columns = {"episode": np.full(steps, number), "row": np.zeros(steps, np.int64), "t": np.arange(steps)}
    parts = (("obs", seen, episode.observations, 0), ("next_obs", seen, episode.observations, 1))
    for prefix, space, values, first in (*parts, ("action", done, episode.actions, 0)):
        for leaf in space.leaves:
            array = np.asarray(leaf.part(values), leaf.dtype)[first : first + steps]
            if array.shape != (steps, *leaf.shape):
                raise UserError(
                    f"episode {number} of the data set has {steps} rewards and {prefix} of shape {array.shape}, "
                    f"expected {(steps, *leaf.shape)}: it needs every action and one more observation"
                )
            columns[f"{prefix}.{leaf.name}" if leaf.path else prefix] = array
    columns["reward"] = np.asarray(episode.rewards, np.float64)
    columns["terminated"] = np.asarray(episode.terminations, bool)
    columns["truncated"] = np.asarray(episode.truncations, bool)
    return columns
