"""Agents that come with agentic: baselines, policies of other tools, and the energy agent by name."""

from typing import TYPE_CHECKING

from agentic import hookimpl

if TYPE_CHECKING:
    from agentic import Environment, Proposal


@hookimpl
def agentic_agents() -> dict[str, str]:
    """Agents by short name."""
    return {
        "clone": "agentic_agents.clone:Clone",
        "constant": "agentic_agents.constant:Constant",
        "energy": "agentic:EnergyAgent",
        "habit": "agentic_agents.habit:Habit",
        "pickled": "agentic_agents.pickled:Pickled",
        "planner": "agentic_agents.planner:Planner",
        "random": "agentic_agents.random:RandomAgent",
        "reflex": "agentic_agents.reflex:Reflex",
        "rock": "agentic_agents.rock:Rock",
        "sb3": "agentic_agents.saved:SavedPolicy",
        "thermostat": "agentic_agents.thermostat:Thermostat",
    }


@hookimpl
def agentic_defaults(environment: "Environment") -> "Proposal | None":
    """Planning in discrete worlds whose truth is known."""
    from agentic_agents.defaults import proposal

    return proposal(environment)
