"""A learner at a two-armed bandit: how far what it sees shapes what it does, and what it does what it sees.

Both numbers are exact, from the law of all histories of five pulls (after Abel et al. 2025).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentic_metrics.information.directed import exact_directed_information, exact_plasticity, joint_law
from figures.style import COLORS, picture

PAYS = (0.8, 0.2)  # probability that an arm pays 1
PULLS = 5
STEP = 0.1  # of the learner toward each payment
EPSILONS = np.linspace(0, 1, 21)
INITIAL = np.arange(0.05, 2.05, 0.1)  # never 1, where a payment changes nothing and the arms stay tied


def bandit_law(epsilon: float, initial: float, *, pulls: int = PULLS) -> NDArray[np.float64]:
    """The joint law of pulls and payments of an epsilon-greedy learner, (2, 2) * pulls.

    Its values start at `initial` and move a tenth of the way to every payment; of equal arms it takes the first.
    """

    def learner(arms: tuple[int, ...], payments: tuple[int, ...]) -> list[float]:
        values = [initial, initial]
        for arm, payment in zip(arms, payments, strict=True):
            values[arm] += STEP * (payment - values[arm])
        best = int(values[1] > values[0] + 1e-9)
        return [(1 - epsilon) * (arm == best) + epsilon / 2 for arm in (0, 1)]

    def bandit(arms: tuple[int, ...], payments: tuple[int, ...]) -> tuple[float, float]:
        return 1 - PAYS[arms[-1]], PAYS[arms[-1]]

    return joint_law(learner, bandit, steps=pulls, actions=2, observations=2)


def draw(folder: Path) -> Iterator[Path]:
    """Both flows against epsilon, and that from pulls to payments against the initial value."""
    path = folder / "plasticity.svg"
    with picture(path, columns=2) as (left, right):
        laws = [bandit_law(epsilon, 0.5) for epsilon in EPSILONS]
        left.plot(EPSILONS, [exact_plasticity(law) for law in laws], color=COLORS[0], label="plasticity, O to A")
        flows = [exact_directed_information(law) for law in laws]
        left.plot(EPSILONS, flows, color=COLORS[1], linestyle="--", label="empowerment used, A to O")
        left.set(xlabel="ε, the share of random pulls", ylabel=f"bits in {PULLS} pulls")
        left.legend(frameon=False)
        flows = [exact_directed_information(bandit_law(0.1, initial)) for initial in INITIAL]
        right.plot(INITIAL, flows, color=COLORS[1], linestyle="--")
        right.set(xlabel="initial value of both arms (ε = 0.1)", ylabel="empowerment used, A to O (bits)")
    yield path
