"""Running statistics of wrappers: learning moves them, evaluation does not, and where it does that is said."""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation, NormalizeReward
from gymnasium.wrappers.vector import NormalizeObservation as NormalizeObservations

from agentic import Agent, Decision, Schedule, make, run, ticks
from agentic.environments.environment import Environment
from agentic.errors import ThirdPartyWarning
from agentic.learning.learner import Learner
from agentic.tick import Tick


class Blind(Agent):
    """Draws its actions and has a learner that learns nothing."""

    class _Nothing(Learner):
        def update(self, tick: Tick) -> dict[str, float]:
            return {}

        def start(self, *, generator: torch.Generator) -> None:
            return None

    def __init__(self, env: Environment) -> None:
        self.domain, self.learner = env.action, self._Nothing()

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(self.domain.draw(len(obs), generator=generator, dtype=obs.dtype))


def both() -> gymnasium.Env[Any, Any]:
    return NormalizeReward(NormalizeObservation(gymnasium.make("CartPole-v1")))


def statistics(env: Any) -> list[float]:
    """Counts and means of all statistics within an environment of both wrappers."""
    layers = [env, env.env]
    kept = [layer.obs_rms if isinstance(layer, NormalizeObservation) else layer.return_rms for layer in layers]
    return [float(x) for each in kept for x in (each.count, *np.ravel(each.mean), *np.ravel(each.var))]


@pytest.mark.parametrize(
    "batch",
    [
        lambda singles: singles[0],
        lambda singles: singles,
        lambda singles: SyncVectorEnv([lambda: singles[0], lambda: singles[1]]),
    ],
    ids=["one", "several", "vector"],
)
def test_learning_moves_them_and_evaluation_does_not(batch: Callable[[Any], Any]) -> None:
    singles = [both(), both()]
    env = batch(singles)
    agent, seen = Blind(make(env)), []
    run(agent, env, Schedule(3, learn_steps=40), observer=lambda p: seen.append((p.phase, statistics(singles[0]))))
    learned = [found for phase, found in seen if phase == "learn"]
    evaluated = [found for phase, found in seen if phase == "evaluate"]
    assert learned[0] != learned[-1] == evaluated[0] == evaluated[-1]
    assert singles[0].get_wrapper_attr("update_running_mean")
    run(agent, env, Schedule(1, learn_steps=10))
    assert statistics(singles[0]) != evaluated[-1]


def test_what_the_caller_froze_stays_frozen() -> None:
    env = NormalizeObservation(gymnasium.make("CartPole-v1"))
    env.update_running_mean = False
    before = np.copy(env.obs_rms.mean)
    run(Blind(make(env)), env, Schedule(2, learn_steps=20))
    assert not env.update_running_mean
    np.testing.assert_array_equal(env.obs_rms.mean, before)


def test_the_loop_by_itself_freezes_them_until_it_is_left() -> None:
    env = both()
    before = statistics(env)
    for place, _ in enumerate(ticks(Blind(make(env)), env, phase="evaluate")):
        assert not env.get_wrapper_attr("update_running_mean")
        if place == 3:
            break
    assert statistics(env) == before
    assert env.get_wrapper_attr("update_running_mean")
    list(ticks(Blind(make(env)), env, steps=3))
    assert statistics(env) != before


def test_wrappers_of_vector_environments_are_frozen_too() -> None:
    env = NormalizeObservations(SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2))
    before = env.obs_rms.count
    run(Blind(make(env)), env, Schedule(2))
    assert env.obs_rms.count == before
    assert env.update_running_mean


class RunningMeanStd:
    """Statistics of third parties go by this name."""

    def __init__(self) -> None:
        self.mean, self.count = 0.0, 0

    def update(self, x: float) -> None:
        self.count += 1
        self.mean += (x - self.mean) / self.count


class Own(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Statistics without a switch."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.seen = RunningMeanStd()

    def step(self, action: Any) -> Any:
        obs, *rest = super().step(action)
        self.seen.update(float(obs[0]))
        return (obs, *rest)


class Stuck(NormalizeObservation):
    """A switch that cannot be moved."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "update_running_mean":
            raise AttributeError("not to be set")
        super().__setattr__(name, value)


@pytest.mark.parametrize("kind", [Own, Stuck])
def test_what_cannot_be_frozen_is_said_once(kind: type) -> None:
    env = [kind(gymnasium.make("CartPole-v1")) for _ in range(2)]
    with pytest.warns(
        ThirdPartyWarning, match=f"moves the running statistics of {kind.__name__}, which lets"
    ) as caught:
        run(Blind(make(env)), env, Schedule(2))
    assert len(caught) == 1


def test_what_lies_in_other_processes_is_said() -> None:
    env = AsyncVectorEnv([both, both])
    try:
        with pytest.warns(ThirdPartyWarning, match="statistics of AsyncVectorEnv, which lets no update_running_mean"):
            run(Blind(make(env)), env, Schedule(2))
    finally:
        env.close()


def test_worlds_without_statistics_are_left_alone() -> None:
    plain = SyncVectorEnv([lambda: gymnasium.wrappers.TimeLimit(gymnasium.make("CartPole-v1"), 3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not make(plain).adapts
        run(Blind(make(plain)), plain, Schedule(1))
    assert make(both).adapts
