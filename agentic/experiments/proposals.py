"""Proposals: what plugins would run in an environment where nobody says what; the best of them is taken."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

from agentic.agents.agent import Agent
from agentic.environments.environment import Environment
from agentic.errors import ThirdPartyWarning, UserError, attempt, shown
from agentic.experiments.agent_file import with_file
from agentic.experiments.experiment import Experiment
from agentic.experiments.worlds import limited, world_of
from agentic.plugins import Registry, load


@final
@dataclass(frozen=True)
class Proposal:
    """An experiment that is proposed for an environment, and why.

    `score` is from 0 to 1: 1 for what was made for this very world, .9 for planning in what is known of it, .5 for
    learning from nothing. `reason` is one line. `tables` are those of an experiment file; [env] may be left out, or
    have changes and wrappers. Raises UserError for a score beyond, and for a reason that is empty or of several lines.
    """

    score: float
    reason: str
    tables: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise UserError(f"the score of a proposal is a number from 0 to 1, got {shown(self.score)}")
        if len(self.reason.splitlines()) != 1:
            raise UserError(f"the reason of a proposal is one line, got {shown(self.reason)}")


def propose(env: str | Mapping[str, Any] | Environment, registry: Registry | None = None) -> Proposal | None:
    """The best of what plugins propose for `env`, an id, a table [env] or made already, with that table filled in.

    That is the highest score, the first by the name of its plugin among equals; None where nobody proposes anything.
    Endless episodes are cut as `agentic run` does. A ThirdPartyWarning names a plugin whose proposal breaks or is none
    that can be run, which is left out. Raises UserError for an environment that cannot be made.
    """
    registry = load() if registry is None else registry
    given = env if isinstance(env, Environment) else None
    table = env if isinstance(env, Mapping) else {"id": env if given is None else given.id}
    experiment = Experiment.of({"env": table, "agent": {"name": "any"}})
    experiment = limited(experiment, registry) if given is None else experiment
    environment = world_of(experiment, registry)[0] if given is None else given
    found: list[Proposal] = []
    try:
        for each in sorted(registry.proposers, key=lambda each: each.name):
            made = attempt(partial(_asked, each.target, environment, experiment.env.model_dump(), registry))
            if isinstance(made, UserError | RuntimeError):
                words = f"plugin {each.plugin}: its proposal for {environment.id} is left out, {made}"
                warnings.warn(words, ThirdPartyWarning, stacklevel=2)
            elif made is not None:
                found.append(made)
    finally:
        if given is None:
            environment.close()
    return max(found, key=lambda each: each.score, default=None)


def _asked(hook: Any, environment: Environment, table: Mapping[str, Any], registry: Registry) -> Proposal | None:
    """A plugin's answer, with the table [env] filled in. Raises UserError for what is no experiment of known agents."""
    found = hook(environment)
    if found is None:
        return None
    if not isinstance(found, Proposal):
        raise UserError(f"it is {shown(found)}; expected an agentic.Proposal or None")
    own = found.tables.get("env", {})
    env = {**own, **{key: part for key, part in table.items() if part}}
    env["changes"] = [*table["changes"], *own.get("changes", ())]  # around those it was asked with
    experiment = Experiment.of({**found.tables, "env": env})
    with_file(registry, experiment.agent.name).find(Agent, experiment.agent.name, "[agent]")
    return replace(found, tables=experiment.tables())
