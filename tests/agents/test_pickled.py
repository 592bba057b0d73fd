"""Agents and policies that were made in Python, from a file."""

from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from agentic import UserError, make
from agentic.testing.worlds import Coin
from agentic_agents.pickled import Pickled


@pytest.mark.parametrize("kept", [lambda obs: 1, Coin()], ids=["function", "agent"])
def test_what_acts_is_an_agent_again(kept: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.pkl"
    file.write_bytes(cloudpickle.dumps(kept))
    agent = Pickled.from_env(make("CartPole-v1"), str(file))
    assert type(agent).__name__ == ("Coin" if isinstance(kept, Coin) else "PolicyAgent")


@pytest.mark.parametrize(
    ("content", "said"), [(b"no pickle", "cannot be read"), (cloudpickle.dumps(3), "holds a int"), (None, "no file")]
)
def test_what_does_not_act_is_refused(content: bytes | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.pkl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=said):
        Pickled.from_env(make("CartPole-v1"), str(file))
