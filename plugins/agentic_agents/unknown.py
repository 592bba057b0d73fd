"""Proposals for discrete worlds of which nothing is known but their spaces: they are learned by counts."""

from itertools import pairwise
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from agentic import Environment, Proposal, Simplex, UserError

PROBE = 300  # steps of random actions, to see what is paid and how soon episodes end
MANY = 5_000  # joint observations up to which each is learned for itself
PAIRS = 200_000  # joint observations times joint actions, likewise
ROWS = 16  # copies that learn side by side: one decision costs about as much for all of them
LEARNING, EVALUATION = 75.0, 15.0  # seconds of one core
TICK, TICK_A_PAIR = 0.0145, 4e-7  # seconds of a tick of all rows; what every pair of state and action adds
LONGER = 4  # how much longer than under random actions an episode may become
WEIGHT = 1.0  # nats that a usual reward is worth
DISCOUNT = 0.995
LARGEST = 10**9


class Probe(NamedTuple):
    """What random actions met: the usual size of a reward that is not zero, and the steps of an episode."""

    paid: float
    length: float


class Numbered(NamedTuple):
    """Observations that get one of so many `numbers`: how many `steps` of learning they want at most, and why it is."""

    numbers: int
    steps: int
    why: str


def learned(environment: Environment, limit: int, numbered: Numbered | None = None) -> Proposal:
    """Learning from nothing, what is observed taken for the state, with what every step tells about the world.

    Raises UserError for more
    joint observations than can be learned one by one, and for more pairs of them and actions than there is memory for.
    """
    observation, action = environment.observation, environment.action
    assert isinstance(action, Simplex)
    count = observation.count if isinstance(observation, Simplex) else MANY + 1
    count = count if numbered is None else numbered.numbers
    if count > MANY:
        raise UserError(f"its {count:,} joint observations are more than the {MANY:,} that are learned one by one")
    if count * action.count > PAIRS:
        pairs = f"its {count:,} joint observations and {action.count:,} joint actions are more pairs"
        raise UserError(f"{pairs} than the {PAIRS:,} that are learned one by one")
    env = environment.copies()()
    met = probed(env, limit)
    tick = TICK + TICK_A_PAIR * count * action.count
    steps = min(_rounded(LEARNING / tick * ROWS), numbered.steps if numbered else LARGEST)
    episodes = int(np.clip(EVALUATION / tick * ROWS / min(limit, LONGER * met.length), ROWS, 5_000)) // 10 * 10 or ROWS
    joined: list[dict[str, Any]] = (
        [] if isinstance(env.observation_space, Discrete) else [{"name": "join_observations"}]
    )
    joined = [{"name": "number_observations", "count": count}] if numbered else joined
    known = f"nothing is known of it but its spaces: what is observed is taken for the state, {count:,} of them"
    reason = (
        f"{numbered.why if numbered else known}, and learned by counts in {steps:,} steps, as many as about a minute "
        f"has; {episodes:,} episodes"
    )
    return Proposal(0.5, reason, _tables(steps, episodes, WEIGHT / met.paid, [*joined, {"name": "show_end"}]))


def probed(env: gymnasium.Env[Any, Any], limit: int, steps: int = PROBE) -> Probe:
    """What so many `steps` of random actions meet, in episodes of at most `limit` steps."""
    env.action_space.seed(0)
    env.reset(seed=0)
    paid, ends = list[float](), [0]
    for step in range(1, steps + 1):
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        paid.append(abs(float(reward)))
        if terminated or truncated or step - ends[-1] >= limit:
            ends.append(step)
            env.reset()
    env.close()
    sizes = [each for each in paid if each > 0 and np.isfinite(each)]
    lengths = [after - before for before, after in pairwise(ends)]
    return Probe(float(np.median(sizes)) if sizes else 1.0, float(np.mean(lengths)) if lengths else float(limit))


def _rounded(number: float) -> int:
    """To two digits."""
    return int(float(f"{number:.1e}"))


def _tables(steps: int, episodes: int, scale: float, changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "run": {"envs": ROWS},
        "env": {"changes": changes},
        "agent": {"name": "energy", "selection": {"name": "greedy"}},
        "model": {"name": "categorical", "learn": ["B", "rewards", "ends"]},
        "goal": {"name": "reward", "scale": float(f"{scale:.3g}")},
        "inference": {"name": "exact"},
        "planner": {
            "name": "value_iteration",
            "discount": DISCOUNT,
            "gain": {"name": "summed", "target": "weights"},
        },
        "learner": {"name": "conjugate", "settles": True},
        "learn": {"steps": steps},
        "evaluate": {"episodes": episodes},
    }
