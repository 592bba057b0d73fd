"""Interventions: changed worlds, what an agent is told of them, and what it decides in them."""
