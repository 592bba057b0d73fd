"""Generative models written as energies, and the evidence that perceiving lowers."""

from agentic.models.model import NEGLIGIBLE, Branches, Branching, Courses, LinearSystem

__all__ = ["NEGLIGIBLE", "Branches", "Branching", "Courses", "LinearSystem"]
