"""Agents that come with agentic: baselines, policies of other tools, and the energy agent by name."""

from agentic import hookimpl


@hookimpl
def agentic_agents() -> dict[str, str]:
    """Agents by short name."""
    return {
        "clone": "agentic_agents.clone:Clone",
        "constant": "agentic_agents.constant:Constant",
        "energy": "agentic:EnergyAgent",
        "habit": "agentic_agents.habit:Habit",
        "planner": "agentic_agents.planner:Planner",
        "random": "agentic_agents.random:RandomAgent",
        "reflex": "agentic_agents.reflex:Reflex",
        "rock": "agentic_agents.rock:Rock",
        "sb3": "agentic_agents.saved:SavedPolicy",
        "thermostat": "agentic_agents.thermostat:Thermostat",
    }
