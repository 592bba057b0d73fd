"""Every one of the envs in the registry keeps its contract."""

from typing import Any

KIND = "envs"


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
