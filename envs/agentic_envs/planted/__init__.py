"""Recordings whose boundaries are known because they were planted."""

from agentic_envs.planted.recording import Planted, network, structureless

__all__ = ["Planted", "network", "structureless"]
