"""CITATION.cff and the page about it say the version that pyproject.toml has."""

import tomllib

import yaml

from tests.house.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_is_of_this_version() -> None:
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert str(found["version"]) == PROJECT["version"]
    assert found["license"] == PROJECT["license"]


def test_so_is_the_page() -> None:
    assert f"version = {{{PROJECT['version']}}}" in (ROOT / "docs" / "cite.md").read_text(encoding="utf-8")
