"""20 shapes of 15 random discrete models each: up to three factors, with and without interaction, and their goals."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from agentic_energies.goals import LogPreferences, LogPreferencesOverTime

MODELS = 15
SHARP = 0.3  # the smaller, the nearer to certain are tables, and the more factors depend on each other once seen


@dataclass(frozen=True)
class Shape:
    """The sizes and dependency lists that 15 random models share."""

    factors: tuple[int, ...]
    outcomes: tuple[int, ...]
    controls: tuple[int, ...]
    horizon: int
    A: tuple[tuple[int, ...], ...]
    B: tuple[tuple[int, ...], ...]
    moved: tuple[tuple[int, ...], ...]

    @property
    def exact(self) -> bool:
        """Whether factors stay independent: each modality is about one, and each moves by itself."""
        return all(len(own) == 1 for own in (*self.A, *self.B))


# factors, outcomes, controls, horizon, A, B, controls of each factor
ONE = [
    Shape((2,), (3,), (2,), 1, ((0,),), ((0,),), ((0,),)),
    Shape((3,), (2, 2), (3,), 2, ((0,), (0,)), ((0,),), ((0,),)),
    Shape((4,), (3, 2, 2), (2,), 4, ((0,), (0,), (0,)), ((0,),), ((0,),)),
    Shape((3,), (3,), (2, 2), 3, ((0,),), ((0,),), ((0, 1),)),
    Shape((5,), (4, 3), (5,), 4, ((0,), (0,)), ((0,),), ((0,),)),
]
APART = [
    Shape((2, 3), (2, 3), (2, 2), 1, ((0,), (1,)), ((0,), (1,)), ((0,), (1,))),
    Shape((3, 2), (2, 3, 2), (3,), 3, ((0,), (1,), (1,)), ((0,), (1,)), ((0,), (0,))),
    Shape((2, 2, 3), (2, 2, 3), (2, 3), 2, ((0,), (1,), (2,)), ((0,), (1,), (2,)), ((0,), (), (0, 1))),
    Shape((3, 3), (4,), (2, 2), 4, ((1,),), ((0,), (1,)), ((0,), (1,))),
]
TOGETHER = [
    Shape((2, 3), (3,), (2,), 2, ((0, 1),), ((0,), (1,)), ((0,), (0,))),
    Shape((3, 2), (2, 3), (2, 3), 3, ((0, 1), (1,)), ((0,), (1,)), ((0,), (1,))),
    Shape((2, 2, 2), (2, 3, 2), (2,), 4, ((0, 2), (1,), (2, 0)), ((0,), (1,), (2,)), ((0,), (0,), ())),
    Shape((3, 3), (3, 3), (4,), 1, ((0, 1), (0, 1)), ((0,), (1,)), ((0,), ())),
    Shape((2, 3, 2), (4,), (2, 2), 2, ((0, 1, 2),), ((0,), (1,), (2,)), ((0,), (1,), (1,))),
    Shape((4, 2), (5, 3), (3,), 4, ((0,), (0, 1)), ((0,), (1,)), ((0,), ())),
]
ACTING = [
    Shape((2, 3), (2, 3), (2,), 3, ((0,), (1,)), ((0,), (1, 0)), ((0,), (0,))),
    Shape((3, 2), (3,), (2, 2), 2, ((0, 1),), ((0, 1), (1,)), ((0,), (1,))),
    Shape((2, 2, 3), (2, 2, 2), (3,), 4, ((0,), (0, 1), (2,)), ((0,), (1, 2), (0, 2)), ((0,), (), (0,))),
    Shape((2, 3, 2), (3, 2), (2, 2), 3, ((0, 1), (2,)), ((0, 1, 2), (1,), (2, 1)), ((0, 1), (1,), ())),
    Shape((3, 3), (2, 2, 2), (3, 2), 1, ((0,), (1,), (0, 1)), ((1, 0), (0, 1)), ((0,), (1,))),
]
SHAPES = [*ONE, *APART, *TOGETHER, *ACTING]


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    """Random probabilities along the first axis of each of 15 models."""
    return np.moveaxis(draws.dirichlet(np.full(shape[0], SHARP), (MODELS, *shape[1:])), -1, 1)


@dataclass(frozen=True)
class Drawn:
    """15 random models of a shape as arrays with a leading axis, what each sees, its habits and its precision."""

    shape: Shape
    arrays: dict[str, list[np.ndarray]]
    E: np.ndarray
    gamma: np.ndarray
    seen: np.ndarray

    def given(self, row: int) -> dict[str, Any]:
        """What a pymdp Agent of one of the models is given, without its plans and preferences."""
        lists: dict[str, Any] = {"A_dependencies": self.shape.A, "B_dependencies": self.shape.B}
        lists |= {"B_action_dependencies": self.shape.moved, "num_controls": self.shape.controls}
        return {name: [a[row] for a in self.arrays[name]] for name in "ABD"} | lists

    def goal(self, row: int) -> LogPreferences | LogPreferencesOverTime:
        """What one of them wants."""
        return LogPreferences.from_pymdp([c[row] for c in self.arrays["C"]])


@cache
def drawn(shape: Shape) -> Drawn:
    """Its random models."""
    draws = np.random.default_rng(SHAPES.index(shape))
    sizes = shape.factors
    arrays = {
        "A": [columns(draws, n, *(sizes[f] for f in own)) for n, own in zip(shape.outcomes, shape.A, strict=True)],
        "B": [
            columns(draws, n, *(sizes[i] for i in own), *(shape.controls[u] for u in moved))
            for n, own, moved in zip(sizes, shape.B, shape.moved, strict=True)
        ],
        "C": [2 * draws.normal(size=(MODELS, n)) for n in shape.outcomes],
        "D": [columns(draws, n) for n in sizes],
    }
    count = int(np.prod(shape.controls)) ** shape.horizon
    assert count <= 1000
    E, gamma = draws.dirichlet(np.ones(count), MODELS), draws.uniform(0.5, 4, MODELS)
    return Drawn(shape, arrays, E, gamma, np.stack([draws.integers(n, size=MODELS) for n in shape.outcomes], -1))
