"""Batches of Gymnasium environments, whose observations and actions are tensors (batch, ...).

Single environments, lists of them and vector environments of every autoreset mode become one thing, an
`Environment`, whose steps always mean the same: `next_obs` is the true successor, and an episode begins by `restart`.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from agentic.environments.answers import Fault
from agentic.environments.ids import bring, unknown
from agentic.environments.pomdp import Truth, as_arrays, known_world, plain, same_truth
from agentic.environments.spaces import Arrays, Layout, layout, shortened, without_text
from agentic.environments.states import State, states
from agentic.environments.statistics import frozen, layers, moving
from agentic.environments.stepping import Outcome, Rows, Single, Singles, Vector, sentence
from agentic.environments.successors import Successors
from agentic.errors import BREAKS, CloseWarning, RunError, ThirdPartyWarning, UserError, described, listed, said
from agentic.showing import Shown


class Environment(Shown):
    """A batch of equal environments.

    `observation` and `action` are the domains an agent sees, `observation_layout` and `action_layout` say how native
    arrays lie in them. `episode` and `t` (b,) int64 count from 0 within each row. A row's generator is seeded at
    `reset` and goes on through every `restart`.

    Every failure of the environment is a RunError of one sentence naming environment, row, episode and step.

    >>> import agentic, torch
    >>> env = agentic.make("FrozenLake-v1")
    >>> env.observation, env.action
    (Simplex(sizes=(16,)), Simplex(sizes=(4,)))
    >>> env.encode(env.reset([0])).shape  # of one row, one-hot
    torch.Size([1, 16])
    >>> env.step(env.decode(torch.tensor([[0.0, 1.0, 0.0, 0.0]]))).reward  # to the right
    array([0.])
    """

    def __init__(self, id: str, rows: Rows) -> None:
        self.id, self.batch, self._rows = id, len(rows.everyone), rows
        self.observation_layout, self.action_layout = rows.observation, rows.action
        self.observation, self.action = rows.observation.domain, rows.action.domain
        self._step: Outcome | None = None
        self._limit = 0
        self.episode = self.t = np.zeros(self.batch, np.int64)
        self._ones = np.ones(self.batch, np.int64)
        self._looks = [leaf.sound for leaf in rows.observation.leaves]

    def brief(self) -> Mapping[str, object]:
        """Its id, its rows, and what is seen and done there, in Gymnasium's words."""
        spaces = {"observation": self.observation_layout.space, "action": self.action_layout.space}
        return {"id": self.id, "batch": self.batch, **spaces}

    def reset(self, seeds: Sequence[int]) -> Arrays:
        """Begin episode 0 in every row, each with its own seed. Returns the native observations.

        A vector environment that has one generator for all rows (any but Gymnasium's Sync and Async) takes the first.
        """
        self.episode = self.t = np.zeros(self.batch, np.int64)
        self._step, self._limit = None, 0
        return self._checked(self._guarded(self._rows.reset, seeds))

    def step(self, action: Arrays, active: np.ndarray | None = None) -> Outcome:
        """One step of every row in which `active` (b,) is true; the others stay where they are, `valid` False."""
        self.proceed()
        step: Outcome = self._guarded(self._rows.step, action, active)
        if self._limit:
            step.cut(self.t + 1 >= self._limit)
        self._step = step
        self._checked(step.next_obs)
        return step

    def limit(self, steps: int) -> None:
        """Until `reset` truncate episodes after so many steps, with 0 where they end by themselves.

        Raises UserError for a vector environment of somebody else's making, which begins episodes by itself.
        """
        if steps and not isinstance(self._rows, Singles):
            raise UserError(f"episodes of {self.id} cannot be cut: it begins them by itself; give single environments")
        self._limit = steps

    def restart(self, begins: np.ndarray) -> Arrays:
        """Begin the next episode in the rows (b,) that the last step said begin one, or in some of them.

        Returns the native observations that every row's next decision sees.
        """
        self.proceed()
        return self._checked(self._guarded(self._rows.restart, begins))

    def begin_anew(self, seeds: Sequence[int]) -> Arrays:
        """Begin the next episode in every row, each with its own seed, also where one has not ended."""
        self.proceed()
        self.episode, self.t = self.episode + (self.t > 0), np.zeros(self.batch, np.int64)
        return self._checked(self._guarded(self._rows.reset, seeds))

    @property
    def layers(self) -> Sequence[Any]:
        """The outermost layer of each single environment, and a vector environment that somebody else made."""
        return self._rows.layers

    def encode(self, obs: Arrays, dtype: torch.dtype = torch.float32) -> Tensor:
        """Native observations as the agent's tensor (b, *event)."""
        return self.observation_layout.encode(obs, dtype)

    def decode(self, action: Tensor) -> Arrays:
        """The agent's actions (b, *event) in native form. Raises RunError for what the action space does not have.

        Nothing is clipped but the rounding of a cast: projection happens once, where an agent selects its action.
        """
        return self.action_layout.decode(action, self.batch)

    def truth(self) -> Truth:
        """The world as arrays, where it is known (see `factored_truth`), without dependency lists (see `plain`)."""
        return plain(self.factored_truth())

    def factored_truth(self) -> Truth:
        """The world as arrays, with its lists of what depends on what, where it has some; see `known_world`."""
        return as_arrays(self.known_world())

    def known_world(self) -> Truth | Successors:
        """The world as it tells itself: arrays, or lists of successors where it has a toy-text table.

        Raises UserError where it is not known, and where rows are of different worlds.
        """
        first, *others = self._rows.envs
        known = known_world(first)
        for env in others:
            alike = env.spec is not None and repr(env.spec) == repr(first.spec)
            if not alike and not same_truth(known, known_world(env)):
                raise UserError(f"the rows of this batch of {self.id} are different worlds: ask for the truth of each")
        return known

    def states(self) -> Callable[[], State]:
        """A function that reads the state of the world of every row: columns (b, *shape), `world` or `world.<name>`.

        Raises UserError where the environment offers none; see `HasWorldState` for what offers one.
        """
        found = states(self.id, self._rows.envs)

        def read() -> State:
            self.proceed()
            state: State = self._guarded(found)
            return state

        return read

    def copies(self) -> Callable[[], Single]:
        """A function that makes single environments like those of this batch as they are now.

        Raises UserError where there are none to copy: in a vector environment of somebody else's making.
        """
        try:
            if not isinstance(self._rows.envs[0], gymnasium.Env):
                raise TypeError(f"it is a {type(self._rows.envs[0]).__name__}")
            pristine = deepcopy(self._rows.envs[0])
        except BREAKS as error:
            hint = "give its id or a function that makes it"
            raise UserError(f"{self.id} cannot be copied, {said(error)}: {hint}") from error
        return lambda: deepcopy(pristine)

    @property
    def adapts(self) -> bool:
        """Whether a wrapper keeps running statistics that every step moves, so that the world is another one later."""
        return any(map(moving, layers(self._rows.layers)))

    def frozen(self) -> AbstractContextManager[None]:
        """A while in which running statistics of wrappers stay as they are, as `ticks` has them while it evaluates.

        A ThirdPartyWarning names those that cannot be frozen.
        """
        return frozen(self._rows.layers)

    def close(self) -> None:
        """Release what the environments hold, as windows and processes. What breaks in it is a CloseWarning."""
        try:
            self._rows.close()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            warnings.warn(f"{self.id} broke while being closed, {described(error)}", CloseWarning, stacklevel=2)

    @property
    def place(self) -> str:
        """The environment with the episode and the step of its first row, as messages name them."""
        return self._place(None)

    def proceed(self) -> None:
        """Count the last step, so that `episode` and `t` are those of the step that comes."""
        step, self._step = self._step, None
        if step is None:
            return
        self.t = self.t + (self._ones if step.valid is self._rows.everyone else step.valid)
        if step.ended is not None:
            self.t[step.ended] = 0
            self.episode = self.episode + step.ended

    def _checked(self, obs: Arrays) -> Arrays:
        for place, look in enumerate(self._looks):
            if not look(obs[place]):
                return self._examined(obs)
        return obs

    def _examined(self, obs: Arrays) -> Arrays:
        """Say what is wrong with observations that did not pass the quick look."""
        if not self.observation_layout.fits(obs):
            row, why = self.observation_layout.refused(obs)
            raise RunError(f"{self._place(row)}: the observation {why}")
        for place, look in enumerate(self._looks):
            if not look(obs[place]):
                self._outside(place, obs[place])
        return obs

    def _outside(self, place: int, array: np.ndarray) -> None:
        """Say, once for each leaf, that an observation leaves its bounds: it is recorded as it is."""
        leaf = self.observation_layout.leaves[place]
        self._looks[place] = leaf.fits
        row = next(row for row in range(self.batch) if not leaf.within(array[row : row + 1]))
        what = f"the observation {f'{leaf.name!r} ' if leaf.path else ''}leaves the bounds of its space"
        words = f"{self._place(row)}: {what}, {shortened(array[row])}; it is recorded as it is, and told once"
        warnings.warn(words, ThirdPartyWarning, stacklevel=2)

    def _guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Fault as fault:
            raise RunError(f"{self._place(fault.row)}: {fault}") from fault.__cause__
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise RunError(f"{self._place(None)}: {sentence(error)}") from error

    def _place(self, row: int | None) -> str:
        where = 0 if row is None else row
        place = f"episode {self.episode[where]}, step {self.t[where]}"
        return f"{self.id}, {place}" if row is None else f"{self.id}, row {row}, {place}"


EnvironmentLike = str | Callable[..., Single] | Single | Sequence[Single] | VectorEnv[Any, Any, Any] | Environment
"""What `make` takes: an id, a function that makes an environment, one or several of them, a batch of either kind."""


def make(
    id: EnvironmentLike,
    *,
    envs: int = 1,
    kwargs: Mapping[str, Any] | None = None,
    changes: Sequence[Callable[[Single], Single]] = (),
) -> Environment:
    """An Environment from a Gymnasium id (`CartPole-v1`, `package:Env-v0`) or from what somebody made already.

    `id` may also be an environment, a list of them, a vector environment, a function that makes one environment, or
    an Environment, returned as it is. `changes` are wrappers, applied in order to each single environment.

    An id without a version is its newest, as in Gymnasium. Raises UserError for an unknown id (with near matches),
    wrong arguments, arguments for what is made already, and spaces that cannot be encoded.

    >>> import agentic
    >>> agentic.make("CartPole-v1", envs=2)
    Environment(id='CartPole-v1', batch=2, observation=Box([-4.8 ...], [4.8 ...], (4,), float32), action=Discrete(2))
    """
    _check_arguments(id, envs, kwargs)
    if isinstance(id, Environment):
        return id
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
    singles = [_changed(env, changes) for env in singles]
    for env in singles:
        _check(env)
    name = _name(singles[0])
    _apart(singles)
    if any(_spaces(env) != _spaces(singles[0]) for env in singles):
        raise UserError(f"a batch needs environments of equal spaces, got {[str(_spaces(env)) for env in singles]}")
    return Environment(name, Singles(singles, *_layouts(name, *_spaces(singles[0]))))


def _check_arguments(id: EnvironmentLike, envs: int, kwargs: Mapping[str, Any] | None) -> None:
    if envs < 1:
        raise UserError(f"envs must be at least 1, got {envs}")
    if kwargs and isinstance(id, gymnasium.Env | VectorEnv | Environment | list | tuple):
        hint = f"give them to an id or a function, this {type(id).__name__} is made already"
        raise UserError(f"kwargs = {dict(kwargs)} make nothing here: {hint}")
    if isinstance(id, VectorEnv) and envs not in (1, id.num_envs):
        raise UserError(f"envs = {envs}, but {_name(id)} has {id.num_envs} rows: leave envs out")


def _from_vector(env: VectorEnv[Any, Any, Any], changes: Sequence[Any]) -> Environment:
    name = _name(env)
    if changes:
        raise UserError(f"changes apply to single environments, and {name} is a vector environment: give its id")
    if "autoreset_mode" not in (env.metadata or {}):
        raise UserError(f'{name} does not say how it resets: set metadata["autoreset_mode"] to an AutoresetMode')
    rows = Vector(env, *_layouts(name, env.single_observation_space, env.single_action_space))
    _apart(rows.envs)
    return Environment(name, rows)


def _apart(singles: Sequence[Any]) -> None:
    if len({id(env.unwrapped) for env in singles}) < len(singles):
        hint = "give its id, or a function that makes a new one on every call"
        raise UserError(
            f"one {_name(singles[0])} stands for several rows of the batch, which would share its episode: {hint}"
        )


def _layouts(name: str, observation: Any, action: Any) -> tuple[Layout, Layout]:
    seen, texts = without_text(observation)
    if texts:
        words = f"{name}: text in its observations, {listed(texts)}, is left out: agents are shown numbers"
        warnings.warn(words, ThirdPartyWarning, stacklevel=1)
    return layout(seen, f"the observation space of {name}"), layout(action, f"the action space of {name}")


def _spaces(env: Single) -> tuple[Any, Any]:
    return env.observation_space, env.action_space


def _name(env: Any) -> str:
    return env.spec.id if getattr(env, "spec", None) is not None else type(env.unwrapped).__name__


def _make_one(id: str | Callable[..., Single], kwargs: Mapping[str, Any]) -> Single:
    if isinstance(id, str):
        bring(id)
    try:
        return gymnasium.make(id, **kwargs) if isinstance(id, str) else id(**kwargs)
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv) as error:
        raise UserError(unknown(str(id))) from error
    except ModuleNotFoundError as error:
        module = error.name or str(id).split(":")[0]
        raise UserError(f"environment {id!r} needs the module {module!r}, which is not installed") from error
    except (TypeError, ValueError, gymnasium.error.Error) as error:
        with_what = f" with {dict(kwargs)}" if kwargs else ""
        raise UserError(f"environment {id!r} cannot be made{with_what}: {said(error)}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise RunError(f"environment {id!r} broke while being made, {described(error)}") from error


def _changed(env: Single, changes: Sequence[Callable[[Single], Single]]) -> Single:
    for change in changes:
        try:
            env = change(env)
        except (UserError, RunError):
            raise
        except BREAKS as error:
            raise RunError(f"a change of {type(env).__name__} broke while being made, {described(error)}") from error
    return env


def _check(env: Single) -> None:
    """Raises UserError for what has no name or no spaces, and for a vector environment in the place of a row."""
    if isinstance(env, VectorEnv):
        raise UserError(
            f"a {type(env).__name__} is no single environment: give it alone, as it is, or what it is made of"
        )
    try:
        _name(env), _spaces(env), env.unwrapped
    except BREAKS as error:
        hint = "expected a gymnasium.Env with an observation_space and an action_space"
        raise UserError(f"a {type(env).__name__} is no environment, {described(error)}: {hint}") from error
