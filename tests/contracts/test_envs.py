"""Every one of the envs in the registry keeps its contract."""

from typing import Any

import pytest

KIND = "envs"


def test_keeps_its_contract(requirement: Any, meets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentic.testing.truths.STEPS", 10_000)  # the truths of ours have exact tests, in tests/envs
    meets(requirement)
