"""Steps of a batch of Gymnasium environments, which mean the same whoever made them.

`next_obs` is always the true successor, and no episode begins before it is asked to.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from agentic.environments.answers import RESET, STEP, Fault, flag, flags, number, numbers, parts
from agentic.environments.leaf import finite
from agentic.environments.spaces import Arrays, Layout
from agentic.environments.transparent import rows_of, singles_of
from agentic.errors import described

Single = gymnasium.Env[Any, Any]


@dataclass(slots=True)
class Outcome:
    """The outcome of one step of every row. Arrays are (b, ...); rows with `valid` False did not really step.

    `ended` are the rows whose episode is over, `begins` those whose next decision is the first of an episode (the
    same, except that a NEXT_STEP environment begins a tick later); None stands for no row at all.
    """

    next_obs: Arrays
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    valid: np.ndarray
    ended: np.ndarray | None = None
    begins: np.ndarray | None = None

    def cut(self, late: np.ndarray) -> None:
        """Truncate the episodes in `late` (b,) that go on."""
        cut = late & self.valid & ~self.terminated
        if cut.any():
            self.truncated = self.truncated | cut
            self.ended = self.begins = self.terminated | self.truncated


def sentence(error: BaseException) -> str:
    """What the environment did, where it raised; what it returned, where a wrapper of Gymnasium could not take it."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    wrapper = str(frame.f_globals.get("__name__"))
    expected = {"step": STEP, "reset": RESET}.get(frame.f_code.co_name)
    if expected and wrapper.startswith("gymnasium.wrappers") and isinstance(error, TypeError | ValueError):
        return f"{frame.f_code.co_name} returned other than ({', '.join(expected)}), {described(error)}"
    return f"the environment raised {described(error)}"


class Singles:
    """Single environments stepped one after the other: as bare Gymnasium, and cheaper than a SyncVectorEnv."""

    def __init__(self, envs: Sequence[Single], observation: Layout, action: Layout) -> None:
        self.envs, self.observation, self.action = envs, observation, action
        self.layers: Sequence[Any] = envs
        self.everyone = np.ones(len(envs), bool)
        self.obs: Arrays = ()

    def reset(self, seeds: Sequence[int]) -> Arrays:
        """Begin the first episode of every row, each with its seed; the native observations."""
        self.obs = self.observation.empty(len(self.envs))
        for row, seed in enumerate(seeds):
            self._begin(row, seed)
        return self.obs

    def step(self, action: Arrays, active: np.ndarray | None) -> Outcome:
        """One step of the rows in `active` (b,), of all where that is None."""
        count, reward = len(self.envs), np.zeros(len(self.envs))
        self.obs = tuple([array.copy() for array in self.obs])  # rows that do not step stay as they are
        terminated, truncated = np.zeros(count, bool), np.zeros(count, bool)
        ended = None
        for row, env in enumerate(self.envs):
            if active is not None and not active[row]:
                continue
            try:
                answer = env.step(self.action.row(action, row))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise Fault(sentence(error), row) from error
            try:
                obs, gain, end, cut, _ = parts(answer, "step", STEP)
                reward[row], end, cut = number(gain), flag(end, "terminated"), flag(cut, "truncated")
                self.observation.store(self.obs, row, obs)
            except ValueError as error:
                raise Fault(str(error), row) from error
            if end or cut:
                terminated[row], truncated[row] = end, cut
                ended = terminated | truncated
        valid = self.everyone if active is None else active
        return Outcome(self.obs, reward, terminated, truncated, valid, ended, ended)

    def restart(self, begins: np.ndarray) -> Arrays:
        """Begin the next episode in the rows `begins` (b,); the native observations of every row."""
        self.obs = tuple(array.copy() for array in self.obs)
        for row in np.flatnonzero(begins):
            self._begin(int(row), None)
        return self.obs

    def _begin(self, row: int, seed: int | None) -> None:
        try:
            answer = self.envs[row].reset(seed=seed)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise Fault(sentence(error), row) from error
        try:
            obs, _ = parts(answer, "reset", RESET)
            self.observation.store(self.obs, row, obs)
        except ValueError as error:
            raise Fault(str(error), row) from error

    def close(self) -> None:
        """Release what the environments hold, in every row even where one breaks."""
        with ExitStack() as stack:
            for env in self.envs:
                stack.callback(env.close)


class Vector:
    """A vector environment that somebody else made, its way of beginning episodes translated."""

    def __init__(self, env: VectorEnv[Any, Any, Any], observation: Layout, action: Layout) -> None:
        self.env, self.observation, self.action = env, observation, action
        self.envs: Sequence[Single] = rows_of(env)
        self.layers: Sequence[Any] = [env, *singles_of(env.unwrapped)]
        self.mode = AutoresetMode(env.metadata["autoreset_mode"])
        self.everyone = np.ones(env.num_envs, bool)
        self.dummy = np.zeros(env.num_envs, bool)  # rows whose coming step is a reset in disguise
        self.after: Arrays = ()  # what the environment returned, where `next_obs` was put right

    def reset(self, seeds: Sequence[int]) -> Arrays:
        """Begin the first episode of every row, each with its seed; the native observations."""
        self.dummy = np.zeros(self.env.num_envs, bool)
        one_each = isinstance(self.env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
        answer = self.env.reset(seed=list(seeds) if one_each else seeds[0])  # type: ignore[arg-type]
        return self._batch(parts(answer, "reset", RESET)[0])

    def step(self, action: Arrays, active: np.ndarray | None) -> Outcome:
        """One step of every row; those not in `active` (b,) are stepped too, and are not valid."""
        answer = self.env.step(self.action.whole(action))
        obs, gain, terminated, truncated, info = parts(answer, "step", STEP)
        batch = self.env.num_envs
        gain = numbers(gain, batch)
        terminated, truncated = flags(terminated, batch, "terminated"), flags(truncated, batch, "truncated")
        next_obs = self.after = self._batch(obs)
        ended = np.logical_or(terminated, truncated)
        begins, valid = ended, ~self.dummy
        if self.mode is AutoresetMode.NEXT_STEP:
            begins, self.dummy = self.dummy, ended
        elif self.mode is AutoresetMode.SAME_STEP and ended.any():
            next_obs = self._final(next_obs, ended, info)
        if active is not None:
            valid = valid & active
        if not finite(gain):  # those of rows that did not step may be anything
            for row in np.flatnonzero(valid & ~np.isfinite(gain)):
                raise Fault(f"the reward is {gain[row]}", int(row))
        over, begins = ended & valid if ended.any() else None, begins if begins.any() else None
        return Outcome(next_obs, gain, terminated & valid, truncated & valid, valid, over, begins)

    def restart(self, begins: np.ndarray) -> Arrays:
        """The native observations of every row, once the episodes in `begins` (b,) have begun."""
        if self.mode is AutoresetMode.DISABLED:
            answer = self.env.reset(options={"reset_mask": begins.copy()})
            self.after = self._batch(parts(answer, "reset", RESET)[0])
        return self.after

    def _final(self, obs: Arrays, ended: np.ndarray, info: Mapping[str, Any]) -> Arrays:
        if "final_obs" not in info:
            raise RuntimeError("an episode ended without info['final_obs'], which autoreset mode SAME_STEP promises")
        true = tuple(array.copy() for array in obs)
        for row in np.flatnonzero(ended):
            try:
                self.observation.store(true, int(row), info["final_obs"][row], "the final observation")
            except ValueError as error:
                raise Fault(str(error), int(row)) from error
        return true

    def _batch(self, obs: Any) -> Arrays:
        try:
            return self.observation.batch(obs, self.env.num_envs)
        except ValueError as error:
            raise Fault(f"the observation {error}") from error

    def close(self) -> None:
        """Release what the environment holds."""
        self.env.close()


Rows = Singles | Vector
"""A batch of environments to step; `envs` are the single ones, where they can be had, `layers` all outermost ones.

`everyone` (b,) is all true, and the `valid` of most steps. `observation` and `action` say how arrays lie.
"""
