"""A test module with a KIND runs every check over every component of that kind in the registry."""

from typing import Any

import pytest

from agentic.plugins import load
from agentic.testing import NotApplicable, checks


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kind = getattr(metafunc.module, "KIND", None)
    if kind is None or "requirement" not in metafunc.fixturenames:
        return
    registry = load()
    components: dict[str, Any] = {name: registry.resolve(kind, name) for name in registry.names(kind)}
    components |= getattr(metafunc.module, "EXTRA", {})
    cases = [(name, check) for name, component in components.items() for check in checks(kind, component)]
    parameters = [pytest.param(check, id=f"{name}-{check.name}") for name, check in cases]
    metafunc.parametrize("requirement", parameters)


@pytest.fixture
def meets() -> Any:
    """Run a check; one that does not apply is a skipped test."""

    def run(check: Any) -> None:
        try:
            check()
        except NotApplicable as reason:
            pytest.skip(str(reason))

    return run
