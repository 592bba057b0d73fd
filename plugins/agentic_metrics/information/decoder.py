"""A linear decoder of choices: the simplest probe, so that what it finds is there to be used."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from agentic import UserError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@final
@dataclass(frozen=True)
class Decoder:
    """Multinomial logistic regression with a ridge, cross-fitted over `folds` groups of episodes.

    `ridge` is the precision (inverse variance) of the normal prior of every weight of a standardized feature.
    """

    ridge: float = 1.0
    folds: int = 5

    def __post_init__(self) -> None:
        if self.ridge <= 0 or self.folds < 2:
            raise UserError(f"a decoder needs ridge > 0 and folds >= 2, got {self}")

    def fit(self, x: Floats, y: Integers, start: Floats) -> Floats:
        """The weights (f + 1, classes) of features x (n, f) that predict y (n,) best, found from `start`."""
        classes = start.shape[1]
        design = np.concatenate([x, np.ones((len(x), 1))], 1)
        rows, target = np.arange(len(y)), np.eye(classes)[y]
        penalty = np.append(np.full(x.shape[1], self.ridge), 1e-6)[:, None]  # the offset is all but free

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(-1, classes)
            logits = design @ weights
            total = logsumexp(logits, axis=1)
            value = (total - logits[rows, y]).sum() + 0.5 * (penalty * weights**2).sum()
            slope = design.T @ (np.exp(logits - total[:, None]) - target) + penalty * weights
            return float(value) / len(y), slope.ravel() / len(y)

        options = {"maxiter": 300, "gtol": 1e-5}
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        return np.asarray(found.x.reshape(-1, classes))


def held_out(weights: Floats, x: Floats, y: Integers) -> Floats:
    """The log2 probability (n,) that a fitted decoder gives to y."""
    logits = x @ weights[:-1] + weights[-1]
    return np.asarray((logits[np.arange(len(y)), y] - logsumexp(logits, axis=1)) / np.log(2))
