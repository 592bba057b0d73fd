"""The loop: `ticks` yields what happens, `run` records it.

A recorder, a learner and a metric are consumers of ticks; another schedule is another `for` loop, not a hook.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch

from agentic.agents.agent import Agent
from agentic.engine.state import select
from agentic.environments.environment import Environment, EnvironmentLike, make
from agentic.errors import BREAKS, RunError, UserError
from agentic.runs.decisions import own
from agentic.runs.seeds import Phase, environment_seed, generator
from agentic.tick import Native, Tick


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
        yield from _ticks(agent, world, seed, steps, episodes, dtype, phase, accounts)


def _ticks(
    agent: Agent,
    world: Environment,
    seed: int,
    steps: int | None,
    episodes: int | Sequence[int] | None,
    dtype: torch.dtype,
    phase: Phase,
    accounts: bool,
) -> Iterator[Tick]:
    if (steps or 0) < 0 or np.min(episodes or 0) < 0:
        raise UserError(f"steps and episodes must be at least 0, got {steps} and {episodes}")
    quota = None if episodes is None else np.broadcast_to(np.asarray(episodes, np.int64), world.batch)
    draws = generator(seed, "agent", phase=phase)
    rounds = world.action_layout.rounds
    encode, seen, done = world.observation_layout.encode, world.observation_layout.native, world.action_layout.native
    native = world.reset([environment_seed(seed, row, phase=phase) for row in range(world.batch)])
    obs, state = encode(native, dtype), agent.start(world.batch, generator=draws)
    active = _active(quota, world.episode)
    while _goes_on(steps, active):
        try:
            decision = agent.decide(state, obs.clone(), generator=draws)  # it may write to what it sees
            decision = own(decision, agent, world.batch, accounts)
            action = world.decode(decision.action)
            if rounds:
                decision.action = world.action_layout.encode(action, decision.action.dtype)
        except BREAKS as error:
            world.proceed()
            if isinstance(error, RunError):
                raise RunError(f"{world.place}: {error}") from error
            raise
        step = world.step(action, active)
        if steps is not None:
            if len(step.valid) > steps:  # the first `steps` of the valid rows
                step.valid = step.valid & (np.cumsum(step.valid) <= steps)
            steps -= int(np.count_nonzero(step.valid))
        next_obs = encode(step.next_obs, dtype)
        flags = (step.reward, step.terminated, step.truncated, step.valid, world.episode, world.t)
        natives = Native(seen(native), done(action), seen(step.next_obs))
        yield Tick(obs, decision.action, next_obs, *flags, decision, natives)
        native, obs, state = step.next_obs, next_obs, decision.state
        if step.ended is not None:
            active = _active(quota, world.episode + step.ended)
        if step.begins is not None and _goes_on(steps, active):
            native = world.restart(step.begins)
            obs = encode(native, dtype)
            state = select(torch.from_numpy(step.begins), agent.start(world.batch, generator=draws), state)


def _goes_on(steps: int | None, active: np.ndarray | None) -> bool:
    return steps != 0 and (active is None or bool(active.any()))


def _active(quota: np.ndarray | None, completed: np.ndarray) -> np.ndarray | None:
    """The rows that still owe episodes; None for all of them."""
    if quota is None or (completed < quota).all():
        return None
    return completed < quota
