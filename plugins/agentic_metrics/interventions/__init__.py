"""Worlds that are changed under an agent, and how it is told: what tells a planner from a table."""
