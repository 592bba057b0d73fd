"""Empowerment of a continuous world that can only be tried out: linear near where it is."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import ArrayLike

from agentic import UserError
from agentic_metrics.channels.linearization import response
from agentic_metrics.channels.water import linear_capacity


def linearized_empowerment(
    env: gymnasium.Env[Any, Any], horizon: int, *, power: float = 1.0, noise: ArrayLike = 0.01
) -> float:
    """Empowerment of the place where `env` is now, to first order in the actions, in bits.

    The state after n = `horizon` actions is f(0) + G u, with G by central differences on copies of the environment
    about no action (the one nearest to zero), and is read with `noise`: a variance, or variances (d,), or a covariance
    (d, d). Total `power` E |u|^2, in squared units of the actions, is spread by water-filling (Salge, Glackin and
    Polani 2013). What noise the simulator itself makes on the way is not counted.

    Raises UserError where actions or states are not continuous, or an episode ends within the horizon.
    """
    space = env.action_space
    if not isinstance(space, Box) or horizon < 1:
        raise UserError(
            f"linearized empowerment needs continuous actions (a Box) and a horizon of at least 1, got {space} and "
            f"{horizon}: worlds of finitely many states are computed exactly by empowerment"
        )
    still = np.clip(np.zeros(space.shape), space.low, space.high).ravel()
    jacobian = response(env, np.tile(still, (horizon, 1))).jacobian
    gain = jacobian.reshape(len(jacobian), -1)
    variance = np.asarray(noise, np.float64)
    covariance = variance if variance.ndim == 2 else np.eye(len(gain)) * variance
    return linear_capacity(gain, covariance, power).value
