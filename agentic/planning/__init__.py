"""Goals, gains, plans and the expected energy that acting lowers."""

from agentic.planning.expected_energy import sign

__all__ = [
    "sign",
]
