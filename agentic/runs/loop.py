"""The loop: `ticks` yields what happens, `run` records it.

A recorder, a learner and a metric are consumers of ticks; another schedule is another `for` loop, not a hook.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import final

import numpy as np
import torch
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.state import select
from agentic.environments.environment import Environment, EnvironmentLike, make
from agentic.environments.spaces import Arrays
from agentic.environments.stepping import Outcome
from agentic.errors import BREAKS, RunError, UserError
from agentic.runs.decisions import own
from agentic.runs.seeds import Phase, environment_seed, generator
from agentic.tick import Decision, Native, Tick


def ticks(
    agent: Agent,
    env: EnvironmentLike,
    *,
    seed: int = 0,
    steps: int | None = None,
    episodes: int | Sequence[int] | None = None,
    dtype: torch.dtype = torch.float32,
    phase: Phase = "learn",
    accounts: bool = True,
) -> Iterator[Tick]:
    """Let `agent` act in `env` (anything `make` takes), forever or until a limit, and yield every tick.

    `steps` counts environment steps over all rows; in the last tick the rows in excess are not valid, so the count is
    exact. `episodes` is a quota per row (or one for each row): counting the first to finish would favor short ones.
    Rows that met theirs stand still. `phase` names the random streams: those of "evaluate" share nothing with "learn".

    Without `accounts` a decision's energies are computed only if somebody asks for them, at once or never.

    Whatever the caller does with a tick, such as `learner.update(tick)`, happens before the next decision.
    Statistics that wrappers keep, as of observations that they normalize, are frozen while `phase` is "evaluate".

    >>> import agentic
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> [int(tick.t[0]) for tick in agentic.ticks(agent, env, steps=4)]
    [0, 1, 2, 3]
    """
    world = make(env)
    with world.frozen() if phase == "evaluate" else nullcontext():
        yield from Course(
            agent, world, seed, steps=steps, episodes=episodes, dtype=dtype, phase=phase, accounts=accounts
        )


@final
class Course(Iterator[Tick]):
    """The course of one phase, as `ticks` yields it: all that the next tick goes on from is in its attributes.

    `states` reads the state of the world before each step, where that is to be in the ticks.
    """

    unchanged = ("states",)
    states: Callable[[], Mapping[str, np.ndarray]] | None = None

    def __init__(
        self,
        agent: Agent,
        world: Environment,
        seed: int,
        *,
        steps: int | None,
        episodes: int | Sequence[int] | None,
        dtype: torch.dtype,
        phase: Phase,
        accounts: bool = True,
        device: str = "cpu",
    ) -> None:
        if (steps or 0) < 0 or np.min(episodes or 0) < 0:
            raise UserError(f"steps and episodes must be at least 0, got {steps} and {episodes}")
        self.agent, self.world, self.dtype, self.accounts, self.steps = agent, world, dtype, accounts, steps
        self.device = device
        self.quota = None if episodes is None else np.broadcast_to(np.asarray(episodes, np.int64), world.batch)
        self.draws = generator(seed, "agent", phase=phase)
        self.native = world.reset([environment_seed(seed, row, phase=phase) for row in range(world.batch)])
        self.obs, self.state = self._encoded(self.native), agent.start(world.batch, generator=self.draws)
        self.active = _active(self.quota, world.episode)
        self.last: Outcome | None = None  # the step that the next tick goes on from

    def __next__(self) -> Tick:
        self._go_on()
        if not self._goes_on():
            raise StopIteration
        world = self.world
        decision, action = self._decided()
        there = {} if self.states is None else self.states()
        step = self.last = world.step(action, self.active)
        if self.steps is not None:
            if len(step.valid) > self.steps:  # the first `steps` of the valid rows
                step.valid = step.valid & (np.cumsum(step.valid) <= self.steps)
            self.steps -= int(np.count_nonzero(step.valid))
        seen, done = world.observation_layout.native, world.action_layout.native
        flags = (step.reward, step.terminated, step.truncated, step.valid, world.episode, world.t)
        natives = Native(seen(self.native), done(action), seen(step.next_obs))
        obs, self.obs = self.obs, self._encoded(step.next_obs)
        self.state = decision.state
        return Tick(obs, decision.action, self.obs, *flags, decision, natives, there)

    def _decided(self) -> tuple[Decision, Arrays]:
        """The next decision, and its action in native form."""
        world = self.world
        try:
            decision = self.agent.decide(self.state, self.obs.clone(), generator=self.draws)  # it may write to it
            decision = own(decision, self.agent, world.batch, self.accounts)
            action = world.decode(decision.action)
            if world.action_layout.rounds:
                decision.action = world.action_layout.encode(action, decision.action.dtype)
        except BREAKS as error:
            world.proceed()
            if isinstance(error, RunError):
                raise RunError(f"{world.place}: {error}") from error
            raise
        return decision, action

    def _encoded(self, native: Arrays) -> Tensor:
        return self.world.encode(native, self.dtype).to(self.device)

    def _go_on(self) -> None:
        """Let what the last step ended begin anew: only now, for whoever got the tick has learned from it meanwhile."""
        if (step := self.last) is None:
            return
        self.native = step.next_obs
        if step.ended is not None:
            self.active = _active(self.quota, self.world.episode + step.ended)
        if not self._goes_on():
            return
        self.last = None
        if step.begins is not None:
            self.native = self.world.restart(step.begins)
            self.obs = self._encoded(self.native)
            fresh = self.agent.start(self.world.batch, generator=self.draws)
            self.state = select(torch.from_numpy(step.begins).to(self.device), fresh, self.state)

    def begin_anew(self, seeds: Sequence[int]) -> None:
        """Begin a new episode in every row; those that were interrupted are not counted as completed."""
        interrupted = self.world.t > 0 if self.last is None else ~(self.last.terminated | self.last.truncated)
        self.last, self.native = None, self.world.begin_anew(seeds)
        self.obs = self._encoded(self.native)
        self.state = self.agent.start(self.world.batch, generator=self.draws)
        self.quota = None if self.quota is None else self.quota + interrupted
        self.active = _active(self.quota, self.world.episode)

    def _goes_on(self) -> bool:
        return self.steps != 0 and (self.active is None or bool(self.active.any()))


def _active(quota: np.ndarray | None, completed: np.ndarray) -> np.ndarray | None:
    """The rows that still owe episodes; None for all of them."""
    if quota is None or (completed < quota).all():
        return None
    return completed < quota
