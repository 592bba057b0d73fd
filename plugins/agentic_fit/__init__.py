"""Fitting: parameters of an agent, with intervals, from what somebody was seen to do."""

from agentic_fit.behavior import Behavior
from agentic_fit.fitting import BehaviorFit, fit_behaviour
from agentic_fit.parameters import Bounded, Parameter, Positive, Unbounded
from agentic_fit.population import PopulationFit, fit_population

__all__ = [
    "Behavior",
    "BehaviorFit",
    "Bounded",
    "Parameter",
    "PopulationFit",
    "Positive",
    "Unbounded",
    "fit_behaviour",
    "fit_population",
]
