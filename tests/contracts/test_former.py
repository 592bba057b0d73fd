"""Members that contracts once had: the kit tells whoever still writes one where it went."""

from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import Encoder, Energy, Real
from agentic.testing import check
from agentic.testing.worlds import Coin


class Reads(Energy):
    """1/2 |z - x|^2, with a start that is read off x."""

    latent = Real((2,))

    def forward(self, x: Any, z: Tensor) -> Tensor:
        gap: Tensor = z - x
        return 0.5 * (gap**2).sum(-1)

    def start(self, x: Any) -> Tensor:
        return torch.zeros(len(x), 2, dtype=x.dtype)


class Encodes(Reads, Encoder):
    """The same as an encoder."""


Listens = type("Listens", (Coin,), {"__doc__": "Listens by a former name.", "told": lambda self, change: self})


@pytest.mark.parametrize(
    ("kind", "component", "message"),
    [
        ("energies", Reads, "nobody asks for its start: derive it from agentic.Encoder as well"),
        ("agents", Listens, "nobody asks for its told: it is informed(change) now"),
    ],
)
def test_former_members_are_found(kind: str, component: type, message: str) -> None:
    (found,) = [finding for finding in check(kind, component) if finding.check == "members_are_asked_for"]
    assert (found.passed, found.message) == (False, message)


def test_a_member_of_a_contract_is_none() -> None:
    (found,) = [finding for finding in check("energies", Encodes) if finding.check == "members_are_asked_for"]
    assert found.passed
