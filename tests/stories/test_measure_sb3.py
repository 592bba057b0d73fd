"""Third parties on our bench: a policy of Stable-Baselines3 and a plain function, beside chance and our own planner."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import Categorical, Experiment, Measurement, Subject, load, make, measure, subject_of
from agentic.experiments.build import build

EXAMPLES = Path(__file__).parents[2] / "examples"
WORLD = "CartPole-v1"


def measured(name: str, subject: Subject) -> Measurement:
    found: Measurement = measure(load().resolve("metrics", name)(), subject)
    return found


def example(agent: str, episodes: int) -> Subject:
    file = EXAMPLES / "cartpole.toml" if agent == "energy" else None
    tables = {"env": {"id": WORLD}, "agent": {"name": agent}}
    settings = [f"evaluate.episodes={episodes}"]
    experiment = Experiment.of(tables, settings) if file is None else Experiment.load(file, settings)
    return build(experiment, load()).subject()


def test_a_plain_function_is_measured_beside_chance() -> None:
    """Pushing to where the pole falls keeps it up twice as long as chance does, by looking."""
    subject = subject_of(lambda obs: int(obs[2] > 0), WORLD).recorded(episodes=15)
    chance = example("random", 15)
    assert measured("episode_return", subject).value > measured("episode_return", chance).value
    assert measured("policy_complexity", subject).value > measured("policy_complexity", chance).value + 0.3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_trained_policy_is_measured_beside_chance_and_our_planner() -> None:
    """Those who balance by looking do what they see; a coin does not."""
    ppo = pytest.importorskip("stable_baselines3").PPO
    model = ppo("MlpPolicy", WORLD, seed=0, learning_rate=1e-3, n_steps=512)
    model.learn(8_000)
    subjects = {"ppo": subject_of(model, WORLD).recorded(episodes=8), "random": example("random", 30)}
    subjects["energy"] = example("energy", 4)
    returns = {name: measured("episode_return", subject).value for name, subject in subjects.items()}
    assert returns["random"] < 40 < returns["ppo"]
    assert returns["energy"] >= 475
    for name in ("transfer_entropy", "policy_complexity"):
        values = {who: measured(name, subject).value for who, subject in subjects.items()}
        assert values["random"] + 0.1 < min(values["ppo"], values["energy"]), (name, values)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("world", "kind"), [(WORLD, "PPO"), ("FrozenLake-v1", "A2C"), (WORLD, "DQN")])
def test_it_acts_as_it_predicts(world: str, kind: str) -> None:
    model = getattr(pytest.importorskip("stable_baselines3"), kind)("MlpPolicy", world, seed=0)
    subject = subject_of(model, world).recorded(episodes=2)
    for episode in subject.record.episodes():
        expected, _ = model.predict(episode.arrays["obs"], deterministic=True)
        assert np.array_equal(expected, episode.arrays["action"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_its_probabilities_are_its_policy() -> None:
    import torch

    model: Any = pytest.importorskip("stable_baselines3").PPO("MlpPolicy", WORLD, seed=0)
    agent = subject_of(model, WORLD).agent
    assert agent is not None
    draws = torch.Generator().manual_seed(0)
    obs = torch.randn(4, *make(WORLD).observation.event, generator=draws)
    decision = agent.decide(agent.start(4, generator=draws), obs, generator=draws)
    assert isinstance(decision.policy, Categorical)
    assert (decision.policy.mode == decision.action).all()


@pytest.mark.slow
def test_continuous_actions_of_a_third_party() -> None:
    model = pytest.importorskip("stable_baselines3").SAC("MlpPolicy", "Pendulum-v1", seed=0)
    subject = subject_of(model, "Pendulum-v1").recorded(episodes=1)
    assert measured("episode_return", subject).value < 0
