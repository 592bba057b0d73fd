"""What strangers bring: a policy made elsewhere becomes an agent, a data set becomes a record.

Both keep their own form: policies see and return what their environment does, and data sets are read as they are.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.agent import Agent, Decision
from agentic.belief import Categorical
from agentic.columns import PHASES, table_of
from agentic.domain import Simplex
from agentic.errors import RunError, UserError
from agentic.layout import Arrays, Layout, Leaf, layout
from agentic.record import Record


@final
@dataclass(frozen=True)
class Memory:
    """What a recurrent policy keeps, and the rows (b,) whose episode begins: it forgets those itself."""

    kept: Any
    begins: np.ndarray

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(other.kept, mask.numpy() | other.begins)


@final
class PolicyAgent(Agent):
    """An agent whose decisions are made by `policy`: anything with `predict(obs)`, or a function of the observation.

    It sees native observations and returns native actions, or (action, state). A `predict` that takes `deterministic`
    or `episode_start`, as Stable-Baselines3's, is asked for the whole batch and without noise, and what it keeps is
    passed on; any other is asked row by row. Probabilities of a single choice are reported where it offers
    `policy.get_distribution`. Copies share the policy, which deciding does not change.
    """

    def __init__(self, policy: Any, observation: Layout, action: Layout) -> None:
        self.policy, self.observation, self.action = policy, observation, action
        self._ask: Callable[..., Any] = getattr(policy, "predict", policy)
        self._takes = _keywords(self._ask)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def start(self, batch: int, *, generator: torch.Generator) -> Memory:
        return Memory(None, np.ones(batch, bool))

    def decide(self, state: Memory, obs: Tensor, *, generator: torch.Generator) -> Decision:
        native = _native(self.observation, obs)
        if not self._takes:
            rows = [self._parts(self._ask(self.observation.row(native, row)))[0] for row in range(len(obs))]
            return Decision(self._encoded(rows, lambda leaf: [leaf.part(row) for row in rows], obs), state)
        whole = self.observation.whole(native)
        offered = {"deterministic": True, "state": state.kept, "episode_start": state.begins}
        given = {key: value for key, value in offered.items() if key in self._takes}
        chosen, kept = self._parts(self._ask(whole, **given))
        policy = self._probabilities(whole, obs) if kept is None else None
        action = self._encoded(chosen, lambda leaf: leaf.part(chosen), obs)
        return Decision(action, Memory(kept, np.zeros(len(obs), bool)), policy)

    def _parts(self, answer: Any) -> tuple[Any, Any]:
        """The action and what is kept, where the answer has both."""
        pair = isinstance(answer, tuple) and len(answer) == 2 and not isinstance(self.action.space, spaces.Tuple)
        return answer if pair else (answer, None)

    def _encoded(self, chosen: Any, part: Callable[[Leaf], Any], obs: Tensor) -> Tensor:
        """(b, *event). Bounds are checked where every agent's are, by the environment."""
        native: Arrays = ()
        try:
            for leaf in self.action.leaves:
                array = np.asarray(part(leaf))
                if array.shape == (len(obs), *leaf.shape) and array.dtype.kind in ("biu" if leaf.discrete else "biuf"):
                    native = (*native, array.astype(leaf.dtype))
        except (TypeError, ValueError, LookupError):  # not of the nesting or of the shape of the space
            native = ()
        if len(native) != len(self.action.leaves) or not self.action.fits(native):
            told = f"the policy chose {chosen!r} for {len(obs)} row(s) of {self.action.space}"
            raise RunError(" ".join(told.split()))
        return self.action.encode(native, obs.dtype)

    def _probabilities(self, whole: Any, obs: Tensor) -> Categorical | None:
        brain = getattr(self.policy, "policy", self.policy)
        if not (hasattr(brain, "get_distribution") and isinstance(self.action.space, spaces.Discrete)):
            return None
        with torch.no_grad():
            seen, _ = brain.obs_to_tensor(whole)
            return Categorical(brain.get_distribution(seen).distribution.probs.to(obs))


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


def _native(observation: Layout, obs: Tensor) -> Arrays:
    """Back from the agent's tensor. Not `Layout.decode`: environments do leave the bounds they declare."""
    pieces = np.split(obs.detach().cpu().numpy(), np.cumsum([leaf.width for leaf in observation.leaves])[:-1], -1)
    return tuple(
        leaf.decode(piece) if isinstance(leaf.domain, Simplex) else piece.reshape(-1, *leaf.shape).astype(leaf.dtype)
        for leaf, piece in zip(observation.leaves, pieces, strict=True)
    )


def _keywords(ask: Callable[..., Any]) -> Sequence[str]:
    """Which of Stable-Baselines3's keywords it takes; none for what works on single observations."""
    try:
        takes = inspect.signature(ask).parameters
    except (TypeError, ValueError):  # a builtin
        return ()
    known = [name for name in ("deterministic", "state", "episode_start") if name in takes]
    return () if known == ["state"] else known


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
