"""`agentic envs`: the worlds that plugins bring, what can be changed in any world, and how to use Gymnasium's own."""

import inspect
import json
from typing import Any

import click

from agentic.cli.completing import ENVIRONMENT
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import BREAKS, described
from agentic.plugins import Registry

USAGE = """Any Gymnasium environment: agentic run --env CartPole-v1 --agent random
One from another package:   agentic run --env package:Name-v0 --agent random
One of my_envs.py, here:    agentic run --env my_envs:Name-v0 --agent rule.py
Its class, not registered:  agentic run --env my_envs:Name --agent rule.py
With other constants:       agentic run --env CartPole-v1 --set env.kwargs.max_episode_steps=200
In a changed world:         agentic run --env CartPole-v1 --set env.changes='[{name="remap_actions", order=[1, 0]}]'
With anybody's wrappers:    agentic run --env CartPole-v1 --set env.wrappers='["gymnasium.wrappers:ClipReward"]'"""


@click.command()
@click.option("--check", "checked", type=ENVIRONMENT, help="Whether a seed decides an episode of this environment.")
@json_option("Rows as JSON on standard output.")
@with_registry
def envs(checked: str | None, as_json: bool, registry: Registry) -> None:
    """List the environments there are."""
    if checked is not None:
        return _check(checked, registry)
    rows = [_row(name, registry) for name in registry.names("envs")]
    if as_json:
        answer(json.dumps(rows, indent=2))
        return
    from rich.table import Table

    from agentic.cli.terminal import console

    worlds = Table("name", "Gymnasium id", "observation", "action", "what", title="Environments", title_justify="left")
    changes = Table("name", "parameters", "what", title="Changes of any environment", title_justify="left")
    for row in rows:
        if row["wrapper"]:
            changes.add_row(row["name"], ", ".join(row["parameters"]), row["summary"])
        else:
            worlds.add_row(row["name"], row["id"], row["observation"], row["action"], row["summary"])
    console().print(worlds, *([changes] if changes.rows else []))
    click.echo(USAGE)


def _check(id: str, registry: Registry) -> None:
    """Say in one line whether two resets with one seed are the same, and leave with exit code 1 where they are not."""
    from agentic.cli.nearby import find_nearby
    from agentic.experiments.experiment import Experiment
    from agentic.experiments.worlds import limited, world_of
    from agentic.testing.environments import ignores_seed

    asked = Experiment.of({"env": {"id": id}, "agent": {"name": "any"}})
    find_nearby([id])
    environment, _ = world_of(limited(asked, registry), registry)
    try:
        found = ignores_seed(environment.copies()())
    finally:
        environment.close()
    say(f"{environment.id}: {found or 'a seed decides an episode, as far as a few steps show'}")
    click.get_current_context().exit(1 if found else 0)


def _row(name: str, registry: Registry) -> dict[str, Any]:
    import gymnasium

    from agentic.experiments.worlds import gymnasium_id
    from agentic.plugins.parameters import accepted

    target = registry.resolve("envs", name)
    wrapper = isinstance(target, type) and issubclass(target, gymnasium.Wrapper)
    row: dict[str, Any] = {
        "name": name,
        "id": None if wrapper else gymnasium_id(name, registry),
        "plugin": registry.component("envs", name).plugin,
        "wrapper": wrapper,
        "parameters": list(accepted(target, 1 if wrapper else 0).names),
        "observation": None,
        "action": None,
        "summary": (inspect.getdoc(target) or "").partition("\n")[0],
    }
    if not wrapper:
        try:
            world = gymnasium.make(row["id"])
            row |= {"observation": str(world.observation_space), "action": str(world.action_space)}
            world.close()
        except BREAKS as error:  # a third party's class: it may need arguments, or be broken
            row["summary"] = f"cannot be made without arguments: {described(error)}"
    return row
