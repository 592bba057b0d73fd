"""Ids of families, and what is said of an id that nobody knows."""

import sys
from types import ModuleType

import gymnasium
import pytest

from agentic import UserError, make
from agentic.environments.ids import FAMILIES, bring, unknown


@pytest.mark.parametrize(("start", "extra"), [(start, extra) for start, (_, extra) in FAMILIES.items()])
def test_a_family_that_is_not_installed_names_what_to_install(
    start: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gymnasium, "registry", {})
    monkeypatch.setitem(sys.modules, FAMILIES[start][0], None)  # whatever is installed here
    with pytest.raises(UserError, match=rf"pip install 'agentic\[{extra}\]'"):
        make(f"{start}Any-v0")


def test_a_family_is_brought_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gymnasium, "registry", {})
    monkeypatch.setitem(sys.modules, "ale_py", ModuleType("ale_py"))
    bring("ALE/Pong-v5")
    bring("CartPole-v1")


@pytest.mark.parametrize(
    ("id", "near"),
    [
        ("CartPol", "CartPole-v1"),
        ("cartpole-v1", "CartPole-v1"),
        ("CARTPOLE", "CartPole-v1"),
        ("CartPole-v9", "CartPole-v1"),
        ("cliffwalking", "CliffWalking-v1"),
    ],
)
def test_what_is_nearly_right_is_suggested(id: str, near: str) -> None:
    assert near in unknown(id)
    with pytest.raises(UserError, match="did you mean"):
        make(id)


def test_what_is_near_nothing_says_where_environments_come_from() -> None:
    assert "see `agentic envs`. Environments come from" in unknown("Qqqqqq")
    assert "those that begin with ALE/, MiniGrid-, BabyAI-" in unknown("Qqqqqq")
