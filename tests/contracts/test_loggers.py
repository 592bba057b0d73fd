"""Every one of the loggers in the registry keeps its contract."""

from typing import Any

import pytest

pytest.importorskip("tensorboardX")

KIND = "loggers"


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
