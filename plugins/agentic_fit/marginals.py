"""The posterior of one parameter alone, by Laplace's approximation over all others.

Along a parameter the others are raised to where the posterior is highest, and integrated as a normal there (Tierney and
Kadane 1986). A posterior that is normal keeps its interval; that of a skewed one is skewed, as it often is where a
precision and a preference make up for each other.
"""

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator

from agentic_fit.ascent import LEVEL, Landscape, Place, climb

OUTWARD = (0.7, 1.4, 2.2, 3.2, 4.5, 6.5, 9.5, 14.0)  # standard deviations from the top where the posterior is looked at
DEEP = 6.0  # nats below the top where looking ends
NEAR = 0.02  # nats that the others may still gain


def interval(land: Landscape, top: Place, j: int, tail: float = 0.025) -> tuple[float, float]:
    """Where the marginal posterior of parameter `j` leaves `tail` on either side, in units of the prior."""
    deviation = float(torch.linalg.inv(top.precision)[j, j].sqrt())
    sides = [_side(land, top, j, sign * deviation) for sign in (-1, 1)]
    places = np.array([*[w for w, _ in sides[0]][::-1], float(top.w[j]), *[w for w, _ in sides[1]]])
    heights = np.array([*[h for _, h in sides[0]][::-1], _height(top, j), *[h for _, h in sides[1]]])
    grid = np.linspace(places[0], places[-1], 4001)
    density = np.exp(PchipInterpolator(places, heights - heights.max())(grid))
    share = np.cumsum(density)
    low, high = np.interp([tail * share[-1], (1 - tail) * share[-1]], share, grid)
    return float(low), float(high)


def _side(land: Landscape, top: Place, j: int, step: float) -> list[tuple[float, float]]:
    """Places of parameter `j` on one side of the top, going outward, and the log densities there."""
    found, place, first = list[tuple[float, float]](), top, _height(top, j)
    for distance in OUTWARD:
        aim = float(top.w[j]) + distance * step
        along = torch.linalg.inv(place.precision)[j]
        start = place.w + along / along[j] * (aim - place.w[j])
        place, _ = climb(land, start, held=j, enough=NEAR)
        found.append((aim, _height(place, j)))
        if not found[-1][1] > first - DEEP:
            break
    return found


def _height(place: Place, j: int) -> float:
    """The log of the posterior's integral over all parameters but `j`, up to a constant."""
    others = [i for i in range(len(place.w)) if i != j]
    curved = torch.linalg.eigvalsh(place.precision[others][:, others])
    return place.height - 0.5 * float(curved.clamp(min=LEVEL).log().sum())
