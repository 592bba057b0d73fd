"""Generative models written as energies, and the evidence that perceiving lowers."""

from agentic.models.model import Branches, LinearSystem

__all__ = ["Branches", "LinearSystem"]
