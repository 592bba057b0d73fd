"""A finite world as arrays, and what looking ahead in it is worth.

What exact planners, exact metrics and clones share. `World.of` makes the arrays from the truth of an environment; a
policy is a table (states, actions) of probabilities. All arrays are float64.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar, Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from agentic.engine.ties import ties
from agentic.environments.pomdp import Truth, always_over, joint_moves, joint_start, plain, split_states
from agentic.environments.probabilities import check_probabilities
from agentic.errors import UserError

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class World:
    """A Markov decision process.

    `dynamics` (s, a, s'): probability of the next state. `rewards` (s, a): expected reward of taking the action there.
    `start` (s,): distribution of the first state. `ended` (s,) bool: states in which the episode is over, absorbing
    and without reward. `origin` (s,): what each is a state of; one in which it is over only sometimes is there
    twice, the second time as it is when the episode is over. Left out, each is a state of its own.

    Raises UserError where shapes disagree or rows are no distributions.
    """

    tie: ClassVar[float] = 1e-9  # probabilities closer than this are equal

    dynamics: Floats
    rewards: Floats
    start: Floats
    ended: NDArray[np.bool_]
    origin: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        for name in ("dynamics", "rewards", "start"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        states, actions = self.rewards.shape
        shapes = self.dynamics.shape, self.start.shape, self.ended.shape
        if shapes != ((states, actions, states), (states,), (states,)):
            raise UserError(
                f"a world of {states} states and {actions} actions, as rewards has it, needs dynamics (s, a, s'), "
                f"start (s,) and ended (s,), got {shapes}"
            )
        if not np.isfinite(self.rewards).all():
            raise UserError("the rewards of a world must be finite numbers")
        check_probabilities("dynamics", self.dynamics, axis=-1, tolerance=self.tie)
        check_probabilities("start", self.start, tolerance=self.tie)
        if not len(self.origin):
            object.__setattr__(self, "origin", np.arange(states))

    @classmethod
    def of(cls, truth: Truth) -> Self:
        """The world of an environment's truth; several state factors become one, the last varying fastest.

        Entering a state may end the episode, beginning there does not. States in which it is over only sometimes are
        split, see `origin`, and come after all others.
        """
        truth = plain(truth)
        moves, start = joint_moves(truth).transpose(1, 2, 0).copy(), joint_start(truth)
        states, actions, _ = moves.shape
        ends, rewards, lost = truth["ends"].ravel(), truth["rewards"].reshape(states, actions), always_over(truth)
        origin = split_states(truth)
        if len(origin) == states:
            return cls(moves, rewards, start, lost)
        over = np.arange(len(origin)) >= states
        chances = np.where(over, ends[origin], np.where(lost, 1.0, 1 - ends)[origin])
        moves = np.where(over[:, None, None], np.eye(len(origin))[:, None], moves[origin][..., origin] * chances)
        rewards, start = np.where(over[:, None], 0.0, rewards[origin]), np.where(over, 0.0, start[origin])
        return cls(moves, rewards, start, lost[origin] | over, origin)

    def merged(self) -> Self:
        """The same world with the states that are of one `origin` as one: entering them ends nothing by chance."""
        states, again = self.origins, self.origin[self.origins :]
        moves = self.dynamics[:states, :, :states].copy()
        moves[..., again] += self.dynamics[:states, :, states:]
        return type(self)(moves, self.rewards[:states], self.start[:states], self.ended[:states])

    @property
    def origins(self) -> int:
        """The number of states that are told apart when the episode goes on; they come first."""
        return int(self.origin.max()) + 1

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self.start)

    @property
    def actions(self) -> int:
        """The number of actions."""
        return int(self.rewards.shape[1])

    @property
    def alive(self) -> NDArray[np.int64]:
        """The states in which a decision counts, reachable from the start or not."""
        return np.flatnonzero(~self.ended)

    def action_values(self, *, depth: int, discount: float = 1.0) -> Floats:
        """Q (states, actions) of acting optimally for `depth` >= 1 steps: that many Bellman backups from zero."""
        return self._looked(depth, discount)[0]

    def planned_policy(self, *, depth: int, discount: float = 1.0) -> Floats:
        """The policy (states, actions) of looking `depth` steps ahead before every action."""
        return self.greedy_policy(*self._looked(depth, discount))

    def backups(
        self, discount: float = 1.0, *, move: Callable[[Floats], Floats] | None = None
    ) -> Iterator[tuple[Floats, Floats]]:
        """Q (states, actions) of looking 1, 2, ... steps ahead, and the scale of each: see `ties`.

        `move` takes values (states,) to their discounted expectations (states, actions), by default by `dynamics`.
        """
        move = move or (lambda values: discount * self.dynamics @ values)
        future, size, alive = np.zeros(self.states), np.zeros(self.states), ~self.ended[:, None]
        while True:
            values = np.where(alive, self.rewards + move(future), 0.0)
            scale = np.where(alive, np.abs(self.rewards) + move(size), 0.0)
            best = values.argmax(-1)[:, None]
            future, size = values.max(-1), np.take_along_axis(scale, best, -1)[:, 0]
            yield values, scale

    def _looked(self, depth: int, discount: float) -> tuple[Floats, Floats]:
        if depth < 1:
            raise UserError(f"depth must be at least 1, got {depth}")
        return next(islice(self.backups(discount), depth - 1, None))

    @staticmethod
    def greedy_policy(values: ArrayLike, scale: ArrayLike | None = None) -> Floats:
        """The policy (states, actions) that takes the action of largest value, equal ones with equal probability."""
        best = World.ties(values, scale)
        return np.asarray(best / best.sum(-1, keepdims=True))

    @staticmethod
    def ties(values: ArrayLike, scale: ArrayLike | None = None) -> NDArray[np.bool_]:
        """Whether each of `values` (..., a) is the largest in its row or as large, see `agentic.engine.ties`."""
        table, size = (None if each is None else torch.tensor(np.asarray(each, np.float64)) for each in (values, scale))
        assert table is not None
        return np.asarray(ties(table, size).numpy())
