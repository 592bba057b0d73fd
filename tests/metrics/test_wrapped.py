"""Exact values through a wrapper that somebody wrote: those of the world one acts in, or none."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from agentic import Intervention, Metric, Schedule, Subject, Truth, UserError, make, measure, run
from agentic_agents.clone import Clone
from agentic_agents.planner import Planner
from agentic_metrics import (
    Empowerment,
    EpisodeReturn,
    GoalDirectedness,
    PlanningDepth,
    PolicyAdaptation,
    PolicyComplexity,
)

Env = gymnasium.Env[Any, Any]


class Turned(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A world in which every action does what its opposite did."""

    def step(self, action: Any) -> Any:
        return self.env.step((action + 2) % 4)


class Claimed(Turned):
    """The same, and it says so; as it is told of, so it must step itself."""

    def step(self, action: Any) -> Any:
        return self.env.step((action + 2) % 4)

    def true_model(self) -> Truth:
        inside, order = make(self.env).truth(), [2, 3, 0, 1]
        moves = [each[..., order] for each in inside["B"]]
        return {**inside, "B": moves, "rewards": inside["rewards"][:, order]}


def lake() -> Env:
    return gymnasium.make("FrozenLake-v1", is_slippery=False, max_episode_steps=50)


def planner() -> Planner:
    return Planner.from_env(make(lake()), depth=30, discount=0.99)


def test_exact_is_lived_through_a_wrapper_that_tells_its_truth() -> None:
    for env, agent in (
        (lambda: Claimed(lake()), planner()),
        (lambda: Claimed(lake()), Planner.from_env(make(Claimed(lake())), 30)),
    ):
        exact = measure(EpisodeReturn(exact=True, horizon=50), Subject(agent=agent, environment=env)).value
        lived = run(agent, make(env), Schedule(episodes=20), seed=0).returns().mean()
        assert exact == pytest.approx(lived)


@pytest.mark.parametrize(
    "metric",
    [
        EpisodeReturn(exact=True, horizon=50),
        Empowerment(),
        GoalDirectedness(exact=True),
        PlanningDepth(exact=True),
        PolicyComplexity(exact=True),
    ],
)
def test_what_needs_the_truth_is_refused_through_one_that_does_not(metric: Metric) -> None:
    with pytest.raises(UserError, match=r"the wrapper Turned changes what the agent meets .* define it on Turned"):
        measure(metric, Subject(agent=planner(), environment=lambda: Turned(lake())))
    other = gymnasium.wrappers.TransformReward(lake(), lambda reward: 10 * float(reward))
    with pytest.raises(UserError, match="wrapper TransformReward changes"):
        measure(metric, Subject(agent=planner(), environment=lambda: other))


def test_an_intervention_written_by_hand_has_an_adaptation_or_a_reason() -> None:
    agents = {"planner": planner(), "clone": Clone.from_env(make(lake()), planner())}

    def adaptation(name: str, wrapper: Any, informed: Any = "both") -> float:
        turned = Intervention.announced("turned", wrapper, lake, informed)
        found = measure(PolicyAdaptation(), Subject(agent=agents[name], environment=lake, interventions=(turned,)))
        return float(found.value)

    assert adaptation("planner", Claimed) == pytest.approx(1)
    assert adaptation("clone", Claimed) == adaptation("clone", Turned) == 0
    with pytest.raises(UserError, match=r"define it on Turned, to return the arrays"):
        adaptation("planner", Turned)
    assert np.isfinite(adaptation("planner", Turned, "nothing"))
