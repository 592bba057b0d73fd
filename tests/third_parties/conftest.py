"""Packages of others, where they are installed."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def pymdp() -> Iterator[Any]:
    """pymdp's Agent, in float64."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield pytest.importorskip("pymdp.agent").Agent
