"""The rock."""

import pytest

from agentic import UserError, make
from agentic_agents.rock import Rock


def test_a_rock_never_moves() -> None:
    assert Rock.from_env(make("Pendulum-v1")).event.tolist() == [[0.0]]
    assert Rock.from_env(make("CartPole-v1"), action=1).event.tolist() == [[0.0, 1.0]]
    for env, action in (("CartPole-v1", 2), ("CartPole-v1", -1), ("Pendulum-v1", 0)):
        with pytest.raises(UserError, match="leave it out"):
            Rock.from_env(make(env), action=action)
