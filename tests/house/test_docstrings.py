"""Whatever is public says what it is: names of the core, of its rooms and of the plugins, and their members."""

from dataclasses import dataclass

import pytest

from tests.house.public_surface import documented, packages, public, undocumented


@pytest.mark.parametrize("package", packages())
def test_what_is_public_has_a_docstring(package: str) -> None:
    missing = [name for full_name, thing in public(package).items() for name in undocumented(full_name, thing)]
    assert not missing, f"a docstring says what it is, its shapes and units; it is missing at {', '.join(missing)}"


def test_the_surface_is_not_read_empty() -> None:
    assert {"agentic.Energy", "agentic.minimize"} <= set(public("agentic"))
    assert {"agentic.testing", "agentic_bench", "agentic_metrics"} <= set(packages())
    assert len(public("agentic_metrics")) > 100


class Contract:
    """A contract with a member that is documented."""

    def said(self) -> None:
        """What it is."""

    def unsaid(self) -> None: ...


class Kept(Contract):
    """Overriding what the contract documents needs no docstring; whatever is new does."""

    def said(self) -> None: ...

    @property
    def new(self) -> int:
        return 0

    def _private(self) -> None: ...


@dataclass
class Bare:
    x: int = 0


def test_an_override_is_documented_by_its_contract() -> None:
    assert list(undocumented("Contract", Contract)) == ["Contract.unsaid"]
    assert list(undocumented("Kept", Kept)) == ["Kept.new"]


def test_the_docstring_that_a_dataclass_makes_up_is_none() -> None:
    assert not documented(Bare)
    assert list(undocumented("Bare", Bare)) == ["Bare"]
