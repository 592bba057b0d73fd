"""Beliefs, domains, energies, objectives and what minimizes them: the one engine of perceiving, acting and learning."""

from agentic.engine.belief import Density
from agentic.engine.domain import outer
from agentic.engine.draws import checked_generator, normal_like, permutation, uniform_like
from agentic.engine.energy import Amortized, FactorGraph, RepresentationEnergy, Study
from agentic.engine.mixture import Either, PushForward
from agentic.engine.state import select
from agentic.engine.ties import ties

__all__ = [
    "Amortized",
    "Density",
    "Either",
    "FactorGraph",
    "PushForward",
    "RepresentationEnergy",
    "Study",
    "checked_generator",
    "normal_like",
    "outer",
    "permutation",
    "select",
    "ties",
    "uniform_like",
]
