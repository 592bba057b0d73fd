"""Gymnasium on one side, (batch, ...) tensors on the other: nothing else in the toolkit knows Gymnasium.

Single environments, lists of them and vector environments of every autoreset mode become one thing, an
`Environment`, whose steps always mean the same: `next_obs` is the true successor, and an episode begins by `restart`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Any, Protocol

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from torch import Tensor

from agentic.domain import Domain
from agentic.errors import RunError, UserError
from agentic.layout import Arrays, Layout, layout
from agentic.truth import Truth, truth_of

Single = gymnasium.Env[Any, Any]
ROOMS = 64  # steps for which single environments allocate at once


@dataclass(slots=True)
class Step:
    """What one step of every row gave. Arrays are (b, ...); rows with `valid` False did not really step.

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


class _Rows(Protocol):
    """How a batch of environments is stepped; `envs` are the single ones, where they can be had.

    `everyone` (b,) is all true, and the `valid` of most steps.
    """

    envs: Sequence[Single]
    everyone: np.ndarray

    def reset(self, seeds: Sequence[int]) -> Arrays: ...
    def step(self, action: Arrays, active: np.ndarray | None) -> Step: ...
    def restart(self, begins: np.ndarray) -> Arrays: ...
    def close(self) -> None: ...


class Environment:
    """A batch of equal environments.

    `observation` and `action` are the domains an agent sees, `observation_layout` and `action_layout` say how native
    arrays lie in them. `episode` and `t` (b,) int64 count from 0 within each row. A row's generator is seeded at
    `reset` and goes on through every `restart`.

    Every failure of the environment is a RunError of one sentence naming environment, row, episode and step.
    """

    def __init__(self, id: str, batch: int, rows: _Rows, observation: Layout, action: Layout) -> None:
        self.id, self.batch = id, batch
        self.observation_layout, self.action_layout = observation, action
        self._rows = rows
        self._step: Step | None = None
        self.episode = self.t = np.zeros(batch, np.int64)
        self._ones = np.ones(batch, np.int64)

    @property
    def observation(self) -> Domain:
        return self.observation_layout.domain

    @property
    def action(self) -> Domain:
        return self.action_layout.domain

    def reset(self, seeds: Sequence[int]) -> Arrays:
        """Begin episode 0 in every row, each with its own seed. Returns the native observations.

        A vector environment that has one generator for all rows (any but Gymnasium's Sync and Async) takes the first.
        """
        self.episode = self.t = np.zeros(self.batch, np.int64)
        self._step = None
        return self._checked(self._guarded(self._rows.reset, seeds))

    def step(self, action: Arrays, active: np.ndarray | None = None) -> Step:
        """One step of every row in which `active` (b,) is true; the others stay where they are, `valid` False."""
        self._count()
        step: Step = self._guarded(self._rows.step, action, active)
        self._step = step
        if not self.observation_layout.fits(step.next_obs):
            self._checked(step.next_obs)
        return step

    def restart(self, begins: np.ndarray) -> Arrays:
        """Begin the next episode in the rows (b,) that the last step said begin one, or in some of them.

        Returns the native observations that every row's next decision sees.
        """
        self._count()
        return self._checked(self._guarded(self._rows.restart, begins))

    def encode(self, obs: Arrays, dtype: torch.dtype = torch.float32) -> Tensor:
        """Native observations as the agent's tensor (b, *event)."""
        return self.observation_layout.encode(obs, dtype)

    def decode(self, action: Tensor) -> Arrays:
        """The agent's actions (b, *event) in native form. Raises RunError for what the action space does not have.

        Nothing is clipped but the rounding of a cast: projection happens once, where an agent selects its action.
        """
        return self.action_layout.decode(action, self.batch)

    def truth(self) -> Truth:
        """The world as arrays, where it is known (see `truth_of`). Raises UserError where it is not."""
        return truth_of(self._rows.envs[0])

    def close(self) -> None:
        self._rows.close()

    def _count(self) -> None:
        """Let the last step's rows move on."""
        step, self._step = self._step, None
        if step is None:
            return
        self.t = self.t + (self._ones if step.valid is self._rows.everyone else step.valid)
        if step.ended is not None:
            self.t = np.where(step.ended, 0, self.t)
            self.episode = self.episode + step.ended

    def _checked(self, obs: Arrays) -> Arrays:
        if not self.observation_layout.fits(obs):
            row, why = self.observation_layout.misfit(obs)
            raise RunError(f"{self._place(row)}: the observation {why}")
        return obs

    def _guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except _Fault as fault:
            raise RunError(f"{self._place(fault.row)}: {fault}") from fault.__cause__
        except Exception as error:
            raise RunError(f"{self._place(None)}: {_sentence(error)}") from error

    def _place(self, row: int | None) -> str:
        where = 0 if row is None else row
        place = f"episode {self.episode[where]}, step {self.t[where]}"
        return f"{self.id}, {place}" if row is None else f"{self.id}, row {row}, {place}"


class _Fault(Exception):
    """A failure in one row; its cause is the environment's own exception, if there was one."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"the environment raised {type(error).__name__}" + (f": {said}" if said else "")


class _Singles:
    """Single environments stepped one after the other: as bare Gymnasium, and cheaper than a SyncVectorEnv."""

    def __init__(self, envs: Sequence[Single], observation: Layout, action: Layout) -> None:
        self.envs, self.observation, self.action = envs, observation, action
        self.everyone = np.ones(len(envs), bool)
        self.rooms: list[tuple[Arrays, np.ndarray, np.ndarray, np.ndarray]] = []
        self.obs: Arrays = ()

    def reset(self, seeds: Sequence[int]) -> Arrays:
        self.obs = self._room()[0]
        for row, seed in enumerate(seeds):
            self._begin(row, seed)
        return self.obs

    def step(self, action: Arrays, active: np.ndarray | None) -> Step:
        before = self.obs
        self.obs, reward, terminated, truncated = self._room()
        ended = None
        for row, env in enumerate(self.envs):
            if active is not None and not active[row]:
                for new, old in zip(self.obs, before, strict=True):
                    new[row] = old[row]
                continue
            try:
                obs, gain, end, cut, _ = env.step(self.action.row(action, row))
                reward[row] = gain
            except Exception as error:
                raise _Fault(row, _sentence(error)) from error
            if not isfinite(gain):
                raise _Fault(row, f"the reward is {gain}")
            self._store(row, obs)
            if end or cut:
                terminated[row], truncated[row] = end, cut
                ended = terminated | truncated
        return Step(self.obs, reward, terminated, truncated, self.everyone if active is None else active, ended, ended)

    def _room(self) -> tuple[Arrays, np.ndarray, np.ndarray, np.ndarray]:
        """Fresh zeros for one step, allocated in blocks, which is cheaper."""
        if not self.rooms:
            shape = (ROOMS, len(self.envs))
            arrays = self.observation.rooms(*shape)
            self.rooms = list(zip(arrays, np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool), strict=True))
        return self.rooms.pop()

    def restart(self, begins: np.ndarray) -> Arrays:
        self.obs = tuple(array.copy() for array in self.obs)
        for row in np.flatnonzero(begins):
            self._begin(int(row), None)
        return self.obs

    def _begin(self, row: int, seed: int | None) -> None:
        try:
            obs, _ = self.envs[row].reset(seed=seed)
        except Exception as error:
            raise _Fault(row, _sentence(error)) from error
        self._store(row, obs)

    def _store(self, row: int, obs: Any) -> None:
        try:
            self.observation.store(self.obs, row, obs)
        except (ValueError, TypeError, LookupError) as error:
            raise _Fault(row, f"the observation {error}") from error

    def close(self) -> None:
        for env in self.envs:
            env.close()


class _Vector:
    """A vector environment that somebody else made, its way of beginning episodes translated."""

    def __init__(self, env: VectorEnv[Any, Any, Any], observation: Layout, action: Layout) -> None:
        self.env, self.observation, self.action = env, observation, action
        self.envs: Sequence[Single] = getattr(env.unwrapped, "envs", [env])
        self.mode = AutoresetMode(env.metadata["autoreset_mode"])
        self.everyone = np.ones(env.num_envs, bool)
        self.dummy = np.zeros(env.num_envs, bool)  # rows whose coming step is a reset in disguise
        self.after: Arrays = ()  # what the environment returned, where `next_obs` was put right

    def reset(self, seeds: Sequence[int]) -> Arrays:
        self.dummy = np.zeros(self.env.num_envs, bool)
        one_each = isinstance(self.env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
        obs, _ = self.env.reset(seed=list(seeds) if one_each else seeds[0])  # type: ignore[arg-type]
        return self._batch(obs)

    def step(self, action: Arrays, active: np.ndarray | None) -> Step:
        obs, reward, terminated, truncated, info = self.env.step(self.action.whole(action))
        next_obs = self.after = self._batch(obs)
        ended = np.logical_or(terminated, truncated)
        begins, valid = ended, ~self.dummy
        if self.mode is AutoresetMode.NEXT_STEP:
            begins, self.dummy = self.dummy, ended
        elif self.mode is AutoresetMode.SAME_STEP and ended.any():
            next_obs = self._final(next_obs, ended, info)
        if active is not None:
            valid = valid & active
        gain = np.array(reward, np.float64)
        for row in np.flatnonzero(valid & ~np.isfinite(gain)):
            raise _Fault(int(row), f"the reward is {gain[row]}")
        return Step(
            next_obs,
            gain,
            np.array(terminated, bool) & valid,
            np.array(truncated, bool) & valid,
            valid,
            ended & valid if ended.any() else None,
            begins if begins.any() else None,
        )

    def restart(self, begins: np.ndarray) -> Arrays:
        if self.mode is AutoresetMode.DISABLED:
            obs, _ = self.env.reset(options={"reset_mask": begins})
            self.after = self._batch(obs)
        return self.after

    def _final(self, obs: Arrays, ended: np.ndarray, info: Mapping[str, Any]) -> Arrays:
        if "final_obs" not in info:
            raise RuntimeError("an episode ended without info['final_obs'], which autoreset mode SAME_STEP promises")
        true = tuple(array.copy() for array in obs)
        for row in np.flatnonzero(ended):
            self.observation.store(true, int(row), info["final_obs"][row])
        return true

    def _batch(self, obs: Any) -> Arrays:
        return self.observation.batch(obs, self.env.num_envs)

    def close(self) -> None:
        self.env.close()


def make(
    id: Any,
    *,
    envs: int = 1,
    kwargs: Mapping[str, Any] | None = None,
    changes: Sequence[Callable[[Single], Single]] = (),
) -> Environment:
    """An Environment from a Gymnasium id (`CartPole-v1`, `package:Env-v0`) or from what somebody made already.

    `id` may also be an environment, a list of them, a vector environment, a function that makes one environment, or
    an Environment, returned as it is. `changes` are wrappers, applied in order to each single environment.

    Raises UserError for an unknown id (with near matches), wrong arguments and spaces that cannot be encoded.
    """
    if isinstance(id, Environment):
        return id
    if envs < 1:
        raise UserError(f"envs must be at least 1, got {envs}")
    if isinstance(id, VectorEnv):
        return _from_vector(id, changes)
    if isinstance(id, gymnasium.Env):
        singles = [id]
    elif isinstance(id, list | tuple) and id:
        singles = list(id)
    elif not (isinstance(id, str) or callable(id)):
        raise UserError(f"expected an id, an environment, a list of them or a function that makes one, got {id!r}")
    else:
        singles = [_make_one(id, kwargs or {}) for _ in range(envs)]
    if envs not in (1, len(singles)):
        raise UserError(f"envs = {envs}, but {len(singles)} made environments were given: give an id or a function")
    for change in changes:
        singles = [change(env) for env in singles]
    name = _name(singles[0])
    if any(_spaces(env) != _spaces(singles[0]) for env in singles):
        raise UserError(f"a batch needs environments of equal spaces, got {[str(_spaces(env)) for env in singles]}")
    observation = layout(singles[0].observation_space, f"the observation space of {name}")
    action = layout(singles[0].action_space, f"the action space of {name}")
    return Environment(name, len(singles), _Singles(singles, observation, action), observation, action)


def _from_vector(env: VectorEnv[Any, Any, Any], changes: Sequence[Any]) -> Environment:
    name = _name(env)
    if changes:
        raise UserError(f"changes apply to single environments, and {name} is a vector environment: give its id")
    if "autoreset_mode" not in (env.metadata or {}):
        raise UserError(f'{name} does not say how it resets: set metadata["autoreset_mode"] to an AutoresetMode')
    observation = layout(env.single_observation_space, f"the observation space of {name}")
    action = layout(env.single_action_space, f"the action space of {name}")
    return Environment(name, env.num_envs, _Vector(env, observation, action), observation, action)


def _spaces(env: Single) -> tuple[Any, Any]:
    return env.observation_space, env.action_space


def _name(env: Any) -> str:
    return env.spec.id if getattr(env, "spec", None) is not None else type(env.unwrapped).__name__


def _make_one(id: str | Callable[..., Single], kwargs: Mapping[str, Any]) -> Single:
    try:
        return gymnasium.make(id, **kwargs) if isinstance(id, str) else id(**kwargs)
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv) as error:
        raise UserError(_unknown(str(id))) from error
    except ModuleNotFoundError as error:
        module = error.name or str(id).split(":")[0]
        raise UserError(f"environment {id!r} needs the module {module!r}, which is not installed") from error
    except gymnasium.error.DependencyNotInstalled as error:
        raise UserError(f"environment {id!r} cannot be made: {error}") from error
    except (TypeError, ValueError, gymnasium.error.Error) as error:
        raise UserError(f"environment {id!r} cannot be made with {dict(kwargs)}: {error}") from error


def _unknown(id: str) -> str:
    packages = sorted({str(spec.entry_point).split(".")[0].split(":")[0] for spec in gymnasium.registry.values()})
    near = get_close_matches(id.split(":")[-1], gymnasium.registry, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `agentic envs`."
    return (
        f"unknown environment {id!r}; {hint} Environments come from {', '.join(packages)}; others as 'package:Name-v0'"
    )
