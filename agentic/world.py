"""A finite world as arrays, what looking ahead in it is worth, and what an agent does in each of its states.

What exact planners, exact metrics and clones share. `World.of` makes the arrays from the truth of an environment; a
policy is a table (states, actions) of probabilities. All arrays are float64.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from agentic.agent import Agent, Decision
from agentic.belief import Categorical
from agentic.errors import UserError
from agentic.truth import Truth

Floats = NDArray[np.float64]

DRAWS = 24  # decisions per state that are compared with the policy an agent reports
MORE = 400  # decisions per state where it reports none, or does something else


@final
@dataclass(frozen=True)
class World:
    """A Markov decision process.

    `dynamics` (s, a, s'): probability of the next state. `rewards` (s, a): expected reward of taking the action there.
    `start` (s,): distribution of the first state. `ended` (s,) bool: states in which the episode is over, absorbing
    and without reward. Raises UserError where shapes disagree or rows are no distributions.
    """

    tie: ClassVar[float] = 1e-9  # values of actions closer than this are equal

    dynamics: Floats
    rewards: Floats
    start: Floats
    ended: NDArray[np.bool_]

    def __post_init__(self) -> None:
        states, actions = self.rewards.shape
        shapes = self.dynamics.shape, self.start.shape, self.ended.shape
        if shapes != ((states, actions, states), (states,), (states,)):
            raise UserError(
                f"a world of {states} states and {actions} actions, as rewards has it, needs dynamics (s, a, s'), "
                f"start (s,) and ended (s,), got {shapes}"
            )
        for name, rows in (("dynamics", self.dynamics), ("start", self.start)):
            if rows.min() < 0 or np.abs(rows.sum(-1) - 1).max() > self.tie:
                raise UserError(f"{name} must hold probabilities that sum to 1 along the last axis: normalize them")

    @classmethod
    def of(cls, truth: Truth) -> Self:
        """The world of an environment's truth; several state factors become one, the last varying fastest."""
        states = _states(truth)
        actions = truth["rewards"].shape[-1]
        dynamics: NDArray[Any] = np.ones((actions, 1, 1))
        start: NDArray[Any] = np.ones(1)
        for moves, first in zip(truth["B"], truth["D"], strict=True):
            by_action = np.moveaxis(moves, (0, 1, 2), (2, 1, 0))  # (a, previous, next)
            joint = np.einsum("apn,aqm->apqnm", dynamics, by_action)
            size = dynamics.shape[1] * len(first)
            dynamics, start = joint.reshape(actions, size, size), np.kron(start, first)
        ended = truth["ends"].reshape(states) > 1 - cls.tie
        return cls(dynamics.swapaxes(0, 1).copy(), truth["rewards"].reshape(states, actions), start, ended)

    @property
    def states(self) -> int:
        return len(self.start)

    @property
    def actions(self) -> int:
        return int(self.rewards.shape[1])

    @property
    def alive(self) -> NDArray[np.int64]:
        """The states in which a decision counts, reachable from the start or not."""
        return np.flatnonzero(~self.ended)


def action_values(world: World, *, depth: int, discount: float = 1.0) -> Floats:
    """Q (states, actions) of acting optimally for `depth` >= 1 steps: that many Bellman backups from zero."""
    if depth < 1:
        raise UserError(f"depth must be at least 1, got {depth}")
    future, alive = np.zeros(world.states), ~world.ended[:, None]
    for _ in range(depth):
        values = np.where(alive, world.rewards + discount * world.dynamics @ future, 0.0)
        future = values.max(-1)
    return values


def greedy_policy(values: ArrayLike) -> Floats:
    """The policy (states, actions) that takes the action of largest value, equal ones with equal probability."""
    table = np.asarray(values, dtype=np.float64)
    best = table >= table.max(-1, keepdims=True) - World.tie
    return np.asarray(best / best.sum(-1, keepdims=True))


def planned_policy(world: World, *, depth: int, discount: float = 1.0) -> Floats:
    """The policy of looking `depth` steps ahead before every action."""
    return greedy_policy(action_values(world, depth=depth, discount=discount))


def state_observations(truth: Truth) -> torch.Tensor:
    """What an agent sees in each state, (states, *event) float32: a one-hot block per modality.

    Raises UserError where the observation does not tell the state.
    """
    states = _states(truth)
    blocks = [columns.reshape(len(columns), states).T for columns in truth["A"]]
    if any((block.max(-1) < 1 - World.tie).any() for block in blocks):
        raise UserError("states are told from observations without noise: in this world a state looks different ways")
    joint = np.concatenate(blocks, axis=1)
    if len(np.unique(joint, axis=0)) < states:
        raise UserError("states are told where each looks different: in this world some look the same")
    return torch.from_numpy(joint).to(torch.float32)


def policy_table(agent: Agent, truth: Truth, *, generator: torch.Generator) -> Floats:
    """The table (states, actions) of what a sealed copy of `agent` does when it finds itself in each state.

    Each state is met as the first of an episode, by an agent without a belief about where it is. Agents that report
    their policy and follow it are read; others are counted: a greedy agent that reports a tie but always breaks it the
    same way does what it does.

    Raises UserError where the observation does not tell the state, or the action is no single choice.
    """
    sealed, seen = agent.sealed(), state_observations(truth)
    expected = (len(seen), truth["rewards"].shape[-1])

    def decide() -> Decision:
        return sealed.decide(unknowing(sealed.start(len(seen), generator=generator)), seen, generator=generator)

    def counted(times: int) -> Floats:
        return np.asarray(np.mean([decide().action.numpy() for _ in range(times)], axis=0, dtype=np.float64))

    first = decide()
    if tuple(first.action.shape) != expected or bool((first.action.sum(-1) != 1).any()):
        raise UserError(
            f"a policy table needs one choice among {expected[1]} actions in each of {expected[0]} states, "
            f"got actions of shape {tuple(first.action.shape)}"
        )
    if isinstance(first.policy, Categorical):
        table = first.policy.probs.detach().to(torch.float64).numpy().reshape(expected)
        found = counted(DRAWS)
        if (table[found == 1] > 0.5).all():
            return np.asarray(table)
        if (found.max(-1) == 1).all():
            return found
    return counted(MORE)


def unknowing(state: Any) -> Any:
    """The state of an agent that is put somewhere: a prior belief, which might rule that place out, is made flat."""
    prior = getattr(state, "prior", None)
    if not isinstance(prior, Categorical):
        return state
    flat = torch.cat([torch.full_like(block, 1 / block.shape[-1]) for block in prior.blocks], -1)
    return replace(state, prior=Categorical(flat, prior.sizes))


def _states(truth: Truth) -> int:
    """The number of joint values of all state factors."""
    return int(np.prod([len(first) for first in truth["D"]]))
