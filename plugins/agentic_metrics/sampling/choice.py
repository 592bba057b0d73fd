"""Which estimator of information suits which variables."""

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
    """The estimator of that name with its default parameters; None for "auto". Raises UserError for other names."""
    if name == "auto":
        return None
    if name not in ESTIMATORS:
        raise UserError(f"there is no estimator {name!r}: use auto, {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]()


def suited(*variables: Series) -> Estimator:
    """Plugin where all variables are names, Neighbors where all are numbers that hardly ever repeat, else Mixed."""
    if all(variable.discrete for variable in variables):
        return Plugin()
    return Mixed() if any(variable.discrete or _repeats(variable) for variable in variables) else Neighbors()


def _repeats(variable: Series) -> bool:
    columns = variable.joined().T
    return any(len(np.unique(column)) < (1 - REPEATED) * len(column) for column in columns)
