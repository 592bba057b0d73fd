"""Transfer entropy: coverage of all estimators, false alarms of all nulls."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from agentic_metrics import (
    Estimate,
    TransferEntropy,
    gaussian_transfer_entropy,
)
from calibration.case import SURROGATES, Case, Source, alarms, covers
from calibration.processes import Pair, apart, backward, copy, doubt, linear, pulled, pushed, ring, signs

World = Callable[[Source, int, int], Pair]


def flow(
    world: World, estimator: str, *, episodes: int, steps: int, lag: int = 1, surrogates: int = 0
) -> Callable[[Source], Estimate]:
    """From source to target of a world, of episodes of so many steps."""

    metric = TransferEntropy(lag=lag, estimator=estimator, surrogates=surrogates)

    def estimate(source: Source) -> Estimate:
        x, y = world(source, episodes, steps)
        return metric.estimate(list(x), list(y), generator=source)

    return estimate


def nothing(name: str, world: World, estimator: str, *, episodes: int, steps: int, lag: int = 1) -> Case:
    """Judged by surrogates."""
    estimate = flow(world, estimator, episodes=episodes, steps=steps, lag=lag, surrogates=SURROGATES)
    return alarms(name, estimate, surrogates=SURROGATES)


LINEAR = gaussian_transfer_entropy([[0.5, 0], [0.5, 0.5]], np.eye(2), source=[0], target=[1])
SIGNS = 1 - float(quad(lambda o: norm.pdf(o) * doubt(norm.cdf(2 * o)), -4, 4)[0])

CASES = (
    covers("copy channel, plug-in", flow(copy, "plugin", episodes=20, steps=50), 1 - doubt(0.1)),
    covers("linear process, Gaussian", flow(linear, "gaussian", episodes=20, steps=100), LINEAR),
    covers("linear process, k-NN", flow(linear, "neighbors", episodes=20, steps=50), LINEAR),
    covers("noisy sign, mixed k-NN", flow(signs, "mixed", episodes=20, steps=50, lag=0), SIGNS),
    nothing("chains apart, plug-in", apart, "plugin", episodes=10, steps=50),
    nothing("chains apart, 4 episodes, plug-in", apart, "plugin", episodes=4, steps=125),
    nothing("random agent on a ring, plug-in", ring, "plugin", episodes=10, steps=50, lag=0),
    nothing("linear process backward, Gaussian", backward, "gaussian", episodes=10, steps=50),
    nothing("linear process backward, k-NN", backward, "neighbors", episodes=8, steps=20),
    nothing("random pushes on a line, mixed k-NN", pushed, "mixed", episodes=8, steps=30, lag=0),
    nothing("random forces on a line, k-NN", pulled, "neighbors", episodes=8, steps=20, lag=0),
    alarms("chains apart, chi-square", flow(apart, "plugin", episodes=10, steps=50)),
    alarms("random agent on a ring, chi-square", flow(ring, "plugin", episodes=10, steps=50, lag=0)),
    alarms("linear process backward, chi-square", flow(backward, "gaussian", episodes=10, steps=50)),
)
