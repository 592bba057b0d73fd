"""pymdp's agent as its documentation sets it up: perceive, plan and act in one compiled call, in float32."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pymdp.agent import Agent

from benchmarks.discrete_worlds import Arrays


def pymdp_agent(arrays: Arrays, horizon: int, batch: int, precision: float) -> tuple[Any, Any, Any]:
    """Its inputs from priors (b, n) per factor and observations (b, modalities); its call; and G (plans, b) of that."""
    # its factors have a control each: those that no action moves get one of a single value
    moved = [not np.allclose(b, b[..., :1]) for b in arrays.B]
    B = [b if own else b[..., :1] for b, own in zip(arrays.B, moved, strict=True)]
    agent = Agent(
        A=[_each(a, batch) for a in arrays.A],
        B=[_each(b, batch) for b in B],
        C=[_each(np.asarray(c), batch) for c in arrays.C],
        D=[_each(d, batch) for d in arrays.D],
        A_dependencies=arrays.dependencies["A"],
        B_dependencies=arrays.dependencies["B"],
        num_controls=[b.shape[-1] for b in B],
        policy_len=horizon,
        gamma=precision,
        batch_size=batch,
    )

    @jax.jit
    def step(agent: Any, priors: Any, obs: Any) -> Any:
        beliefs = agent.infer_states(obs, priors)
        chosen, value = agent.infer_policies(beliefs)
        action = agent.sample_action(chosen)
        return -value, action, agent.update_empirical_prior(action, beliefs)

    def given(priors: Sequence[np.ndarray], obs: np.ndarray) -> Any:
        beliefs = [jnp.asarray(prior, jnp.float32) for prior in priors]
        seen = [jnp.asarray(obs[:, m : m + 1]) for m in range(obs.shape[1])]
        return jax.block_until_ready((beliefs, seen))

    def decide(inputs: Any) -> Any:
        return jax.block_until_ready(step(agent, *inputs))

    return given, decide, lambda found: np.asarray(found[0]).T


def _each(array: np.ndarray, batch: int) -> Any:
    """The same array for every agent."""
    return jnp.broadcast_to(jnp.asarray(array, jnp.float32), (batch, *array.shape))
