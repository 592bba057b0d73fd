"""The contract of an agent, the energy-minimizing agent, and policies made elsewhere."""

from agentic.agents.energy_agent import EnergyState
from agentic.agents.policy_agent import Memory
from agentic.agents.tabular import policy_table, with_flat_prior

__all__ = ["EnergyState", "Memory", "policy_table", "with_flat_prior"]
