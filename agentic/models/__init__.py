"""Generative models written as energies, and the evidence that perceiving lowers."""

from agentic.models.model import LinearSystem

__all__ = ["LinearSystem"]
