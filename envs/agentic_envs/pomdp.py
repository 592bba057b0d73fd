"""A world made from arrays: what a discrete model is made from is a world to live in as well."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import prod
from typing import Any, final

import numpy as np

from agentic import Truth
from agentic.environments import Dependencies, check_truth, spread
from agentic_envs.finite import Arrays, FiniteWorld, Floats

TWO_PLACES: dict[str, Any] = {  # staying and going, each fails once in ten; places are told apart eight times in ten
    "A": [[[0.8, 0.2], [0.2, 0.8]]],
    "B": [[[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]],
    "D": [[1.0, 0.0]],
}


@final
class Pomdp(FiniteWorld):
    """A world of the arrays `A`, `B` and `D`, as lists or arrays; without any, two places to stay in or to leave.

    `A`: one array (levels, *factors) per modality. `B`: one (next, previous, actions) per factor. `D`: one (states,)
        per factor.
    `dependencies`: the lists "A", "B" and "B_actions" of `Truth`, for modalities that see some factors only, factors
        that move each other, and several controls.
    `rewards`: (*factors, *controls), what an action pays in a state; zero where left out.
    `ends`: (*factors), probability that entering a state ends the episode; zero where left out. Over fewer factors
        where `dependencies` lists them as "ends".

    Hidden state, observations and actions are those of `FiniteWorld`; rewards are the expected ones of state and
    action. Truncated after `steps` actions. Raises UserError that names the array where something does not fit.
    """

    def __init__(
        self,
        A: Sequence[Any] | None = None,
        B: Sequence[Any] | None = None,
        D: Sequence[Any] | None = None,
        rewards: Any = None,
        ends: Any = None,
        dependencies: Mapping[str, Any] | None = None,
        steps: int = 100,
        render_mode: str | None = None,
    ) -> None:
        given = {"A": A, "B": B, "D": D}
        if all(part is None for part in given.values()):
            given = TWO_PLACES
        likelihoods, moves, starts = (_read(name, part) for name, part in given.items())
        if dependencies is not None and not isinstance(dependencies, Mapping):
            raise ValueError(f'dependencies must be lists by name, {{"A": [[0]]}}, got {type(dependencies).__name__}.')
        lists = {name: each for name, each in (dependencies or {}).items() if name != "ends"}
        self._given = Arrays(likelihoods, moves, starts, lists)
        form = Dependencies.read(likelihoods, moves, starts, lists)
        if ends is not None and dependencies and "ends" in dependencies:
            ends = _over_all(ends, dependencies["ends"], form.factors)
        paid = _whole("rewards", rewards, (*form.factors, prod(form.controls)), (*form.factors, *form.controls))
        self._truth = check_truth(
            {
                "A": likelihoods,
                "B": moves,
                "D": starts,
                "rewards": paid,
                "ends": _whole("ends", ends, form.factors),
                "dependencies": {"A": form.A, "B": form.B, "B_actions": form.B_actions},
            }
        )
        self._paid = paid.reshape(*form.factors, *form.controls)
        super().__init__(steps, render_mode)

    def arrays(self) -> Arrays:
        return self._given

    def true_model(self) -> Truth:
        """The arrays that the world is made from."""
        return deepcopy(self._truth)

    def _reward(self, before: tuple[int, ...], choices: tuple[int, ...]) -> float:
        return float(self._paid[*before, *choices])

    def _ended(self) -> bool:
        return self._happens(float(self._truth["ends"][self.state]))


def _read(name: str, arrays: Any) -> list[Floats]:
    if not isinstance(arrays, Sequence) or isinstance(arrays, str) or not len(arrays):
        raise ValueError(f"{name} must be a list of arrays, one per modality or factor, got {_kind(arrays)}.")
    read = [_normalized(_floats(f"{name}[{i}]", array)) for i, array in enumerate(arrays)]
    for i, array in enumerate(read):
        if not array.ndim or not array.size:
            raise ValueError(
                f"{name}[{i}] must be an array that holds numbers along every axis, got shape {array.shape}."
            )
    return read


def _kind(arrays: Any) -> str:
    return "an empty one" if isinstance(arrays, Sequence) and not len(arrays) else type(arrays).__name__


def _normalized(array: Floats) -> Floats:
    """Columns that sum to 1 but for the rounding of 32 bits, divided by their sums."""
    rounded = array.ndim > 0 and 1e-9 < np.abs(array.sum(0) - 1).max(initial=0.0) < 1e-6
    return array / array.sum(0) if rounded else array


def _floats(name: str, array: Any) -> Floats:
    try:
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a rectangular array of numbers ({error}).") from None


def _over_all(ends: Any, listed: Any, factors: tuple[int, ...]) -> Floats:
    """`ends` over the factors that are `listed` as an array over all factors."""
    parents: tuple[int, ...] = tuple(listed) if isinstance(listed, Sequence | np.ndarray) else (-1,)
    if len(set(parents)) < len(parents) or any(f not in range(len(factors)) for f in parents):
        raise ValueError(f"dependencies.ends must be different indices below {len(factors)}, got {listed!r}.")
    whole: Floats = spread(_whole("ends", ends, tuple(factors[f] for f in parents))[None], parents, factors)[0]
    return whole


def _whole(name: str, array: Any, shape: tuple[int, ...], *others: tuple[int, ...]) -> Floats:
    """An array of this shape, from one of it or of others of its size; zeros where there is none."""
    read = np.zeros(shape) if array is None else _floats(name, array)
    if read.shape not in (shape, *others):
        raise ValueError(f"{name} must have shape {shape} to agree with A, B and D, got {read.shape}: reshape it.")
    return read.reshape(shape)
