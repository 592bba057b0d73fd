"""Worlds of finitely many states, where values are exact."""
