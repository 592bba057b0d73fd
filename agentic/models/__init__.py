"""Generative models written as energies, and the evidence that perceiving lowers."""
