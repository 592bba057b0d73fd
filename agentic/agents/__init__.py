"""What decides: the contract of an agent, the energy-minimizing one, and policies of anybody's making."""

from agentic.agents.energy_agent import EnergyState
from agentic.agents.policy_agent import Memory

__all__ = [
    "EnergyState",
    "Memory",
]
