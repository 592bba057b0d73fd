"""Small runs that learn something, to be used again."""

from pathlib import Path
from typing import Any

import agentic
from agentic import Experiment

CART = {"id": "CartPole-v1", "kwargs": {"max_episode_steps": 20}}
LEARNING: dict[str, Any] = {
    "env": CART,
    "agent": {"name": "energy", "selection": {"name": "greedy"}},
    "model": {"name": "linear_gaussian", "prior_precision": 1e-8},
    "goal": {"name": "quadratic", "weights": [1.0, 0.0, 1.0, 0.0]},
    "inference": {"name": "newton"},
    "planner": {"name": "riccati", "horizon": 20, "effort": {"name": "effort", "scale": 0.2}},
    "learner": {"name": "conjugate"},
    "learn": {"steps": 60, "warmup": 40},
    "evaluate": {"episodes": 5},
}


def recorded(out: str | Path = "runs", **tables: Any) -> Path:
    """The folder of a small run, of the learning agent with other `tables`."""
    folder = agentic.run(Experiment.of({**LEARNING, **tables}), out=out).folder
    assert folder is not None
    return folder
