"""The true model of an environment as arrays, for exact agents and exact metrics.

Our environments say it themselves (`true_model`); Gymnasium's toy-text environments carry a transition table that
is turned into the same form. Step limits are not part of it: they are a convention of the run, not of the world.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any, NotRequired, Protocol, TypedDict, runtime_checkable

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import ArrayLike, NDArray

from agentic.environments.dependencies import Dependencies, spread
from agentic.environments.probabilities import check_probabilities
from agentic.environments.successors import Successors, Table
from agentic.environments.transparent import KEEPING
from agentic.errors import UserError

Floats = NDArray[np.float64]
CERTAIN = 1e-9  # a probability that misses 1 by less is 1
TOY_TEXT = "gymnasium.envs.toy_text"
LIVED = frozenset({"step", "reset", "action", "observation", "reward"})  # what makes the world one lives in
LIMIT = 50_000_000  # entries of the transitions of all factors joined


class Truth(TypedDict):
    """A finite POMDP: hidden factors, moved by actions, seen through modalities. All arrays are float64.

    `A`: one array per observation modality, (levels, *state factors): probability of each level in a state.
    `B`: one array per state factor, (next, previous, actions); a factor that the action cannot move repeats the
         same matrix for every action. Terminal states keep themselves.
    `D`: one array per state factor, (states,): where an episode starts.
    `rewards`: (*state factors, actions), the expected reward of taking the action in that state.
    `ends`: (*state factors), probability that the episode has ended once that state is entered.

    `dependencies`: where it is there, lists of the factors that each A looks at ("A") and each B ("B"), and of the
         controls that move each factor ("B_actions"), all in the order of the arrays' axes after the first. Without,
         each A looks at all factors, each B at its own, and one control moves all. Where there are several controls,
         as many as the entries of a MultiDiscrete action space, `rewards` has joint actions, the last control fastest.

    The columns (first axis) of every A, B and D sum to 1.
    """

    A: list[Floats]
    B: list[Floats]
    D: list[Floats]
    rewards: Floats
    ends: Floats
    dependencies: NotRequired[Mapping[str, Sequence[Sequence[int]]]]


@runtime_checkable
class HasTrueModel(Protocol):
    """A Gymnasium environment, or a wrapper of one, with a method `true_model` that gives its truth as arrays.

    Those classes are other people's and derive from Gymnasium's, so that a method is all that is asked of them, here
    and nowhere else.
    """

    def true_model(self) -> Truth:
        """The world as arrays; see `Truth`."""


def check_truth(given: Mapping[str, Any]) -> Truth:
    """The truth as arrays, where shapes agree and numbers are what they mean; lists of numbers are arrays as well.

    Raises UserError naming the array otherwise.
    """
    truth = _arrays(given)
    factors = tuple(len(start) for start in truth["D"])
    if len(truth["B"]) != len(factors):
        raise UserError(f"B must have one array per state factor, {len(factors)} as D has, got {len(truth['B'])}.")
    form = _form(truth)
    columns = {f"A[{i}]": (array, (len(array), *form.shape_of_A(i))) for i, array in enumerate(truth["A"])}
    columns |= {f"B[{i}]": (truth["B"][i], (n, *form.shape_of_B(i))) for i, n in enumerate(factors)}
    columns |= {f"D[{i}]": (truth["D"][i], (n,)) for i, n in enumerate(factors)}
    paid = (*factors, prod(form.controls))
    others = {"rewards": (truth["rewards"], paid), "ends": (truth["ends"], factors)}
    for name, (array, shape) in {**columns, **others}.items():
        if array.shape != shape:
            found = f"got {array.shape}: reshape it."
            raise UserError(f"{name} must have shape {shape} to agree with D and rewards, {found}")
    for name, (array, _) in columns.items():
        check_probabilities(f"the columns of {name}", array)
    if not np.isfinite(truth["rewards"]).all():
        raise UserError("rewards must be finite numbers, got NaN or infinity.")
    if not ((truth["ends"] >= 0) & (truth["ends"] <= 1)).all():
        raise UserError("ends must be probabilities from 0 to 1, one per state.")
    return truth


def plain(truth: Truth) -> Truth:
    """The same world without dependency lists: every A looks at all factors, and each B at its own and one control.

    Where factors act on each other, or several controls move them, they are joined in one, the last varying fastest,
    and so are the controls. Raises UserError where the arrays would be too large for that.
    """
    if "dependencies" not in truth:
        return truth
    form = _form(truth)
    states, actions = prod(form.factors), prod(form.controls)
    sizes = [len(levels) * states for levels in truth["A"]] if form.separate else [states * states * actions]
    if max(sizes) > LIMIT:
        raise UserError(
            f"the arrays over all factors would hold {max(sizes):,} entries, more than {LIMIT:,}: what needs the joint "
            "state of this world is out of reach, use what takes dependency lists"
        )
    looks = [spread(levels, parents, form.factors).copy() for levels, parents in zip(truth["A"], form.A, strict=True)]
    if form.separate:
        moves = [
            spread(b, (0, *(1 for _ in form.B_actions[f])), (len(b), actions)).copy() for f, b in enumerate(truth["B"])
        ]
        return {"A": looks, "B": moves, "D": truth["D"], "rewards": truth["rewards"], "ends": truth["ends"]}
    return {
        "A": [levels.reshape(len(levels), states) for levels in looks],
        "B": [joint_moves(truth)],
        "D": [joint_start(truth)],
        "rewards": truth["rewards"].reshape(states, actions),
        "ends": truth["ends"].reshape(states),
    }


def joint_moves(truth: Truth) -> Floats:
    """The transitions (next, previous, actions) of all factors as one, the last varying fastest, and all controls."""
    form = _form(truth)
    states, actions = prod(form.factors), prod(form.controls)
    joint: Floats = np.ones((1, states, actions))
    for f, b in enumerate(truth["B"]):
        over = spread(b, form.parents_of_B(f), (*form.factors, *form.controls)).reshape(len(b), states, actions)
        joint = (joint[:, None] * over).reshape(-1, states, actions)
    return joint


def joint_start(truth: Truth) -> Floats:
    """Where an episode starts, for all factors as one, the last varying fastest: (states,)."""
    return reduce(lambda joint, first: np.asarray(np.kron(joint, first), np.float64), truth["D"])


def _form(truth: Truth) -> Dependencies:
    """What depends on what; where no lists say so, `rewards` says how many actions there are."""
    given = truth.get("dependencies")
    controls = (truth["rewards"].shape[-1],) if given is None else None
    return Dependencies.read(truth["A"], truth["B"], truth["D"], given or {}, controls)


def _arrays(given: Mapping[str, Any]) -> Truth:
    if not isinstance(given, Mapping) or not Truth.__required_keys__ <= given.keys():
        found = sorted(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
        wanted = [name for name in Truth.__annotations__ if name in Truth.__required_keys__]
        raise UserError(f"a truth is a dict with {', '.join(wanted)}, got {found}")
    for name in ("A", "B", "D"):
        if not isinstance(given[name], list | tuple) or not given[name]:
            raise UserError(f"{name} must be a list of arrays, got {type(given[name]).__name__}: write [{name}]")
    many = {name: [_array(f"{name}[{i}]", each) for i, each in enumerate(given[name])] for name in ("A", "B", "D")}
    rewards, ends = (_array(name, given[name]) for name in ("rewards", "ends"))
    truth: Truth = {"A": many["A"], "B": many["B"], "D": many["D"], "rewards": rewards, "ends": ends}
    return {**truth, "dependencies": given["dependencies"]} if "dependencies" in given else truth


def _array(name: str, given: ArrayLike) -> Floats:
    """`given` in float64, the same array where it is one already."""
    try:
        array = np.asarray(given)
        if not array.ndim or array.dtype.kind not in "fiub" or np.ma.is_masked(given):
            masked = ", some of it masked" if np.ma.is_masked(given) else ""
            raise TypeError(f"got {array.dtype} of shape {array.shape}{masked}")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} must be a rectangular array of real numbers ({error})") from None


def truth_from_transitions(P: Table, observations: int, start: ArrayLike) -> Truth:
    """A Gymnasium toy-text table `P[state][action] = [(probability, next, reward, terminated), ...]` as a Truth.

    The observation is the state, so `observations` must be the number of states. See `Successors.of`.
    """
    return as_arrays(Successors.of(P, start, observations))


def as_arrays(known: Truth | Successors) -> Truth:
    """What an environment tells of itself, as arrays."""
    if not isinstance(known, Successors):
        return known
    seen, moves = [np.eye(len(known.start))], [known.dense()]
    return check_truth({"A": seen, "B": moves, "D": [known.start], "rewards": known.rewards, "ends": known.ends})


def known_world(env: gymnasium.Env[Any, Any]) -> Truth | Successors:
    """What an environment or its wrapped form tells of itself: arrays, or lists of successors where it has a table.

    The outermost layer whose class defines `true_model()` answers; below all wrappers, a toy-text table `P` with
    `initial_state_distrib` does. Only Gymnasium's own wrappers that keep the world are looked through, see
    `transparent`; any other without a `true_model()` of its own is refused, because what is underneath may not be what
    the agent meets. So is a class that overrides how it steps and inherits what is told of it.

    The step limit of a `TimeLimit` is no part of the world: exact values are over as many steps as are asked for, and
    what is lived within a shorter limit falls short of them.
    """
    if changed := sorted(name for name in LIVED & vars(env).keys() if callable(vars(env)[name])):
        own = f"{' and '.join(changed)} of its own"
        raise UserError(
            f"this {type(env).__name__} was given {own}, of which its truth does not tell: make it a wrapper"
        )
    teller = _teller(env)
    if teller is not None:
        return check_truth(teller.true_model())
    name = type(env).__name__
    if not isinstance(env, gymnasium.Wrapper):
        return _table_of(env)
    if type(env) not in KEEPING:
        raise UserError(
            f"the wrapper {name} changes what the agent meets (or may) and has no true_model() of its own: define it "
            f"on {name}, to return the arrays of the world seen through it (those inside are make(self.env).truth()), "
            "or pass env.unwrapped for the truth without it."
        )
    return known_world(env.env)


def _teller(env: gymnasium.Env[Any, Any]) -> HasTrueModel | None:
    """`env` where it tells its truth itself; forwarding somebody else's is not telling."""
    kinds = type(env).__mro__
    defined = "true_model" in vars(env) or any("true_model" in vars(kind) for kind in kinds)
    if not defined or not isinstance(env, HasTrueModel):
        return None
    if "true_model" not in vars(env):
        last = next(place for place, kind in enumerate(kinds) if "true_model" in vars(kind))
        _refuse_changed(kinds[:last], "true_model()")
    return env


def _refuse_changed(kinds: Sequence[type], inherited: str) -> None:
    """Raise UserError where one of the classes changes how the world steps, of which what it inherits does not tell."""
    for kind in kinds:
        if changed := sorted(LIVED & vars(kind).keys()):
            raise UserError(
                f"{kind.__name__} defines its own {' and '.join(changed)} and inherits {inherited}, which tells of "
                f"another world: define true_model() on {kind.__name__} as well."
            )


def _table_of(env: Any) -> Successors:
    name = type(env).__name__
    if not (hasattr(env, "P") and hasattr(env, "initial_state_distrib")):
        raise UserError(
            f"the truth of {name} is not known: it needs a method true_model(), or a transition table P together with "
            "initial_state_distrib (for a table alone, call truth_from_transitions with a start distribution)."
        )
    if getattr(env, "fickle_passenger", False):  # Taxi's table leaves the change of destination out
        raise UserError(f"the table of {name} omits its fickle passenger: make it with fickle_passenger=False.")
    kinds = type(env).__mro__
    theirs = [place for place, kind in enumerate(kinds) if kind.__module__.startswith(TOY_TEXT)]
    _refuse_changed(kinds[: theirs[0] if theirs else 0], "the table P")
    space = env.observation_space
    if not isinstance(space, Discrete):
        raise UserError(f"the observation space of {name} must be Discrete to be its state, got {space}.")
    return Successors.of(env.P, env.initial_state_distrib, int(space.n))


def same_truth(one: Truth | Successors, other: Truth | Successors) -> bool:
    """Whether two truths are equal to the last bit."""
    if isinstance(one, Successors) or isinstance(other, Successors):
        return type(one) is type(other) and all(map(np.array_equal, one, other))
    flat = [[*each["A"], *each["B"], *each["D"], each["rewards"], each["ends"]] for each in (one, other)]
    alike = one.get("dependencies") == other.get("dependencies")
    return alike and len(flat[0]) == len(flat[1]) and all(map(np.array_equal, *flat))


def split_states(truth: Truth) -> NDArray[np.int64]:
    """The joint state that each state of the truth's `World` is, (states,).

    All of them in order, then once more those in which an episode may go on and may be over, as what they are then.
    """
    ends = truth["ends"].ravel()
    return np.append(np.arange(ends.size), np.flatnonzero((ends > 0) & ~always_over(truth)))


def always_over(truth: Truth) -> NDArray[np.bool_]:
    """Where an episode is over whenever it is there, (states,): entering ends it for certain, and none begins there."""
    return np.asarray((truth["ends"].ravel() > 1 - CERTAIN) & (joint_start(truth) == 0))
