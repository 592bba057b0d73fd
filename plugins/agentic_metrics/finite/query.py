"""The policy of an agent, asked for in every state of a finite world rather than guessed from samples."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import torch

from agentic import Agent, Categorical, Decision, Simplex, Truth, UserError, make, truth_of
from agentic_metrics.finite.world import Floats, World

DRAWS = 24  # decisions per state that are compared with the policy an agent reports
MORE = 400  # decisions per state where it reports none, or does something else


def known_world(environment: Callable[[], gymnasium.Env[Any, Any]]) -> tuple[Truth, World]:
    """The truth of a fresh environment and its arrays. Raises UserError where it is not known."""
    env = environment()
    try:
        truth = truth_of(env)
    finally:
        env.close()
    return truth, World.of(truth)


def query(
    agent: Agent, environment: Callable[[], gymnasium.Env[Any, Any]], *, generator: np.random.Generator
) -> Floats:
    """The table (states, actions) of what a sealed copy of `agent` does when it finds itself in each state.

    Each state is met as the first of an episode, by an agent without a belief about where it is. Agents that report
    their policy and follow it are read; others are counted: a greedy agent that reports a tie but always breaks it the
    same way does what it does.

    Raises UserError where the observation does not tell the state, or the action is no single choice.
    """
    truth, world = known_world(environment)
    sealed = agent.sealed()
    seen = observations(truth, world)
    made = make(environment)
    space = made.action
    made.close()
    if not isinstance(space, Simplex) or space.sizes != (world.actions,):
        raise UserError(f"a policy table needs one choice among {world.actions} actions, the space is {space}")
    draws = torch.Generator().manual_seed(int(generator.integers(2**62)))

    def decide() -> Decision:
        return sealed.decide(unknowing(sealed.start(world.states, generator=draws)), seen, generator=draws)

    def counted(times: int) -> Floats:
        return np.asarray(np.mean([decide().action.numpy() for _ in range(times)], axis=0, dtype=np.float64))

    policy = decide().policy
    if isinstance(policy, Categorical):
        table = policy.probs.detach().to(torch.float64).numpy().reshape(world.states, -1)
        found = counted(DRAWS)
        if (table[found == 1] > 0.5).all():
            return np.asarray(table)
        if (found.max(-1) == 1).all():
            return found
    return counted(MORE)


def unknowing(state: Any) -> Any:
    """The state of an agent that is put somewhere: a prior belief, which might rule that place out, is made flat."""
    prior = getattr(state, "prior", None)
    if not isinstance(prior, Categorical):
        return state
    flat = torch.cat([torch.full_like(block, 1 / block.shape[-1]) for block in prior.blocks], -1)
    return replace(state, prior=Categorical(flat, prior.sizes))


def observations(truth: Truth, world: World) -> torch.Tensor:
    """What an agent sees in each state, (states, *event): a one-hot block per modality.

    Raises UserError where the observation does not tell the state.
    """
    blocks = [columns.reshape(len(columns), world.states).T for columns in truth["A"]]
    if any((block.max(-1) < 1 - 1e-9).any() for block in blocks):
        raise UserError("states are told from observations without noise: in this world a state looks different ways")
    joint = np.concatenate(blocks, axis=1)
    if len(np.unique(joint, axis=0)) < world.states:
        raise UserError("states are told where each looks different: in this world some look the same")
    return torch.from_numpy(joint).to(torch.float32)
