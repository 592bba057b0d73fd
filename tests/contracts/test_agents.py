"""Every one of the agents in the registry keeps its contract."""

from typing import Any

KIND = "agents"


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
