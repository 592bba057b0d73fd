"""Agents that come with agentic: what every other one is compared with."""

from agentic import hookimpl


@hookimpl
def agentic_agents() -> dict[str, str]:
    """Agents by short name."""
    return {
        "energy": "agentic:EnergyAgent",
        "random": "agentic_agents.random:RandomAgent",
        "rock": "agentic_agents.rock:Rock",
    }
