"""Policies made elsewhere as agents.

They keep their own form: a policy sees and returns what its environment does.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.belief import Categorical
from agentic.engine.domain import Simplex
from agentic.environments.leaf import Leaf
from agentic.environments.spaces import Arrays, Layout
from agentic.errors import BREAKS, RunError, UserError, described
from agentic.tick import Decision


@final
@dataclass(frozen=True)
class Memory:
    """The state of a recurrent policy, and the rows (b,) whose episode begins: it forgets those itself."""

    kept: Any
    begins: np.ndarray

    def where(self, mask: Tensor, other: Self) -> Self:
        """The memory of `other`, the rows in `mask` (b,) marked as beginning: the policy forgets those itself."""
        return type(self)(other.kept, mask.cpu().numpy() | other.begins)


@final
class PolicyAgent(Agent):
    """An agent whose decisions are made by `policy`: anything with `predict(obs)`, or a function of the observation.

    It sees native observations and returns native actions, or (action, state). A `predict` that takes `deterministic`
    or `episode_start`, as Stable-Baselines3's, is asked for the whole batch and without noise, and what it keeps is
    passed on; any other is asked row by row. Probabilities of a single choice are reported where it offers
    `policy.get_distribution`. Copies share the policy, which deciding does not change.

    >>> import agentic
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda obs: int(obs[2] > 0), env.observation_layout, env.action_layout)
    >>> agentic.run(agent, env, agentic.Schedule(episodes=3)).returns()
    array([64., 45., 35.])
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
            rows = [self._parts(self._asked(self.observation.row(native, row)))[0] for row in range(len(obs))]
            return Decision(self._encoded(rows, lambda leaf: [leaf.part(row) for row in rows], obs), state)
        whole = self.observation.whole(native)
        offered = {"deterministic": True, "state": state.kept, "episode_start": state.begins}
        given = {key: value for key, value in offered.items() if key in self._takes}
        chosen, kept = self._parts(self._asked(whole, **given))
        policy = self._probabilities(whole, obs) if kept is None else None
        action = self._encoded(chosen, lambda leaf: leaf.part(chosen), obs)
        return Decision(action, Memory(kept, np.zeros(len(obs), bool)), policy)

    def _asked(self, obs: Any, **given: Any) -> Any:
        try:
            return self._ask(obs, **given)
        except (UserError, RunError):
            raise
        except BREAKS as error:
            raise RunError(f"the policy {_named(self.policy)} broke, {described(error)}") from error

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
                    native = (*native, leaf.cast(array))
        except (TypeError, ValueError, LookupError):  # not of the nesting or of the shape of the space
            native = ()
        if len(native) != len(self.action.leaves) or not self.action.fits(native):
            message = f"the policy chose {chosen!r} for {len(obs)} row(s) of {self.action.space}"
            raise RunError(" ".join(message.split()))
        return self.action.encode(native, obs.dtype)

    def _probabilities(self, whole: Any, obs: Tensor) -> Categorical | None:
        brain = getattr(self.policy, "policy", self.policy)
        if not (hasattr(brain, "get_distribution") and isinstance(self.action.space, spaces.Discrete)):
            return None
        with torch.no_grad():
            seen, _ = brain.obs_to_tensor(whole)
            return Categorical(brain.get_distribution(seen).distribution.probs.to(obs))


def _named(policy: Any) -> str:
    """The name of a function, the class of anything else."""
    return str(getattr(policy, "__name__", type(policy).__name__))


def _native(observation: Layout, obs: Tensor) -> Arrays:
    """Back from the agent's tensor. Not `Layout.decode`: environments do leave the bounds they declare."""
    pieces = observation.split(obs.detach().cpu().numpy())
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
