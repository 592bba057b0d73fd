"""What was recorded in a world that is known: the states an agent went through and the actions it chose there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Record, Truth, UserError, make, state_observations
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import World
from agentic_metrics.sampling.series import recorded

Places = NDArray[np.int64]


@final
@dataclass(frozen=True)
class Behavior:
    """Episodes side by side, cut after the first `t` decisions: `states` and `actions` (n, t), 0 where not `valid`.

    `cut` (n,): whether an episode stopped before t decisions without having ended.
    """

    states: Places
    actions: Places
    valid: NDArray[np.bool_]
    cut: NDArray[np.bool_]

    @classmethod
    def of(cls, world: World, states: Sequence[ArrayLike], actions: Sequence[ArrayLike], *, most: int) -> "Behavior":
        """From lists of arrays, one pair per episode; `states` may hold one more, where the episode stopped.

        Where it does not, an episode counts as ended. Raises UserError for places and actions that the world lacks.
        """
        places = [checked_names("states", each, world.states) for each in states]
        choices = [checked_names("actions", each, world.actions) for each in actions]
        lengths = np.array([len(each) for each in choices], dtype=np.int64)
        extra = np.array([len(each) for each in places], dtype=np.int64)[: len(lengths)] - lengths
        if len(places) != len(choices) or not np.isin(extra, (0, 1)).all() or not len(lengths) or not lengths.min():
            raise UserError("behavior needs, for every episode, at least one action and as many states or one more")
        valid = np.arange(most) < lengths[:, None]
        last = np.array([world.ended[each[-1]] for each in places])
        found = np.zeros((2, len(lengths), most), dtype=np.int64)
        for row, (place, choice) in enumerate(zip(places, choices, strict=True)):
            kept = min(most, len(choice))
            found[0, row, :kept], found[1, row, :kept] = place[:kept], choice[:kept]
        return cls(found[0], found[1], valid, (lengths < most) & (extra == 1) & ~last)


def recorded_behavior(
    record: Record, environment: Callable[[], gymnasium.Env[Any, Any]], horizon: int | None = None
) -> tuple[World, list[Places], list[Places]]:
    """The known world of a record, and its evaluation episodes as states (t + 1,) and actions (t,), t <= `horizon`.

    Raises UserError where an observation does not tell the state, or the world is not known.
    """
    truth, world = known_world(environment)
    made = make(environment)
    try:
        first, zero = (
            np.concatenate([leaf.start.ravel() for leaf in layout.leaves])
            for layout in (made.observation_layout, made.action_layout)
        )
    finally:
        made.close()
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
    if horizon is None:
        return world, episodes, actions
    return world, [each[: horizon + 1] for each in episodes], [each[:horizon] for each in actions]


def checked_names(kind: str, names: ArrayLike, count: int) -> Places:
    """`names` (t,) as int64; UserError where they are no whole numbers from 0 to count - 1."""
    given = np.asarray(names)
    named = not given.size or (given.dtype.kind in "iu" and 0 <= given.min() <= given.max() < count)
    if given.ndim != 1 or not named:
        raise UserError(f"{kind} must be whole numbers from 0 to {count - 1}, an array (t,) for each episode")
    return np.asarray(given, dtype=np.int64)


def _states_of(truth: Truth, world: World) -> Callable[[Places], Places]:
    """From observed levels (t, modalities) to states (t,)."""
    sizes = tuple(len(levels) for levels in truth["A"])
    blocks = np.split(state_observations(truth).numpy(), np.cumsum(sizes)[:-1], axis=1)
    looks = np.ravel_multi_index([block.argmax(1) for block in blocks], sizes)
    order = np.argsort(looks, kind="stable")

    def states(levels: Places) -> Places:
        known = levels.shape[1] == len(sizes) and bool(((levels >= 0) & (levels < sizes)).all())
        codes = np.ravel_multi_index(list(levels.T), sizes) if known else np.full(len(levels), -1)
        where = np.searchsorted(looks[order], codes).clip(max=world.states - 1)
        if (looks[order][where] != codes).any():
            raise UserError("the record shows what no state of this world looks like: give the world it was made in")
        return np.asarray(order[where])

    return states
