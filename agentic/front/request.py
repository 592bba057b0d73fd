"""Who is meant and in which world: what commands find by name, and objects made in Python, as one experiment."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol, TypeAlias, runtime_checkable

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from agentic.agents.agent import Agent
from agentic.agents.policy_agent import PolicyAgent
from agentic.cli.starting import retarget, starting_tables
from agentic.environments.environment import Environment, EnvironmentLike, make
from agentic.errors import UserError, listed, shown, suggest
from agentic.experiments.agent_file import agent_path
from agentic.experiments.build import Built, build
from agentic.experiments.examples import folder as examples
from agentic.experiments.experiment import Experiment
from agentic.experiments.proposals import propose
from agentic.experiments.toml import toml_value
from agentic.experiments.worlds import LIMIT, gymnasium_id, limited, world_of
from agentic.plugins import Registry

Who: TypeAlias = "str | Path | Experiment | Mapping[str, Any] | Agent | Callable[..., Any] | object"
"""An experiment file, an example's or an agent's name, an experiment or its tables, an agent, a policy, a function."""
Settings: TypeAlias = "Mapping[str, Any] | Iterable[str]"
"""Settings of an experiment: {"planner.horizon": 3}, {"planner": {"horizon": 3}} or ["planner.horizon=3"]."""


@runtime_checkable
class Policy(Protocol):
    """Whatever predicts an action from an observation, as a model of Stable-Baselines3."""

    def predict(self, obs: Any, /) -> Any:
        """The action, or (action, state)."""


def assignments(settings: Settings) -> list[str]:
    """Settings as `--set` takes them, each "table.key=value"; tables within tables are followed."""
    if isinstance(settings, Mapping):
        return [f"{key}={toml_value(value)}" for key, value in _leaves(settings)]
    return several(settings, (str,), "settings as {'planner.horizon': 3} or ['planner.horizon=3']")


def paths(files: str | Path | Iterable[str | Path]) -> list[str]:
    """Plugins by path, one or several."""
    return [str(file) for file in several(files, (str, Path), "plugins by the path of their file")]


def several(given: Any, kinds: tuple[type, ...], wanted: str) -> list[Any]:
    """One of some `kinds`, or several of them, as a list; none for None. Raises UserError for anything else."""
    many = [given] if isinstance(given, kinds) else given
    found = [] if many is None else [*many] if isinstance(many, Iterable) else [many]
    if not all(isinstance(each, kinds) for each in found):
        raise UserError(f"expected {wanted}, got {shown(given)}")
    return found


def is_named(who: Who) -> bool:
    """Whether files and names describe it, so that it could be run by the command."""
    return who is None or isinstance(who, str | Path | Experiment | Mapping)


def experiment_of(who: Who, env: str | None, agent: str | None, registry: Registry, settings: list[str]) -> Experiment:
    """The experiment that files and names stand for, with `settings`.

    `who` is the path of an experiment file, the name of an example, of an agent in `env` or of an environment, an
    experiment or its tables; None where `env`, and maybe `agent`, say it all. Raises UserError for anything else.
    """
    source = ""
    if isinstance(who, Experiment | Mapping):
        tables = who.tables() if isinstance(who, Experiment) else dict(who)
    elif (file := experiment_file(who)) is not None:
        tables, source, _ = starting_tables(file, None, None, registry)
    elif env is None:
        if who is None:
            raise UserError("nothing says in which environment: give env='CartPole-v1', or an example such as 'tmaze'")
        _check_world(str(who), registry)
        tables, source, _ = starting_tables(None, str(who), agent, registry, settings)
        agent = None
    else:
        who = one_of(who, agent, env, "run")
        tables, source, _ = starting_tables(None, env, None if who is None else str(who), registry, settings)
        env = agent = None
    if env is not None:
        tables = {**tables, "env": {"id": env}}
    if agent is not None:
        tables = retarget(Experiment.of(tables, source=source), agent, registry).tables()
    return Experiment.of(tables, settings, source=source)


def experiment_file(who: Who) -> str | None:
    """The experiment file that is meant by its path, or by the name of an example; None for any other name."""
    if not isinstance(who, str | Path):
        return None
    if str(who).endswith(".toml"):
        known = [path.stem for path in examples().glob("*.toml")]
        if not Path(who).is_file() and Path(who).stem in known:
            raise UserError(f"there is no file {who}; the example of that name is {Path(who).stem!r}")
        return str(who)
    named = examples() / f"{who}.toml"
    return str(named) if Path(who).name == str(who) and named.is_file() else None


def live(who: Who, env: EnvironmentLike, registry: Registry, settings: list[str]) -> Built:
    """The agent that `who` is, in `env` which it is made for; one of the two is an object. Raises UserError.

    Their experiment says as much as there is to say of objects.
    """
    if isinstance(env, str):
        table = Experiment.of({"env": {"id": env}, "agent": {"name": named(who)}}, settings)
        world, rows = world_of(limited(table, registry), registry)
        return Built(table, _agent(who, world), world, [*rows, _row("agents", named(who), who)])
    rows_asked = Experiment.of({"env": {"id": "made"}, "agent": {"name": "any"}}, settings).run.envs
    world = make(env, envs=rows_asked, changes=[] if isinstance(env, VectorEnv) else [_limited])
    if rows_asked not in (1, world.batch):
        raise UserError(f"envs = {rows_asked}, but {world.id} has {world.batch} row(s): leave envs out")
    rows = [_row("envs", world.id, env)]
    if not is_named(who):
        table = Experiment.of({"env": {"id": world.id}, "agent": {"name": named(who)}}, settings)
        return Built(table, _agent(who, world), world, [*rows, _row("agents", named(who), who)])
    built = build(_within(who, world, registry, settings, known=_is_plain(env)), registry, world)
    return replace(built, components=[*rows, *built.components])


def named(who: Who) -> str:
    """The name of an agent that is an object: a function's own, of others that of the class."""
    name = who.__name__ if isinstance(who, FunctionType) else type(who).__name__
    return "function" if name == "<lambda>" else name


def one_of(subject: Who, agent: str | None, env: Any, function: str) -> Who:
    """The agent that is meant, by either of the two options. Raises UserError for two, and for one without a world."""
    if subject is not None and agent is not None:
        first = subject if isinstance(subject, str | Path) else named(subject)
        raise UserError(f"two agents are named, {first} and {agent}: leave one of them out")
    if env is None:
        _check_acts(subject)
        raise UserError(
            f"{named(subject)} needs its environment: name it too, as in agentic.{function}(..., 'CartPole-v1')"
        )
    return agent if subject is None else subject


def _agent(who: Who, world: Environment) -> Agent:
    if isinstance(who, Agent):
        return who
    _check_acts(who)
    return PolicyAgent(who, world.observation_layout, world.action_layout)


def _check_acts(who: Who) -> None:
    if isinstance(who, type) or not (callable(who) or isinstance(who, Agent | Policy)):
        raise UserError(
            "expected an experiment file, the name of an example or an agent, an agent, something with predict(obs) or "
            f"a function from observation to action, got {shown(who)}"
        )


def _row(kind: str, name: str, thing: object) -> dict[str, Any]:
    """The row of what no plugin offers."""
    module = thing.__module__ if isinstance(thing, FunctionType) else type(thing).__module__
    return {"kind": kind, "name": name, "plugin": module, "version": None, "parameters": {}}


def _within(who: Who, world: Environment, registry: Registry, settings: list[str], *, known: bool) -> Experiment:
    """The experiment of a named agent in a world that was made already, which its id stands for where it is `known`."""
    if experiment_file(who) is not None or isinstance(who, Experiment | Mapping):
        return experiment_of(who, world.id, None, registry, settings)
    agent = None if who is None else str(who)
    if known:
        return experiment_of(None, world.id, agent, registry, settings)
    found = propose(world, registry)
    tables = {"env": {"id": world.id}, "agent": {"name": agent or "any"}} if found is None else dict(found.tables)
    if found is None and agent is None:
        raise UserError(f"no plugin proposes what to do in {world.id}: name an agent, as in agentic.run('random', env)")
    if found is not None and agent is not None:
        tables = retarget(Experiment.of(tables), agent, registry).tables()
    return Experiment.of(tables, settings)


def _is_plain(env: Any) -> bool:
    """Whether a world is what its id makes without arguments and wrappers."""
    spec = env.spec if isinstance(env, gymnasium.Env) else None
    known = gymnasium.registry.get(spec.id) if spec else None
    return bool(spec and known and spec.kwargs == known.kwargs and not spec.additional_wrappers)


def _limited(made: Any) -> Any:
    """A single environment, in the wrapper that ends its episodes where nothing but the agent need ever end them."""
    if not isinstance(made, gymnasium.Env):
        return made
    layer, found = made, [made]
    while isinstance(layer, gymnasium.Wrapper):
        layer = layer.env
        found.append(layer)
    limited = any(isinstance(each, gymnasium.wrappers.TimeLimit) for each in found)
    if limited or (made.spec and made.spec.max_episode_steps) or (layer.metadata or {}).get("ends_episodes"):
        return made
    return gymnasium.wrappers.TimeLimit(made, LIMIT)


def _check_world(name: str, registry: Registry) -> None:
    """Raises UserError for a name that is no environment's, with the nearest of all that are known."""
    known = {path.stem for path in examples().glob("*.toml")}
    agents = registry.names("agents")
    if name in agents or agent_path(name):
        raise UserError(f"{name} is an agent: name its environment too, as in agentic.run({name!r}, 'CartPole-v1')")
    worlds = {*registry.names("envs"), *gymnasium.registry, *(each.rpartition("-v")[0] for each in gymnasium.registry)}
    if ":" in name or gymnasium_id(name, registry) in worlds:
        return
    if Path(name).exists():
        raise UserError(f"{name} is no experiment file: expected one that ends in .toml, or the name of an example")
    near = suggest(name, [*known, *agents, *worlds])
    raise UserError(f"{name!r} is no experiment file, example or environment{near}; examples: {listed(sorted(known))}")


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value.item() if isinstance(value, np.generic) else value
