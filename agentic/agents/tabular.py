"""Policies as tables: what an agent does in every state of a known world."""

from dataclasses import replace

import numpy as np
import torch

from agentic.agents.agent import Agent
from agentic.agents.energy_agent import EnergyState
from agentic.engine.belief import Categorical
from agentic.engine.state import State
from agentic.environments.mdp import Floats, World
from agentic.environments.pomdp import Truth, split_states
from agentic.errors import UserError
from agentic.tick import Decision

DRAWS = 24  # decisions per state that are compared with the policy an agent reports


MORE = 400  # decisions per state where it reports none, or does something else


def state_observations(truth: Truth) -> torch.Tensor:
    """The observation of each state, (states, *event) float32: a one-hot block per modality.

    Raises UserError where the observation does not tell the state.
    """
    states = truth["ends"].size
    blocks = [columns.reshape(len(columns), states).T for columns in truth["A"]]
    if any((block.max(-1) < 1 - World.tie).any() for block in blocks):
        raise UserError("states are told from observations without noise: in this world a state looks different ways")
    joint = np.concatenate(blocks, axis=1)
    if len(np.unique(joint, axis=0)) < states:
        raise UserError("states are told where each looks different: in this world some look the same")
    return torch.from_numpy(joint).to(torch.float32)


def policy_table(agent: Agent, truth: Truth, *, generator: torch.Generator) -> Floats:
    """The table (states, actions) of what a sealed copy of `agent` does when it finds itself in each state of a World.

    Each state is met as the first of an episode, by an agent without a belief about where it is. Agents that report
    their policy and follow it are read; others are counted: a greedy agent that reports a tie but always breaks it the
    same way does what it does.

    Raises UserError where the observation does not tell the state, or the action is no single choice.
    """
    return _asked(agent, truth, generator)[split_states(truth)]


def _asked(agent: Agent, truth: Truth, generator: torch.Generator) -> Floats:
    sealed, seen = agent.sealed(), state_observations(truth)
    expected = (len(seen), truth["rewards"].shape[-1])

    def decide() -> Decision:
        return sealed.decide(with_flat_prior(sealed.start(len(seen), generator=generator)), seen, generator=generator)

    def counted(times: int) -> Floats:
        return np.asarray(np.mean([decide().action.numpy() for _ in range(times)], axis=0, dtype=np.float64))

    first = decide()
    if tuple(first.action.shape) != expected or bool((first.action.sum(-1) != 1).any()):
        raise UserError(
            f"a policy table needs one choice among {expected[1]} actions in each of {expected[0]} states, "
            f"got actions of shape {tuple(first.action.shape)}"
        )
    if isinstance(first.policy, Categorical):
        table = first.policy.probs.detach().to(torch.float64).numpy().reshape(expected)
        found = counted(DRAWS)
        if (table[found == 1] > 0.5).all():
            return np.asarray(table)
        if (found.max(-1) == 1).all():
            return found
    return counted(MORE)


def with_flat_prior(state: State) -> State:
    """The state of an agent with its prior belief made flat, so that it may find itself anywhere.

    That of an `EnergyAgent` about finite latents is such a belief; any other state is returned as it is.
    """
    if not isinstance(state, EnergyState) or not isinstance(state.prior, Categorical):
        return state
    flat = torch.cat([torch.full_like(block, 1 / block.shape[-1]) for block in state.prior.blocks], -1)
    return replace(state, prior=Categorical(flat, state.prior.sizes))
