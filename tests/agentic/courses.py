"""A random finite world and the value of a plan there by brute force: a sum over all courses of events."""

from collections.abc import Callable
from itertools import product

import numpy as np

STATES, ACTIONS, HORIZON = 3, 2, 3
Information = Callable[[np.ndarray, int], float]
"""What is credited to step t + 1, given p(states 0..t+1, outcomes 1..t+1 | alive)."""


class Courses:
    """Arrays of a random world of three states, two outcomes and two actions, with every cost there is."""

    def __init__(self, seed: int, *, mortal: bool = True) -> None:
        draws = np.random.default_rng(seed)
        self.A, self.B = columns(draws, 2, STATES), columns(draws, STATES, STATES, ACTIONS)
        self.D, self.E = columns(draws, STATES), columns(draws, ACTIONS)
        self.ends = draws.uniform(0, 0.8, STATES) if mortal else np.zeros(STATES)
        self.costs, self.last, self.effort = draws.normal(size=2), draws.normal(size=2), draws.uniform(0.1, 1, ACTIONS)
        self.after, self.last_after, self.discount = draws.normal(), draws.normal(), 0.8

    def plans(self) -> list[tuple[int, ...]]:
        return list(product(range(ACTIONS), repeat=HORIZON))

    def courses(self, plan: tuple[int, ...], steps: int) -> np.ndarray:
        """p(z_0, .., z_t, o_1, .., o_t, alive until the step `steps`), states first."""
        joint = self.D
        for t in range(steps):
            joint = np.einsum("...i,ji->...ij", joint * (1 - self.ends if t else 1), self.B[:, :, plan[t]])
        for t in range(steps):
            axes = list(range(joint.ndim))
            state, fresh = t + 1, joint.ndim
            joint = np.einsum(joint, axes, self.A, [fresh, state], [*axes, fresh])
        return joint

    def value(self, plan: tuple[int, ...], information: Information) -> float:
        total = 0.0
        for t in range(HORIZON):
            course = self.courses(plan, t + 1)
            alive = course.sum()
            seen = course.sum(tuple(range(course.ndim - 1)))
            step = seen @ self.costs + alive * self.effort[plan[t]] + (1 - alive) * self.after
            total += self.discount**t * (step - alive * information(course / alive, t))
        before = self.courses(plan, HORIZON)
        survives = before.sum(tuple(i for i in range(before.ndim) if i != HORIZON)) * (1 - self.ends)
        end = survives @ (self.last @ self.A) + (1 - survives.sum()) * self.last_after
        return float(total + self.discount**HORIZON * end)


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    """Probabilities along the first axis."""
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def shared(joint: np.ndarray, one: list[int], other: list[int]) -> float:
    """Mutual information in nats of two groups of axes."""

    def entropy(axes: list[int]) -> float:
        kept = joint.sum(tuple(i for i in range(joint.ndim) if i not in axes)).ravel()
        kept = kept[kept > 0]
        return float(-(kept * np.log(kept)).sum())

    return entropy(one) + entropy(other) - entropy([*one, *other])
