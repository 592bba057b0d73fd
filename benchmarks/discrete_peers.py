"""pymdp's agent as its documentation sets it up: perceive, plan and act in one compiled call, in float32."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pymdp.agent import Agent
from pymdp.envs import PymdpEnv, rollout

from benchmarks.discrete_worlds import Arrays


def pymdp_agent(arrays: Arrays, horizon: int, batch: int, precision: float) -> tuple[Any, Any, Any]:
    """Its inputs from priors (b, n) per factor and observations (b, modalities); its call; and G (plans, b) of that."""
    agent = _agent(arrays, horizon, batch, gamma=precision)

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


def pymdp_loop(arrays: Arrays, horizon: int, batch: int, steps: int) -> Callable[[], tuple[float, float]]:
    """So many steps of agents in worlds of their own in one compiled scan: its seconds, and the share of rewards."""
    agent = _agent(arrays, horizon, batch, action_selection="deterministic")
    lists = {"A_dependencies": arrays.dependencies["A"], "B_dependencies": arrays.dependencies["B"]}
    env = PymdpEnv(*[[jnp.asarray(a) for a in each] for each in (arrays.A, _moves(arrays), arrays.D)], **lists)
    scan = jax.jit(lambda agent, key: rollout(agent, env, steps, key)[1])
    key = jax.random.PRNGKey(0)
    jax.block_until_ready(scan(agent, key))

    def loop() -> tuple[float, float]:
        begin = perf_counter()
        found = jax.block_until_ready(scan(agent, key))
        taken = perf_counter() - begin
        return taken, float((np.asarray(found["observation"][1])[:, 2:] == 1).mean())

    return loop


def _agent(arrays: Arrays, horizon: int, batch: int, **given: Any) -> Any:
    """Its agent of these arrays, or as many of the same as decide at once."""
    B = _moves(arrays)
    return Agent(
        A=[_each(a, batch) for a in arrays.A],
        B=[_each(b, batch) for b in B],
        C=[_each(np.asarray(c), batch) for c in arrays.C],
        D=[_each(d, batch) for d in arrays.D],
        A_dependencies=arrays.dependencies["A"],
        B_dependencies=arrays.dependencies["B"],
        num_controls=[b.shape[-1] for b in B],
        policy_len=horizon,
        batch_size=batch,
        **given,
    )


def _moves(arrays: Arrays) -> list[np.ndarray]:
    """Its factors have a control each: those that no action moves get one of a single value."""
    return [b[..., :1] if np.allclose(b, b[..., :1]) else b for b in arrays.B]


def _each(array: np.ndarray, batch: int) -> Any:
    """The same array for every agent."""
    return jnp.broadcast_to(jnp.asarray(array, jnp.float32), (batch, *array.shape))
