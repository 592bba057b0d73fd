"""Proposals for continuous worlds: a model learned from scratch, and what is still to come learned in imagination."""

from math import inf
from typing import Any

import numpy as np

from agentic import Box, Environment, Goal, Proposal, Simplex, UserError, load
from agentic_agents.limits import limit_of

LARGEST = 64  # observations and actions up to which a model is learned in the time there is
STEPS = 600  # environment steps that are learned from, at most
LEARNING, EVALUATION = 60.0, 40.0  # seconds of one core
FIT, DECISION = 1.2, 0.004  # seconds of one core: a fit of a small world, and one decision
EVERY = 25  # steps between fits


def continuous(environment: Environment) -> Proposal | None:
    """Learning from scratch where observations are vectors of numbers and actions bounded or finitely many."""
    observation, action = environment.observation, environment.action
    if isinstance(observation, Simplex) or len(observation.event) != 1 or not _searchable(action):
        return None
    size = observation.size + action.size
    if size > LARGEST:
        return None
    known = _known(environment)
    fits = max(1, round(LEARNING / (FIT * (1 + size / 16))))
    learning = min(STEPS, EVERY * fits + 100)
    episodes = int(np.clip(EVALUATION / (DECISION * (1 + size / 32)) // limit_of(environment), 3, 20))
    paid = "its documented reward and ends" if known else "a reward and ends that are learned too"
    reason = (
        f"it is learned from scratch in {learning:,} steps, as many as about a minute has: an ensemble of networks, "
        f"what is to come learned in imagination, {paid}; {episodes} episodes"
    )
    return Proposal(0.5, reason, _tables(known, learning, episodes))


def beyond(environment: Environment) -> str:
    """Why a world is not learned by `continuous`."""
    observation, action = environment.observation, environment.action
    if not _searchable(action):
        return "its actions are neither bounded numbers alone nor finitely many"
    return f"its {observation.size + action.size:,} numbers are more than the {LARGEST} that a model is learned of"


def _known(environment: Environment) -> bool:
    """Whether the goal `documented` knows its reward and ends."""
    try:
        load().find(Goal, "documented")[1].from_env(environment)
    except UserError:
        return False
    return True


def _searchable(action: Any) -> bool:
    if isinstance(action, Simplex):
        return True
    return isinstance(action, Box) and bool((action.high - action.low < inf).all()) and len(action.event) == 1


def _tables(known: bool, learning: int, episodes: int) -> dict[str, Any]:
    model: dict[str, Any] = {"name": "ensemble"}
    return {
        "agent": {"name": "energy", "selection": {"name": "greedy"}},
        "model": model if known else {**model, "reward": True, "mortal": True},
        "goal": {"name": "documented" if known else "predicted_reward"},
        "inference": {"name": "newton", "steps": 1},
        "planner": {
            "name": "evolution",
            "horizon": 8,
            "discount": 0.99,
            "terminal": {"name": "cost_to_go"},
            "gain": {"name": "summed", "target": "weights"},
        },
        "learner": {"name": "imagination"},
        "learn": {"steps": learning, "warmup": 100, "hold": 16, "vary": True, "cut": 50},
        "evaluate": {"episodes": episodes},
    }
