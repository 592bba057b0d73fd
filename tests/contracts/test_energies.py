"""Every one of the energies in the registry keeps its contract; so do those that learn, and sums of them."""

from typing import Any

import numpy as np

from agentic import Real
from agentic.testing.trolley import Trolley
from agentic.testing.worlds import Cart, Ladder
from agentic_energies.categorical import CategoricalModel
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table

KIND = "energies"
EXTRA = {
    "counting": CategoricalModel(
        counts=[[[3.0, 1.0], [1.0, 4.0]]],
        B=[[[[0.7, 0.1], [0.2, 0.6]], [[0.3, 0.9], [0.8, 0.4]]]],
        D=[[0.6, 0.4]],
        ends=[0.0, 0.5],
    ),
    "controls": CategoricalModel(
        A=[[[0.9, 0.2], [0.1, 0.8]]],
        B=[np.moveaxis(np.random.default_rng(0).dirichlet([1.0, 1.0], (2, 2, 3)), -1, 0)],  # a control of 2, one of 3
        D=[[0.6, 0.4]],
        dependencies={"B_actions": [[0, 1]]},
    ),
    "regressing": LinearGaussian.learned(Real((2,)), Real((1,))),
    "sum": Table.example() + 0.5 * Table.example(),
    "ladder": Ladder(),
    "cart": Cart(),
    "trolley": Trolley(),
}


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
