"""Recordings whose boundaries are known because they were planted, and worlds in which our agents are to be found."""

from agentic_envs.planted.cell import cell
from agentic_envs.planted.recording import Planted, network, structureless
from agentic_envs.planted.several import objects, switching

__all__ = ["Planted", "cell", "network", "objects", "structureless", "switching"]
