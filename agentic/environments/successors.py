"""Worlds as lists of successors: what can follow each state and action, never a table of all pairs of states."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic.environments.probabilities import check_probabilities
from agentic.errors import UserError

Floats = NDArray[np.float64]
Outcomes = Sequence[tuple[float, int, float, bool]]  # (probability, next state, reward, terminated)
Table = Mapping[int, Mapping[int, Outcomes]]
Transitions = list[tuple[int, int, float, int, float, bool]]  # state and action, then an outcome of theirs


class Successors(NamedTuple):
    """An observed world: the states that can follow, and how likely, each (states, actions, k), padded with zeros.

    `rewards` (states, actions) are expected, `ends` (states,) 1 where the episode is over, `start` (states,) the first.
    """

    reached: NDArray[np.int64]
    chances: Floats
    rewards: Floats
    ends: Floats
    start: Floats

    @classmethod
    def of(cls, P: Table, start: ArrayLike, observations: int | None = None) -> Self:
        """From a table `P[state][action] = [(probability, next, reward, terminated), ...]` and the first state's law.

        A state entered with `terminated` becomes absorbing, pays nothing from then on and has `ends` 1. Raises
        UserError for a reachable state that ends the episode on some entries and not on others, for probabilities that
        do not sum to 1, and for a `start`, or as many `observations`, of another size: those are the states.
        """
        states, actions, first = len(P), len(P[0]), np.asarray(start, dtype=np.float64)
        if first.shape != (states,) or observations not in (None, states):
            raise UserError(
                f"observations and start must cover the {states} states of the table, got {observations or states} "
                f"observations and a start of shape {first.shape}: this conversion is for worlds whose observation is "
                "the state."
            )
        check_probabilities("start", first)
        transitions: Transitions = [
            (s, a, *outcome) for s in range(states) for a in range(actions) for outcome in P[s][a] if outcome[0] > 0
        ]
        ended, rewards = _ended(transitions, first), np.zeros((states, actions))
        lists: dict[tuple[int, int], dict[int, float]] = {}
        for s, a, probability, successor, reward, _ in transitions:
            own = lists.setdefault((s, a), {})
            own[successor] = own.get(successor, 0.0) + probability
            rewards[s, a] += probability * reward
        lists |= {(int(s), a): {int(s): 1.0} for s in np.flatnonzero(ended) for a in range(actions)}
        rewards[ended] = 0.0
        width = max(map(len, lists.values()))
        reached, chances = np.zeros((states, actions, width), np.int64), np.zeros((states, actions, width))
        for (s, a), own in lists.items():
            reached[s, a, : len(own)], chances[s, a, : len(own)] = zip(*sorted(own.items()), strict=True)
        check_probabilities("the outcomes of each state and action in P", chances, axis=-1)
        return cls(reached, chances, rewards, ended.astype(np.float64), first)

    def dense(self) -> Floats:
        """The table p(next | state, action), (states, states, actions)."""
        states, actions, _ = self.reached.shape
        moves = np.zeros((states, states, actions))
        place = np.indices(self.reached.shape)
        np.add.at(moves, (self.reached, place[0], place[1]), self.chances)
        return moves


def _ended(transitions: Transitions, start: Floats) -> NDArray[np.bool_]:
    """Which states (states,) are entered with `terminated`; UserError where a reachable one is also entered alive."""
    ended = np.zeros(len(start), dtype=bool)
    successors: list[set[int]] = [set() for _ in start]
    for s, _, _, successor, _, terminated in transitions:
        if terminated:
            ended[successor] = True
        else:
            successors[s].add(successor)
    alive: set[int] = set()
    frontier = set(np.flatnonzero(start > 0).tolist())
    while frontier:
        alive |= frontier
        frontier = {n for s in frontier if not ended[s] for n in successors[s]} - alive
    both = sorted(s for s in alive if ended[s])
    if both:
        raise UserError(
            f"a state must end the episode always or never, got {both[:5]} that do so only on some entries: "
            "split such a state in two, or write true_model() by hand."
        )
    return ended
