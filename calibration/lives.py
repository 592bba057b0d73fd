"""What an intervention changes: homeostasis, semantic information, adaptation; and what a latent state holds."""

from collections.abc import Callable

import numpy as np

from agentic_metrics import (
    Estimate,
    Homeostasis,
    PlanContent,
    PolicyAdaptation,
    SemanticInformation,
    linear_homeostasis,
)
from calibration.case import Source, alarms, covers
from calibration.processes import flips, line

DRAWS = 999  # surrogates of the metrics here


def steadied(passive: float, closed: float) -> Callable[[Source], Estimate]:
    """A place on a line that keeps `passive` of its deviation by itself, `closed` of it in the agent's hands."""
    metric = Homeostasis(surrogates=DRAWS)
    return lambda source: metric.estimate(list(line(closed, source)), list(line(passive, source)), generator=source)


def survived(actual: float, scrambled: float) -> Callable[[Source], Estimate]:
    """Lengths of 40 pairs of lives, which are longer in good worlds; those that `scrambled` what was seen last."""

    def estimate(source: Source) -> Estimate:
        world = source.poisson(5, 40)
        lengths = [world + source.poisson(extra, 40) for extra in (actual, scrambled)]
        return SemanticInformation(surrogates=DRAWS).estimate(*lengths, generator=source)

    return estimate


def cloned(source: Source) -> Estimate:
    """A clone acts after 8 changes as before: 12 returns each, by chance alone."""
    frozen, after = source.normal(size=(2, 8, 12))
    return PolicyAdaptation().estimate(frozen, after, np.full(8, 3.0), generator=source)


def reflex(source: Source) -> Estimate:
    """Does what it sees, mostly; its latent state is what it sees, with noise."""
    seen = flips(0.2, source, 12, 12)
    done = np.where(source.random(seen.shape) < 0.9, seen, 1 - seen)
    latent = seen + 0.5 * source.normal(size=seen.shape)
    return PlanContent(horizon=1).estimate(list(latent), list(done), list(seen), generator=source)


CASES = (
    covers("homeostasis, AR .9 held at .5", steadied(0.9, 0.5), linear_homeostasis(0.9, 1.0, 0.4, 1.0)),
    covers("homeostasis, AR .8 held at .5", steadied(0.8, 0.5), linear_homeostasis(0.8, 1.0, 0.3, 1.0)),
    covers("semantic information, 2 steps longer", survived(4.0, 2.0), 2.0),
    alarms("homeostasis, acts as the passive one", steadied(0.5, 0.5), surrogates=DRAWS),
    alarms("semantic information, actions of no use", survived(2.0, 2.0), surrogates=DRAWS),
    alarms("policy adaptation, clone, rollouts", cloned, surrogates=DRAWS),
    alarms("plan content, reflex", reflex, at_most=True),
)
