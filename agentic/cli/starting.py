"""The tables that a run starts from, where it is given a file, an environment or another agent."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from shlex import quote
from typing import Any

from agentic.agents.agent import Agent
from agentic.cli.nearby import find_nearby
from agentic.errors import UserError, listed
from agentic.experiments.agent_file import with_file
from agentic.experiments.agent_parts import places, unused
from agentic.experiments.examples import folder as examples
from agentic.experiments.experiment import Experiment, override
from agentic.experiments.proposals import propose
from agentic.experiments.toml import read
from agentic.experiments.worlds import LIMIT, gymnasium_id, versioned
from agentic.plugins import Registry
from agentic.plugins.parameters import accepted

FLAGS = {
    "seed": "run.seed",
    "device": "run.device",
    "envs": "run.envs",
    "episodes": "evaluate.episodes",
    "steps": "learn.steps",
}
"""The settings that have an option of their own."""


def starting_tables(
    file: str | None, env: str | None, agent: str | None, registry: Registry, settings: Iterable[str] = ()
) -> tuple[dict[str, Any], str, str]:
    """The tables to start from, how to name them in messages, and why these; `settings` may change the environment.

    They are those of a file, of the example made for an environment, or of the best proposal for it.
    """
    if (file is None) == (env is None):
        raise UserError("expected either an experiment file or --env ID, as in `agentic run --env CartPole-v1`")
    agent, own = _agent(agent, registry)
    source = "" if file is None else f"{file}: "
    found, reason = _for_world(env or "", agent, registry, settings) if file is None else (_read(file), "")
    if found is None and agent is None:
        raise UserError(
            f"no example was made for {env!r}, and no plugin proposes what to do there: name an agent that needs no "
            f"other table, as in `agentic run --env {quote(env or '')} --agent random{_files(registry)}`"
        )
    if found is None:
        return {"env": {"id": env}, "agent": {"name": agent, **own}}, "", ""
    if agent is not None:
        whole = Experiment.of(found, source=source)
        found, reason = retarget(whole, agent, registry).tables(), reason if whole.agent.name == agent else ""
        found["agent"] |= own
    taken = found["env"]["id"] if reason else env
    return found, source, f"{env}{f', which is {taken}' if taken != env else ''}: {reason}" if reason else ""


def retarget(experiment: Experiment, name: str, registry: Registry) -> Experiment:
    """The experiment with the same world and schedule for the agent `name`, with only those tables that it takes."""
    if name == experiment.agent.name:
        return experiment
    takes = accepted(with_file(registry, name).find(Agent, name, "[agent]")[1])
    dropped = {*unused(experiment, takes), *(() if "learner" in takes.names else ("learn",))}
    dropped |= set() if experiment.evaluate.episodes else {"evaluate"}  # of an agent that only learned
    kept = {table: content for table, content in experiment.tables().items() if table not in dropped}
    return Experiment.of({**kept, "agent": {"name": name}})


def _read(file: str) -> dict[str, Any]:
    """The tables of an experiment file. Raises UserError, which knows the examples, where it cannot be read."""
    if "." not in file and not Path(file).exists() and (examples() / f"{file}.toml").is_file():
        raise UserError(
            f"there is no file {file}; the example of that name is copied here by `agentic examples {file} --to .`"
        )
    return read(file)


def logging_to(loggers: Iterable[str | Mapping[str, Any]], tables: dict[str, Any]) -> dict[str, Any]:
    """The tables with more loggers, by name or as tables; one whose name they have already is left out."""
    known = tables.get("loggers", [])
    if not isinstance(known, list):
        return tables  # which its own check tells
    names = [each.get("name") if isinstance(each, Mapping) else each for each in known]
    more = [{"name": each} if isinstance(each, str) else dict(each) for each in loggers]
    added = [each for each in more if each.get("name") not in names]
    return {**tables, "loggers": [*known, *added]} if added else tables


def _agent(agent: str | None, registry: Registry) -> tuple[str | None, dict[str, Any]]:
    """The name of an agent, and its keys: a saved policy, "file.zip", is the `path` of the one that takes one."""
    if agent is None or not agent.endswith(".zip"):
        return agent, {}
    agents = {name: registry.find(Agent, name)[1] for name in registry.satisfying(Agent)}
    takers = [name for name, each in agents.items() if "path" in accepted(each).names]
    if len(takers) != 1:
        raise UserError(f"{agent} is no agent's name, and of files the agents take: {listed(takers)}: write which")
    return takers[0], {"path": agent}


def _example_for(identifier: str, registry: Registry) -> dict[str, Any] | None:
    """The tables of the example for this very environment, unchanged and of the shortest name; None without one."""
    wanted = versioned(gymnasium_id(identifier, registry))
    for path in sorted(examples().glob("*.toml"), key=lambda path: (len(path.name), path.name)):
        tables = read(path)
        env = tables.get("env", {})
        changed = env.get("changes") or env.get("wrappers")
        if gymnasium_id(env.get("id", ""), registry) == wanted and not changed:
            return tables
    return None


def _files(registry: Registry) -> str:
    """The options that load the same plugin files again."""
    return "".join(f" --plugin {quote(path)}" for path in registry.files)


def _of_parts(agent: str, registry: Registry) -> bool:
    """Whether an agent needs tables beside its own."""
    takes = accepted(with_file(registry, agent).find(Agent, agent, "[agent]")[1])
    return any(place.needed for place in places(takes).values())


def _for_world(
    env: str, agent: str | None, registry: Registry, settings: Iterable[str]
) -> tuple[dict[str, Any] | None, str]:
    """The tables of the example for an environment, or of the best proposal for it as `settings` change it, and why.

    A step limit alone is no change. None where there is neither, and where the agent needs none.
    """
    find_nearby([env])
    example = _example_for(env, registry)
    own = {"kwargs": {}, "changes": [], "wrappers": []} | (example or {}).get("env", {}) | {"id": env}
    tables = {"env": deepcopy(own)}
    for setting in settings:
        if setting.partition(".")[0].strip() == "env":
            override(tables, setting)
    changed = any(_apart(own.get(key), part) for key, part in tables["env"].items())
    if (example is None or changed) and (agent is None or _of_parts(agent, registry)):
        found, reason = _proposed(tables["env"], registry)
        if found is not None:
            return found, reason
    said = "as in the example made for it" + (", which knows nothing of the changes" if changed else "")
    return example, said if example else ""


def _apart(own: Any, asked: Any) -> bool:
    """Whether an entry of [env] makes another world of it than the example's."""
    if isinstance(own, dict) and isinstance(asked, dict):
        return {**own, "max_episode_steps": 0} != {**asked, "max_episode_steps": 0}
    return bool(own != asked)


def _proposed(env: Mapping[str, Any], registry: Registry) -> tuple[dict[str, Any] | None, str]:
    """The tables of the best proposal for a table [env], and the reason; None without one."""
    wrappers = env.get("wrappers") or []
    find_nearby([env["id"], *(each if isinstance(each, str) else each.get("name", "") for each in wrappers)])
    found = propose(env, registry)
    if found is None:
        return None, ""
    cut = found.tables["env"]["kwargs"].keys() - env["kwargs"].keys()
    said = f"; it declares no step limit: its episodes are cut at {LIMIT:,} steps" if cut else ""
    return dict(found.tables), f"{found.reason}{said}"
