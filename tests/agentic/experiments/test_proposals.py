"""Proposals of plugins for an environment: which is taken, and what is left out with one sentence."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import pytest

from agentic import Environment, Experiment, Proposal, UserError, load, propose
from agentic.errors import ThirdPartyWarning
from agentic.plugins import Registry
from agentic.plugins.registry import Component
from tests.agentic.standins import Same

Hook = Callable[[Environment], Any]


def registry(**hooks: Hook) -> Registry:
    """A registry of plugins that propose something, the last by name first."""
    names = sorted(hooks, reverse=True)
    found = tuple(Component("defaults", n, n, None, "file", hooks[n]) for n in names)  # type: ignore[arg-type]
    agents = tuple(Component("agents", name, "standins", None, "file", Same) for name in ("one", "two"))
    return replace(load(), proposers=found, components=agents)


def saying(agent: str, score: float = 0.5, **tables: Any) -> Hook:
    return lambda environment: Proposal(score, f"{agent} is best", {"agent": {"name": agent}, **tables})


def nothing(environment: Environment) -> None:
    return None


def broken(environment: Environment) -> Proposal:
    raise ZeroDivisionError("of nothing")


def agent_of(found: Proposal | None) -> str:
    assert found is not None
    return Experiment.of(found.tables).agent.name


def test_the_highest_score_is_taken_and_the_first_name_among_equals() -> None:
    assert agent_of(propose("CartPole-v1", registry(a=saying("one"), b=saying("two", 0.7)))) == "two"
    assert agent_of(propose("CartPole-v1", registry(a=saying("one"), b=saying("two"), c=nothing))) == "one"
    assert propose("CartPole-v1", registry(c=nothing)) is None
    assert propose("CartPole-v1", Registry()) is None


def test_it_is_an_experiment_that_runs_in_that_environment() -> None:
    changed = saying(
        "one", env={"id": "Other-v0", "wrappers": ["gymnasium.wrappers:ClipReward"]}, evaluate={"episodes": 3}
    )
    found = propose({"id": "CartPole-v1", "kwargs": {"max_episode_steps": 7}}, registry(a=changed))
    assert found is not None
    experiment = Experiment.of(found.tables)
    assert (experiment.env.id, experiment.env.kwargs) == ("CartPole-v1", {"max_episode_steps": 7})
    assert [each.name for each in experiment.env.wrappers] == ["gymnasium.wrappers:ClipReward"]
    assert experiment.evaluate.episodes == 3


def test_the_environment_is_the_newest_of_its_name_and_has_an_end() -> None:
    gymnasium.register("Forever-v2", entry_point="gymnasium.envs.classic_control:PendulumEnv")
    seen: list[Environment] = []

    def look(environment: Environment) -> None:
        seen.append(environment)

    try:
        assert propose("Forever", registry(a=look)) is None
    finally:
        del gymnasium.registry["Forever-v2"]
    assert seen[0].id == "Forever-v2"
    spec = seen[0].copies()().spec
    assert spec is not None
    assert spec.max_episode_steps == 1000


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (broken, "it broke, ZeroDivisionError: of nothing"),
        (lambda environment: "energy", "it is 'energy'; expected an agentic.Proposal or None"),
        (lambda environment, more: None, "it broke, TypeError"),
        (saying("random", 7), "the score of a proposal is a number from 0 to 1, got 7"),
        (saying("random", float("nan")), "the score of a proposal is a number from 0 to 1, got nan"),
        (lambda environment: Proposal(1, "", {}), "the reason of a proposal is one line, got ''"),
        (lambda environment: Proposal(1, "a\nb", {}), "the reason of a proposal is one line"),
        (lambda environment: Proposal(1, "why", {}), "[agent] is missing: write [agent] and below it name = ..."),
        (saying("random", 1, plannr={"name": "x"}), "unknown table [plannr], did you mean 'planner'?"),
        (saying("random", 1, run={"seed": -1}), "[run] seed"),
        (saying("nobody", 1), "[agent] unknown agent 'nobody'; known: "),
    ],
)
def test_a_plugin_that_breaks_or_proposes_nonsense_is_named_once_and_left_out(hook: Hook, said: str) -> None:
    with pytest.warns(ThirdPartyWarning) as warned:
        assert agent_of(propose("CartPole-v1", registry(a=saying("one"), bad=hook))) == "one"
    assert len(warned) == 1
    assert str(warned[0].message).startswith("plugin bad: its proposal for CartPole-v1 is left out, ")
    assert said in str(warned[0].message)


def test_an_environment_must_be_there() -> None:
    with pytest.raises(UserError, match="unknown environment 'NoSuch-v0'"):
        propose("NoSuch-v0", registry(a=saying("one")))


def test_ctrl_c_is_obeyed() -> None:
    def stop(environment: Environment) -> Proposal:
        raise KeyboardInterrupt

    with warnings.catch_warnings(), pytest.raises(KeyboardInterrupt):
        propose("CartPole-v1", registry(a=stop))
