"""Metrics that intervene: responses of an agent to a changed world, goal, memory or observation."""
