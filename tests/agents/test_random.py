"""The random agent."""

from agentic import make, ticks
from agentic_agents.random import RandomAgent


def test_the_same_random_actions_from_the_same_generator() -> None:
    def actions(limit: int) -> list[list[float]]:
        agent = RandomAgent(make("Pendulum-v1").action)
        return [tick.action.tolist() for tick in ticks(agent, "Pendulum-v1", seed=3, steps=limit)]

    assert actions(600)[:300] == actions(300)
    assert len({str(action) for action in actions(600)}) == 600
