"""CartPole, balanced after 40 steps of experience and no given dynamics.

A linear-Gaussian model is learned by exact Bayesian regression while the agent acts, and planned with by Riccati.
"""

from pathlib import Path

import pytest

from agentic import Experiment, load
from agentic.experiments.build import build

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = [pytest.param(seed, marks=pytest.mark.slow if seed < 2 else pytest.mark.soak) for seed in range(10)]


def returns(name: str, seed: int, episodes: int) -> list[float]:
    experiment = Experiment.load(EXAMPLES / name, [f"run.seed={seed}", f"evaluate.episodes={episodes}"])
    record = build(experiment, load()).run()
    assert record.manifest["steps"] == 40
    return [float(value) for value in record.returns("evaluate")]


def test_forty_steps_are_enough() -> None:
    achieved = returns("cartpole.toml", seed=3, episodes=3)
    assert sum(achieved) / 3 >= 475


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["cartpole.toml", "cartpole-swapped.toml", "cartpole-long.toml"])
@pytest.mark.parametrize("seed", SEEDS)
def test_on_every_seed_and_in_changed_worlds(name: str, seed: int) -> None:
    achieved = returns(name, seed, episodes=20)
    assert len(achieved) == 20
    assert sum(achieved) / 20 >= 475, achieved
