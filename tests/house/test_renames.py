"""Whoever follows docs/renames.md arrives: its new names are there."""

import re
from importlib import import_module
from typing import Any

import pytest

from tests.house.repository import ROOT

PAGE = (ROOT / "docs" / "renames.md").read_text(encoding="utf-8")
NEW = [line.split("|")[-2] for line in PAGE.splitlines() if line.startswith("| `")]
NAMES = sorted({name for cell in NEW for name in re.findall(r"`(agentic(?:_\w+)?(?:\.\w+)+)", cell)})
PATHS = sorted({path for cell in NEW for path in re.findall(r"`((?:agentic|plugins|envs|tests|docs)/[\w./]+)`", cell)})


@pytest.mark.parametrize("name", NAMES)
def test_a_new_name_is_there(name: str) -> None:
    package, *parts = name.split(".")
    found: Any = import_module(package)
    for part in parts:
        if not hasattr(found, part):
            import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)


@pytest.mark.parametrize("path", PATHS)
def test_a_new_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_there_are_many() -> None:
    assert min(len(NAMES), len(PATHS)) > 20
