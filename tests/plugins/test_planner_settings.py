"""Settings of planners and learners of which only nonsense would come are refused, each in one sentence."""

from collections.abc import Callable
from math import inf

import pytest

from agentic import Purpose, Real, UserError
from agentic_energies.cost_to_go import CostToGoNetworks
from agentic_energies.ensemble import Ensemble
from agentic_optimizers.evolution import Evolution
from agentic_optimizers.gradient_learner import GradientLearner
from agentic_optimizers.icem import Icem
from agentic_optimizers.mppi import Mppi


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Icem(color=1e4), "0 <= color <= 10"),
        (lambda: Icem(color=inf), "0 <= color <= 10"),
        (lambda: Icem(spread=inf), "spread <= 100"),
        (lambda: Icem(shrink=1e300), "shrink <= 100"),
        (lambda: Evolution(spread=float("nan")), "spread"),
        (lambda: Mppi(temperature=1e-300), "temperature >= 1e-9"),
        (lambda: Ensemble(Real((2,)), Real((1,)), sensor_noise=1e300), "1e-12 <= sensor_noise <= 1e6"),
        (lambda: Ensemble(Real((2,)), Real((1,)), sensor_noise=1e-300), "1e-12 <= sensor_noise <= 1e6"),
        (lambda: GradientLearner(Ensemble.example(), batch=10**6, updates=10**5), "at most 100,000,000 rows a fit"),
        (lambda: Purpose(CostToGoNetworks.example()), "make it planner.terminal"),
    ],
)
def test_it_is_refused(made: Callable[[], object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        made()
