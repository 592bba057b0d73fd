"""What is kept of the past: active information storage, autonomy, lags and decay."""

from collections.abc import Callable

import numpy as np

from agentic_metrics import (
    ActiveInformationStorage,
    Autonomy,
    Estimate,
    LagInformation,
    Machine,
    autoregressive_storage,
    decay_time,
    exact_storage,
    exponential_time,
)
from calibration.case import SURROGATES, Case, Source, alarms, covers
from calibration.processes import EPISODES, STEPS, Series, bits, flips, line

FLIPS = exact_storage(Machine.of_chain([[0.9, 0.1], [0.1, 0.9]]))


def stored(
    process: Callable[[Source], Series], estimator: str = "auto", surrogates: int = 0
) -> Callable[[Source], Estimate]:
    """Active information storage of a process."""

    metric = ActiveInformationStorage(estimator=estimator, surrogates=surrogates)
    return lambda source: metric.estimate(list(process(source)), generator=source)


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
    return Autonomy(lag=1, surrogates=0).estimate(list(chain(source)), list(bits(source)), generator=source)


def reflex(source: Source) -> Estimate:
    """The same as what is seen, nine times in ten."""
    world = flips(0.2, source)
    system = np.where(source.random(world.shape) < 0.9, world, 1 - world)
    return Autonomy(surrogates=SURROGATES).estimate(list(system), list(world), generator=source)


def measured_reflex(source: Source) -> Estimate:
    """What is seen with noise added, both measured."""
    world = line(0.5, source)
    system = world + source.normal(size=world.shape)
    metric = Autonomy(estimator="gaussian", surrogates=SURROGATES)
    return metric.estimate(list(system), list(world), generator=source)


def apart(source: Source) -> Estimate:
    latent, seen = (list(flips(0.2, source)) for _ in range(2))
    return LagInformation(lags=1, surrogates=SURROGATES).profile(latent, seen, generator=source)[1]


def line_covers(coefficient: float, estimator: str, label: str) -> Case:
    """Storage of y' = coefficient y + noise."""
    estimate = stored(lambda source: line(coefficient, source), estimator)
    return covers(f"storage, AR {coefficient}, {label}", estimate, autoregressive_storage(coefficient))


CASES = (
    covers("storage, flips, plug-in", stored(chain), FLIPS),
    covers("storage, flips, one episode", stored(run), FLIPS),
    line_covers(0.5, "gaussian", "Gaussian"),
    line_covers(0.9, "gaussian", "Gaussian"),
    line_covers(0.5, "neighbors", "k-NN"),
    line_covers(0.9, "neighbors", "k-NN"),
    covers("decay time, AR .5", decayed(0.5), exponential_time(0.5)),
    covers("autonomy, flips", alone, FLIPS),
    alarms("storage, coin", stored(bits, surrogates=SURROGATES), surrogates=SURROGATES),
    alarms("storage, coin, chi-square", stored(bits)),
    alarms("storage, white, Gaussian", stored(white, "gaussian", SURROGATES), surrogates=SURROGATES),
    alarms("storage, white, chi-square", stored(white, "gaussian")),
    alarms("storage, white, k-NN", stored(white, "neighbors", SURROGATES), surrogates=SURROGATES),
    alarms("autonomy, reflex", reflex, surrogates=SURROGATES),
    alarms("autonomy, measured reflex", measured_reflex, surrogates=SURROGATES),
    alarms("lag information, chains apart", apart, surrogates=SURROGATES),
    alarms("decay time, white", decayed(0.0, SURROGATES), surrogates=SURROGATES),
)
