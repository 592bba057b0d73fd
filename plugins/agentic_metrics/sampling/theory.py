"""Nulls by theory: the chi-square law of an estimate of information between what is independent."""

from dataclasses import replace
from math import ceil

import numpy as np
from scipy.stats import chi2

from agentic import Null
from agentic_metrics.cautions import Caution
from agentic_metrics.sampling.embedding import Places
from agentic_metrics.sampling.information import Information, correlation_time

MEMORY = 1.5  # steps that a contribution is remembered, from which the chi-square law is none
ENOUGH = 3  # independent samples per degree of freedom, and in nine of ten cells, below which there is no law


def chi_square(information: Information, episode: Places) -> tuple[Information, Null | None]:
    """The null of independence by theory, where 2 N I (in nats) is chi-square with `freedom` degrees (Wilks 1938).

    Scaled so that its mean is the bias that was removed (Bartlett 1937), and by the time in which contributions forget:
    N steps are worth fewer samples where both sides remember (Rao and Scott 1981). `episode` (n,) is that of each
    sample. None, and a caution that says why, where the estimator has no such law, where memory is longer than that
    mends, and where there are too few samples for it.
    """
    freedom, bias, n = information.freedom, information.bias, len(information.local)
    ask = "ask for surrogates"
    if freedom is None:
        return _withheld(information, f"the estimator has no null by theory: {ask}")
    kind = f"chi-square, {freedom} degrees of freedom"
    if freedom == 0:
        return information, Null(kind, 0.0, 0.0, 1, 1.0)
    time = correlation_time(np.split(information.local[:, None], np.flatnonzero(np.diff(episode)) + 1), share=1)
    if time > MEMORY:
        return _withheld(information, f"steps that remember {time:.2g} steps have no chi-square null: {ask}")
    enough = n / (ENOUGH * freedom * time)
    if enough >= 1 and information.expected:
        enough = information.expected() / (ENOUGH * time)
    if enough < 1:
        few = f"{n} samples are too few for a chi-square null of {freedom} degrees of freedom"
        return _withheld(information, f"{few}: record at least {ceil(n / enough)}, or {ask}")
    scale = time * bias / freedom
    p_value = float(chi2.sf((information.value + bias) / scale, freedom))
    return information, Null(kind, 0.0, scale * float(np.sqrt(2 * freedom)), 1, p_value)


def _withheld(information: Information, why: str) -> tuple[Information, None]:
    return replace(information, cautions=(*information.cautions, Caution(why))), None
