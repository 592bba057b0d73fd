"""Every one of the optimizers in the registry keeps its contract."""

from typing import Any

KIND = "optimizers"


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
