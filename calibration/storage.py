"""What is kept of the past: active information storage, autonomy, lags and decay."""

from collections.abc import Callable

import numpy as np

from agentic_metrics import (
    Estimate,
    Estimator,
    GaussianEstimator,
    Machine,
    Neighbors,
    active_information_storage,
    autonomy,
    autoregressive_storage,
    decay_time,
    exact_storage,
    exponential_time,
    lag_information,
)
from calibration.case import SURROGATES, Case, Source, alarms, covers
from calibration.processes import EPISODES, STEPS, Series, bits, flips, line

FLIPS = exact_storage(Machine.of_chain([[0.9, 0.1], [0.1, 0.9]]))


def stored(
    process: Callable[[Source], Series], estimator: Estimator | None = None, surrogates: int = 0
) -> Callable[[Source], Estimate]:
    """Active information storage of a process."""

    def estimate(source: Source) -> Estimate:
        series = list(process(source))
        return active_information_storage(series, estimator=estimator, surrogates=surrogates, generator=source)

    return estimate


def chain(source: Source) -> Series:
    return flips(0.1, source)


def run(source: Source) -> Series:
    return flips(0.1, source, 1, EPISODES * STEPS)


def white(source: Source) -> Series:
    return line(0.0, source, 10, 40)


def decayed(coefficient: float, surrogates: int = 0) -> Callable[[Source], Estimate]:
    return lambda source: decay_time(list(line(coefficient, source)), surrogates=surrogates, generator=source)


def alone(source: Source) -> Estimate:
    """A chain beside coins that it does not see."""
    return autonomy(list(chain(source)), list(bits(source)), surrogates=0, generator=source)


def reflex(source: Source) -> Estimate:
    """The same as what is seen, nine times in ten."""
    world = flips(0.2, source)
    system = np.where(source.random(world.shape) < 0.9, world, 1 - world)
    return autonomy(list(system), list(world), lag=0, surrogates=SURROGATES, generator=source)


def measured_reflex(source: Source) -> Estimate:
    """What is seen with noise added, both measured."""
    world = line(0.5, source)
    system = world + source.normal(size=world.shape)
    return autonomy(
        list(system), list(world), lag=0, estimator=GaussianEstimator(), surrogates=SURROGATES, generator=source
    )


def apart(source: Source) -> Estimate:
    latent, seen = (list(flips(0.2, source)) for _ in range(2))
    return lag_information(latent, seen, lags=1, surrogates=SURROGATES, generator=source)[1]


def line_covers(coefficient: float, estimator: Estimator, label: str) -> Case:
    """Storage of y' = coefficient y + noise."""
    estimate = stored(lambda source: line(coefficient, source), estimator)
    return covers(f"storage, AR {coefficient}, {label}", estimate, autoregressive_storage(coefficient))


CASES = (
    covers("storage, flips, plug-in", stored(chain), FLIPS),
    covers("storage, flips, one episode", stored(run), FLIPS),
    line_covers(0.5, GaussianEstimator(), "Gaussian"),
    line_covers(0.9, GaussianEstimator(), "Gaussian"),
    line_covers(0.5, Neighbors(), "k-NN"),
    line_covers(0.9, Neighbors(), "k-NN"),
    covers("decay time, AR .5", decayed(0.5), exponential_time(0.5)),
    covers("autonomy, flips", alone, FLIPS),
    alarms("storage, coin", stored(bits, surrogates=SURROGATES), surrogates=SURROGATES),
    alarms("storage, coin, chi-square", stored(bits)),
    alarms("storage, white, Gaussian", stored(white, GaussianEstimator(), SURROGATES), surrogates=SURROGATES),
    alarms("storage, white, chi-square", stored(white, GaussianEstimator())),
    alarms("storage, white, k-NN", stored(white, Neighbors(), SURROGATES), surrogates=SURROGATES),
    alarms("autonomy, reflex", reflex, surrogates=SURROGATES),
    alarms("autonomy, measured reflex", measured_reflex, surrogates=SURROGATES),
    alarms("lag information, chains apart", apart, surrogates=SURROGATES),
    alarms("decay time, white", decayed(0.0, SURROGATES), surrogates=SURROGATES),
)
