"""What importing the package offers to Gymnasium and to the toolkit."""

import warnings
from importlib import import_module

import gymnasium
import pytest

import agentic_envs
from agentic_envs.registration import ENTRY_POINTS, register_all


@pytest.mark.parametrize("identifier", list(ENTRY_POINTS))
def test_importing_the_package_registers_its_environments(identifier: str) -> None:
    env = gymnasium.make(identifier)
    assert type(env.unwrapped).__name__ == identifier.removeprefix("agentic/").removesuffix("-v0")


def test_registering_twice_changes_nothing_and_does_not_warn() -> None:
    before = {identifier: gymnasium.registry[identifier] for identifier in ENTRY_POINTS}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_all()
    assert all(gymnasium.registry[identifier] is spec for identifier, spec in before.items())


def test_the_hook_names_classes_that_exist_and_are_the_registered_ones() -> None:
    offered = agentic_envs.agentic_envs()
    assert list(offered)[:6] == ["tmaze", "tiger", "gridworld", "cliffworld", "room", "point_mass"]
    assert list(offered)[6:12] == ["pomdp", "cuechain", "bandit", "foggrid", "adjacent_tmaze", "spring_chain"]
    assert list(offered.values())[:12] == list(ENTRY_POINTS.values())
    for path in offered.values():
        module, name = path.split(":")
        assert issubclass(getattr(import_module(module), name), gymnasium.Env | gymnasium.Wrapper)
