"""Generative models written as energies, and the evidence that perceiving lowers."""

from agentic.models.model import NEGLIGIBLE, Branches, Branching, LinearSystem

__all__ = ["NEGLIGIBLE", "Branches", "Branching", "LinearSystem"]
