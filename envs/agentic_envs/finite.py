"""Worlds simulated from their own arrays, so that what is told of them is what happens."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray

from agentic import Truth
from agentic.environments import Dependencies, spread
from agentic_envs import drawing
from agentic_envs.checks import checked_render_mode, checked_steps

Floats = NDArray[np.float64]
Lists = Sequence[Sequence[int]]


class Arrays(NamedTuple):
    """Likelihoods, transitions, starts and what depends on what; see `Truth`.

    `ends` (values of the first factor,): probability that entering one ends the episode; None where none does.
    """

    A: list[Floats]
    B: list[Floats]
    D: list[Floats]
    dependencies: Mapping[str, Lists]
    ends: Floats | None = None


class FiniteWorld(gymnasium.Env[Any, Any], ABC):
    """A world of discrete factors, drawn step by step from the arrays of its `true_model`.

    A class says what its arrays are. The levels of the modality `outcome` pay `values`. `numbers` are attributes that
    a wrapper may change: where one is another at a reset, the arrays are made anew.

    Hidden state: `state`, one value per factor. All factors move at once, from their values before the step.
    Observations: Discrete for one modality, else MultiDiscrete. Actions: Discrete for one control, else MultiDiscrete.
    Terminated where the arrays say so, truncated after `steps` actions. `render_mode` is "rgb_array", "ansi" or None.
    """

    metadata = drawing.RENDERING
    numbers: ClassVar[tuple[str, ...]] = ()
    outcome: ClassVar[int] = -1
    values: ClassVar[tuple[float, ...]] = ()

    def __init__(self, steps: int, render_mode: str | None) -> None:
        self.steps = checked_steps(steps)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self._make()
        levels, controls = [len(array) for array in self._arrays.A], list(self._form.controls)
        self.observation_space = Discrete(levels[0]) if len(levels) == 1 else MultiDiscrete(levels)
        self.action_space = Discrete(controls[0]) if len(controls) == 1 else MultiDiscrete(controls)
        self.state: tuple[int, ...] = tuple(int(start.argmax()) for start in self._arrays.D)
        self.levels: tuple[int, ...] = (0,) * len(levels)
        self.time = 0

    @abstractmethod
    def arrays(self) -> Arrays:
        """The arrays of the world as its numbers are now. Raises ValueError for numbers that make none."""

    def _make(self) -> None:
        self._held, self._arrays = self._read(), self.arrays()
        A, B, D, given, _ = self._arrays
        self._form = Dependencies.read(A, B, D, given)
        self._sums = [[_cumulative(array) for array in arrays] for arrays in (A, B, D)]

    def _read(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.numbers)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        checked_steps(self.steps)
        if self._read() != self._held:
            self._make()
        self.state, self.time = tuple(self._drawn(start) for start in self._sums[2]), 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"action must be an element of {self.action_space}, got {action!r}: pass one of these.")
        choices, before = tuple(np.ravel(action).tolist()), self.state
        moved = []
        for sums, past, controls in zip(self._sums[1], self._form.B, self._form.B_actions, strict=True):
            moved.append(self._drawn(sums, *(before[f] for f in past), *(choices[u] for u in controls)))
        self.state, self.time = tuple(moved), self.time + 1
        observation, terminated = self._observe(), self._ended()
        reward = self._reward(before, choices)
        return observation, reward, terminated, not terminated and self.time >= self.steps, {}

    def _observe(self) -> Any:
        pairs = zip(self._sums[0], self._form.A, strict=True)
        self.levels = tuple(self._drawn(sums, *(self.state[f] for f in parents)) for sums, parents in pairs)
        if isinstance(self.observation_space, Discrete):
            return np.int64(self.levels[0])
        return np.array(self.levels, dtype=np.int64)

    def _drawn(self, sums: Floats, *parents: int) -> int:
        """A level, from the cumulated probabilities of an array in the column of `parents`."""
        column: tuple[Any, ...] = (slice(None), *parents)
        cumulative = sums[column]
        if cumulative[0] == 1:  # certain to be the first: nothing to draw
            return 0
        return int(np.searchsorted(cumulative, self.np_random.random(), side="right"))

    def _reward(self, before: tuple[int, ...], choices: tuple[int, ...]) -> float:
        """What the step from `before` paid: the value of the level that is seen."""
        return float(self.values[self.levels[self.outcome]])

    def _ended(self) -> bool:
        """Whether the state that was entered ends the episode."""
        ends = self._arrays.ends
        return ends is not None and self._happens(float(ends[self.state[0]]))

    def _happens(self, chance: float) -> bool:
        return chance == 1 or (chance > 0 and bool(self.np_random.random() < chance))

    def world_state(self) -> tuple[int, ...]:
        """The value of each factor."""
        return self.state

    def true_model(self) -> Truth:
        """The world as arrays, with its lists of what depends on what."""
        arrays = self.arrays()
        form = Dependencies.read(arrays.A, arrays.B, arrays.D, arrays.dependencies)
        ends = np.zeros((1, form.factors[0])) if arrays.ends is None else arrays.ends[None]
        ends = spread(ends, (0,), form.factors)[0].copy()
        return {
            "A": arrays.A,
            "B": arrays.B,
            "D": arrays.D,
            "rewards": self._expected_rewards(arrays, form) * (1 - ends)[..., None],
            "ends": ends,
            "dependencies": {"A": form.A, "B": form.B, "B_actions": form.B_actions},
        }

    def _expected_rewards(self, arrays: Arrays, form: Dependencies) -> Floats:
        """The expected value of what is seen after an action, (*factors, joint actions)."""
        count = len(form.factors)
        sizes = (*form.factors, *form.controls)
        parents = form.A[self.outcome]
        paid = np.tensordot(np.array(self.values), arrays.A[self.outcome], 1)
        operands: list[Any] = [paid, [len(sizes) + f for f in parents]]
        for f in parents:
            operands += [arrays.B[f], [len(sizes) + f, *form.parents_of_B(f)]]
        needed = sorted({i for f in parents for i in form.parents_of_B(f)})
        value = np.einsum(*operands, needed)
        whole = spread(value[None], needed, sizes)[0]
        joint: Floats = whole.reshape(*form.factors, prod(sizes[count:])).copy()
        return joint

    def render(self) -> Any:
        """The hidden state; what an environment draws shows what its agent does not see."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _text(self) -> str:
        return f"state {' '.join(map(str, self.state))} | seen {' '.join(map(str, self.levels))}\n"

    def _picture(self) -> drawing.Image:
        """A row of tiles per factor, with a disc on the value it has."""
        sizes = self._form.factors
        colors = np.full((len(sizes), max(sizes), 3), drawing.WALL, dtype=np.uint8)
        for row, size in enumerate(sizes):
            colors[row, :size] = drawing.FLOOR
        picture = drawing.tiled(colors)
        for row, value in enumerate(self.state):
            picture = drawing.with_disc(picture, row, value, drawing.AGENT)
        return picture


def _cumulative(columns: Floats) -> Floats:
    """Sums along the first axis, ending in exactly 1 from the last level that has any probability."""
    sums = np.cumsum(columns, axis=0)
    ended: Floats = np.where(sums > 1 - 1e-9, 1.0, sums)
    return ended
