"""Every one of the metrics in the registry keeps its contract."""

from typing import Any

KIND = "metrics"


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
