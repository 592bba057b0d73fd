"""Recorded behavior in a known world: the states that an agent went through and the actions it chose there."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self, final

import gymnasium
import numpy as np
from numpy.typing import ArrayLike

from agentic import Record, Truth, UserError, make, state_observations
from agentic_metrics.finite.arrays import Bools, Episodes, Ints
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import World
from agentic_metrics.sampling.series import recorded


@final
@dataclass(frozen=True)
class Steps:
    """Decisions of all episodes one after the other: `states`, `actions`, and step and episode of each, all (n,)."""

    states: Ints
    actions: Ints
    times: Ints
    episodes: Ints

    @classmethod
    def of(cls, states: Episodes, actions: Episodes, world: World) -> Self:
        """The steps of arrays, one pair per episode or a single one; the last of t + 1 states is where it stopped.

        Raises UserError for places or actions that the world lacks, and for an episode without a decision.
        """
        pairs = _episodes(states, actions, world)
        lengths = [len(chosen) for _, chosen in pairs]
        return cls(
            np.concatenate([went[: len(chosen)] for went, chosen in pairs]),
            np.concatenate([chosen for _, chosen in pairs]),
            np.concatenate([np.arange(n) for n in lengths]),
            np.repeat(np.arange(len(lengths)), lengths),
        )

    def where(self, kept: Bools) -> Self:
        """The steps where `kept` (n,)."""
        return type(self)(self.states[kept], self.actions[kept], self.times[kept], self.episodes[kept])

    @property
    def starts(self) -> Ints:
        """The first state of every episode, (episodes,)."""
        return np.asarray(self.states[self.times == 0], np.int64)

    @property
    def lengths(self) -> Ints:
        """The number of decisions in every episode, (episodes,)."""
        return np.asarray(np.unique(self.episodes, return_counts=True)[1], np.int64)


@final
@dataclass(frozen=True)
class Behavior:
    """Episodes side by side, cut after the first `t` decisions: `states` and `actions` (n, t), 0 where not `valid`.

    `cut` (n,): whether an episode stopped before t decisions without having ended.
    """

    states: Ints
    actions: Ints
    valid: Bools
    cut: Bools

    @classmethod
    def of(cls, world: World, states: Episodes, actions: Episodes, *, most: int) -> Self:
        """The behavior of arrays as `Steps.of` takes them; an episode whose last state is not given counts as ended."""
        pairs = _episodes(states, actions, world)
        lengths = np.array([len(chosen) for _, chosen in pairs])
        valid = np.arange(most) < lengths[:, None]
        found = np.zeros((2, *valid.shape), dtype=np.int64)
        found[0, valid] = np.concatenate([went[: min(most, len(chosen))] for went, chosen in pairs])
        found[1, valid] = np.concatenate([chosen[:most] for _, chosen in pairs])
        goes_on = [len(went) > len(chosen) and not world.ended[went[-1]] for went, chosen in pairs]
        return cls(found[0], found[1], valid, (lengths < most) & goes_on)


def random_behavior(world: World, like: Behavior, copies: int, generator: np.random.Generator) -> Behavior:
    """Episodes of a uniformly random agent, (copies n, t): first states and cuts are those of each of `like`."""
    here, horizon = np.tile(like.states[:, 0], copies), like.states.shape[1]
    lengths = np.where(like.cut, like.valid.sum(1), horizon)
    flat = np.cumsum(world.dynamics.reshape(-1, world.states), axis=1)
    flat[:, -1] = 1.0
    ladder = (flat + np.arange(len(flat))[:, None]).ravel()  # the whole part of each number is its row
    states = np.empty((horizon, len(here)), dtype=np.int64)
    actions = generator.integers(world.actions, size=states.shape)
    for t in range(horizon):
        states[t] = here
        rows = here * world.actions + actions[t]
        place = np.searchsorted(ladder, rows + generator.random(len(rows)), side="right") - rows * world.states
        here = place.clip(max=world.states - 1)
    valid = np.arange(horizon) < np.tile(lengths, copies)[:, None]
    return Behavior(states.T, actions.T, valid, np.tile(like.cut, copies))


def recorded_behavior(
    record: Record, environment: Callable[[], gymnasium.Env[Any, Any]], horizon: int | None = None
) -> tuple[World, list[Ints], list[Ints]]:
    """The known world of a record, and its evaluation episodes as states (t + 1,) and actions (t,), t <= `horizon`.

    Raises UserError where an observation does not tell the state, or the world is not known.
    """
    truth, world = known_world(environment)
    with closing(make(environment)) as made:
        first, zero = (
            np.concatenate([leaf.start.ravel() for leaf in layout.leaves])
            for layout in (made.observation_layout, made.action_layout)
        )
    seen, chosen, then = (recorded(record, column) for column in ("obs", "action", "next_obs"))
    named = seen.discrete and chosen.discrete and seen.episodes[0].shape[1] == len(first)
    if not named or len(zero) != 1 or chosen.episodes[0].shape[1] != 1:
        raise UserError("this needs observations that name the state and one choice of action, the record has others")
    states = _states_of(truth, world)
    episodes = [
        states(np.concatenate([now, after[-1:]]).astype(np.int64) - first)
        for now, after in zip(seen.episodes, then.episodes, strict=True)
    ]
    actions = [(each[:, 0] - zero[0]).astype(np.int64) for each in chosen.episodes]
    _over(world, episodes, [bool(flags[-1, 0]) for flags in recorded(record, "terminated").episodes])
    if horizon is None:
        return world, episodes, actions
    return world, [each[: horizon + 1] for each in episodes], [each[:horizon] for each in actions]


def _over(world: World, episodes: Sequence[Ints], ended: Sequence[bool]) -> None:
    """Write where an episode `ended` by chance that it was over there, not that it stopped."""
    for went, over in zip(episodes, ended, strict=True):
        twice = np.flatnonzero((world.origin == went[-1]) & world.ended)
        if over and len(twice):
            went[-1] = twice[0]


def checked_names(kind: str, names: ArrayLike, count: int) -> Ints:
    """`names` (t,) as int64; UserError where they are no whole numbers from 0 to count - 1."""
    given = np.asarray(names)
    named = not given.size or (given.dtype.kind in "iu" and 0 <= given.min() <= given.max() < count)
    if given.ndim != 1 or not named:
        raise UserError(f"{kind} must be whole numbers from 0 to {count - 1}, an array (t,) for each episode")
    return np.asarray(given, dtype=np.int64)


def _episodes(states: Episodes, actions: Episodes, world: World) -> list[tuple[Ints, Ints]]:
    """States (t,) or (t + 1,) and actions (t,) of each episode, checked."""
    single = len(actions) > 0 and np.ndim(actions[0]) == 0
    given: Any = ([states], [actions]) if single else (states, actions)
    places = [checked_names("states", each, world.states) for each in given[0]]
    choices = [checked_names("actions", each, world.actions) for each in given[1]]
    pairs = list(zip(places, choices, strict=False))
    odd = any(not len(chosen) or len(went) - len(chosen) not in (0, 1) for went, chosen in pairs)
    if odd or not pairs or len(places) != len(choices):
        raise UserError(
            "every episode needs at least one decision, and as many states or one more, where it stopped: got states "
            f"of {len(places)} episodes and actions of {len(choices)}"
        )
    return pairs


def _states_of(truth: Truth, world: World) -> Callable[[Ints], Ints]:
    """From observed levels (t, modalities) to states (t,)."""
    sizes = tuple(len(levels) for levels in truth["A"])
    blocks = np.split(state_observations(truth).numpy(), np.cumsum(sizes)[:-1], axis=1)
    looks = np.ravel_multi_index([block.argmax(1) for block in blocks], sizes)
    order = np.argsort(looks, kind="stable")

    def states(levels: Ints) -> Ints:
        known = levels.shape[1] == len(sizes) and bool(((levels >= 0) & (levels < sizes)).all())
        codes = np.ravel_multi_index(list(levels.T), sizes) if known else np.full(len(levels), -1)
        where = np.searchsorted(looks[order], codes).clip(max=world.states - 1)
        if (looks[order][where] != codes).any():
            raise UserError("the record shows what no state of this world looks like: give the world it was made in")
        return np.asarray(order[where])

    return states
