"""The choice of an estimator of information, by its name or by the kind of the variables."""

import numpy as np

from agentic import UserError
from agentic_metrics.sampling.gaussian import GaussianEstimator
from agentic_metrics.sampling.information import Estimator
from agentic_metrics.sampling.neighbors import REPEATED, Mixed, Neighbors
from agentic_metrics.sampling.plugin import Plugin
from agentic_metrics.sampling.series import Series

ESTIMATORS: dict[str, type[Plugin | GaussianEstimator | Neighbors | Mixed]] = {
    each.name: each for each in (Plugin, GaussianEstimator, Neighbors, Mixed)
}


def named(name: str) -> Estimator | None:
    """The estimator of a name, with default parameters; None for "auto". Raises UserError for unknown names."""
    if name == "auto":
        return None
    if name not in ESTIMATORS:
        raise UserError(f"there is no estimator {name!r}: use auto, {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]()


def suited(*variables: Series) -> Estimator:
    """The estimator for these variables: Plugin of names, Neighbors of numbers that hardly ever repeat, else Mixed."""
    if all(variable.discrete for variable in variables):
        return Plugin()
    return Mixed() if any(variable.discrete or _repeats(variable) for variable in variables) else Neighbors()


def _repeats(variable: Series) -> bool:
    columns = variable.joined().T
    return any(len(np.unique(column)) < (1 - REPEATED) * len(column) for column in columns)
