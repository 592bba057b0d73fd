"""A contract fits in the head: at most five members to write or to override, apart from data and from what is final."""

import inspect
from collections.abc import Iterator
from typing import final

import pytest

import agentic
from agentic.engine.objective import Differentiable
from agentic.plugins import KINDS
from agentic.plugins.contracts import contracts_of

MOST = 5
EXCEPTIONS: dict[str, tuple[int, str]] = {}  # to the number of members: a ceiling, and why it is not two contracts
OFFERED = [contract for kind in KINDS for contract in contracts_of(kind) if contract.__module__.startswith("agentic.")]
MORE = ["Objective", "Plan", "Belief", "ClosedForm", "LeastSquares", "Encoder", "UncertainWeights", "Trainable"]
CLASSES: list[type] = [*OFFERED, *(getattr(agentic, name) for name in MORE), Differentiable]


def members(contract: type) -> Iterator[str]:
    """The public methods and properties that a contract adds to its bases and that are not final."""
    inherited = {name for base in contract.__mro__[1:] for name in vars(base)} - {"__call__", "forward"}
    for name, value in vars(contract).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        public = not name.startswith("_") or name == "__call__"
        if public and name not in inherited and inspect.isfunction(function):
            if not getattr(function, "__final__", False):
                yield name


@pytest.mark.parametrize("contract", CLASSES, ids=lambda contract: contract.__name__)
def test_a_contract_has_few_members(contract: type) -> None:
    found, limit = list(members(contract)), EXCEPTIONS.get(contract.__name__, (MOST, ""))[0]
    assert len(found) <= limit, f"{contract.__name__} has {len(found)}: make some final, or a contract of their own"


def test_no_exception_is_wider_than_it_need_be() -> None:
    counts = {contract.__name__: len(list(members(contract))) for contract in CLASSES}
    loose = {name: limit for name, (limit, _) in EXCEPTIONS.items() if counts[name] < limit}
    assert not loose, f"lower or remove them: {loose}"


def test_the_count_knows_what_it_counts() -> None:
    class Contract:
        data: int = 0

        def __call__(self) -> None: ...

        def one(self) -> None: ...

        @property
        def two(self) -> int:
            return 2

        @property
        @final
        def three(self) -> int:
            return 3

        @final
        def four(self) -> None: ...

        @classmethod
        def five(cls) -> None: ...

        def _six(self) -> None: ...

    class Narrower(Contract):
        def one(self) -> None: ...

        def seven(self) -> None: ...

    assert list(members(Contract)) == ["__call__", "one", "two", "five"]
    assert list(members(Narrower)) == ["seven"]
