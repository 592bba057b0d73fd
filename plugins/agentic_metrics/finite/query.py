"""The policy of an agent, asked for in every state of a finite world rather than guessed from samples.

Tables of policies and what states look like are the core's; here are the worlds and the states that are asked about.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
import torch

from agentic import Agent, Subject, Truth, UserError, make, state_observations
from agentic.agents import policy_table, with_flat_prior
from agentic_metrics.finite.arrays import Floats, Ints
from agentic_metrics.finite.world import World


def known_world(environment: Callable[[], gymnasium.Env[Any, Any]]) -> tuple[Truth, World]:
    """The truth of a fresh environment and its arrays. Raises UserError where it is not known."""
    with closing(environment()) as env:
        truth = make(env).truth()
    return truth, World.of(truth)


def query(agent: Agent, truth: Truth, *, generator: np.random.Generator) -> Floats:
    """The table (states, actions) of what a sealed copy of `agent` does in each state, see `policy_table`.

    Raises UserError where the observation does not tell the state, or the action is no single choice.
    """
    return policy_table(agent, truth, generator=_draws(generator))


def known_policy(subject: Subject, *, generator: np.random.Generator) -> tuple[Truth, World, Floats]:
    """The truth and the world of a subject's environment, and the policy (states, actions) of its agent there."""
    truth, world = known_world(subject.environment)
    return truth, world, query(subject.agent, truth, generator=generator)


def asked(agent: Agent, truth: Truth, states: Ints, *, generator: np.random.Generator) -> Ints:
    """The action (n,) that a sealed copy of `agent` takes in each of `states` (n,), met as the first of an episode.

    Raises UserError where the observation does not tell the state, or the action is no single choice.
    """
    sealed, seen = agent.sealed(), state_observations(truth)[torch.from_numpy(states)]
    draws, actions = _draws(generator), truth["rewards"].shape[-1]
    taken = sealed.decide(with_flat_prior(sealed.start(len(seen), generator=draws)), seen, generator=draws).action
    if tuple(taken.shape) != (len(seen), actions) or bool((taken.sum(-1) != 1).any()):
        raise UserError(f"expected one choice among {actions} actions per state, got actions {tuple(taken.shape)}")
    return np.asarray(taken.numpy().argmax(-1), np.int64)


def _draws(generator: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(generator.integers(2**62)))
