"""The kit catches energies of populations that break their contract, each in one way."""

import pytest
import torch
from torch import Tensor

from agentic import PopulationEnergy
from agentic.testing import check
from tests.contracts.broken import assert_only


class Spread(PopulationEnergy):
    """Minus the total variance: nothing is wrong with it."""

    def forward(self, z: Tensor) -> Tensor:
        return -z.var(0).sum()


class OnePerRow(Spread):
    """An energy of rows."""

    def forward(self, z: Tensor) -> Tensor:
        return z.square().sum(-1)


class OrdersRows(Spread):
    """Looks at neighbors, as if rows were a sequence."""

    def forward(self, z: Tensor) -> Tensor:
        return -(z[1:] - z[:-1]).square().mean()


class Divides(Spread):
    """Infinite where all rows are alike."""

    def forward(self, z: Tensor) -> Tensor:
        return z.var(0).sum().reciprocal()


class Detached(Spread):
    """Autograd sees half of it."""

    def forward(self, z: Tensor) -> Tensor:
        return -(z * (z - z.mean(0)).detach()).mean()


class Centers(Spread):
    """Works in place on what it was given."""

    def forward(self, z: Tensor) -> Tensor:
        if not z.requires_grad:
            z -= z.mean(0)
        return super().forward(z)


class AlwaysDouble(Spread):
    """Answers in float64 whatever it is asked in."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z).double()


class Restless(Spread):
    """Draws from the global generator."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z @ torch.randn(z.shape[-1], 1, dtype=z.dtype))


CAUGHT = [
    (OnePerRow, "one_number"),
    (OrdersRows, "order_of_rows_has_no_meaning"),
    (Divides, "finite"),
    (Detached, "gradcheck"),
    (Centers, "inputs_untouched"),
    (AlwaysDouble, "dtype_kept"),
    (Restless, "global_randomness_untouched"),
]


@pytest.mark.parametrize(("component", "name"), CAUGHT)
def test_it_is_caught(component: type, name: str) -> None:
    assert_only("energies", component, name)


def test_nothing_is_wrong() -> None:
    assert [str(finding) for finding in check("energies", Spread) if not finding.passed] == []
