"""What crosses a boundary past it: conditional transfer entropies that a boundary sets to zero."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.couplings import Moments, unexplained

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


def leak(moments: Moments, ranks: Ints, sides: Ints) -> float:
    """What crosses a boundary past it, in nats per step.

    `sides` say of each column whether it is world (0), sensor (1), actuator (2) or inside (3). Of each actuator and
    inside column, what the world adds to its prediction from sensors, actuators and inside, and of each sensor and
    world column, what the inside adds to that from the others: sums of Gaussian conditional mutual information, each
    less what chance gives, q / 2n for q regressors more (Wilks 1938).
    """
    total = 0.0
    for target, side in enumerate(sides):
        shut = 0 if side >= 2 else 3
        candidates = moments.candidates(target, ranks)
        allowed = candidates[sides[candidates % moments.columns] != shut]
        more = len(candidates) - len(allowed)
        if more:
            ratio = unexplained(moments, target, allowed) / max(unexplained(moments, target, candidates), 1e-300)
            freedom = max(moments.steps - len(candidates) - 1, 1)
            total += 0.5 * np.log(max(ratio, 1.0)) - more / (2 * freedom)
    return float(total)
