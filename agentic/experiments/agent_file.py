"""Agents that are one class or function in a file, named by its path, without packaging or hook."""

import inspect
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from agentic.agents.agent import Agent
from agentic.agents.policy_agent import PolicyAgent
from agentic.environments.environment import Environment
from agentic.errors import BREAKS, UserError, described, listed
from agentic.plugins import Component, Registry
from agentic.plugins.loading import import_file


def with_file(registry: Registry, name: str) -> Registry:
    """The registry with one agent more, where `name` is "path/to/file.py" or "path/to/file.py:Name".

    That is a class: an `Agent`, or a policy, which has `predict(obs)` or is called with an observation. Its parameters
    are those of its constructor (of an agent's `from_env`, where it has one). Or it is a function of an observation.
    Raises UserError where there is no such file, class or function, or several.
    """
    path = agent_path(name)
    if not path:
        return registry
    wanted = name.removeprefix(path).removeprefix(":")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"there is no file {path}: an agent may be the path of a file with its class or function")
    try:
        module, digest = import_file(file.resolve())
    except BREAKS as error:
        raise UserError(f"{path} does not load, {described(error)}") from error
    found = _found(module, path, wanted)
    target = found if inspect.isclass(found) and issubclass(found, Agent) else _policy(found)
    component = Component("agents", name, file.stem, None, "file", target, digest)
    return replace(registry, components=(*registry.components, component))


def agent_path(name: str) -> str:
    """The path in the name of an agent, "path/to/file.py" or "path/to/file.py:Class"; empty for any other name."""
    found = re.fullmatch(r"(.+\.py)(:.*)?", name, re.DOTALL)
    return found[1] if found else ""


def _found(module: ModuleType, path: str, wanted: str) -> Any:
    """The class or function of that name, or the only one that can decide: classes before functions."""
    own = [(key, each) for key, each in vars(module).items() if inspect.isclass(each) or inspect.isfunction(each)]
    own = [(key, each) for key, each in own if each.__module__ == module.__name__]
    classes = {key: each for key, each in own if inspect.isclass(each) and _decides(each)}
    functions = {key: each for key, each in own if inspect.isfunction(each) and _sees(each)}
    fit = {**classes, **functions} if wanted else classes or functions
    chosen = [each for name, each in fit.items() if wanted in (name, "")]
    if len(chosen) != 1:
        asked = f"the class {wanted}" if wanted else "one class"
        raise UserError(
            f"{path} should have {asked} that is an agentic.Agent, has predict(obs) or can be called with an "
            f"observation, or a function of one; such things there: {listed(fit)}"
            + ("" if wanted else f": write {path}:Name")
        )
    return chosen[0]


def _decides(found: type[Any]) -> bool:
    agent = issubclass(found, Agent) and not inspect.isabstract(found)
    return agent or hasattr(found, "predict") or "__call__" in vars(found)


def _sees(function: Any) -> bool:
    """Whether a function can be called with an observation alone, and is not for the file's own use."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    return not function.__name__.startswith("_")


def _policy(found: Any) -> type[Any]:
    """A class that makes an agent of a policy: of a class that makes one, or of a function that is one."""
    made = found if inspect.isclass(found) else lambda: found

    class Policy:
        __signature__ = inspect.signature(made)

        @classmethod
        def from_env(cls, env: Environment, **parameters: Any) -> PolicyAgent:
            return PolicyAgent(made(**parameters), env.observation_layout, env.action_layout)

    Agent.register(Policy)  # what it makes is one
    return Policy
