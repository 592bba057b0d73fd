"""Simulate agents that perceive, act and learn by minimising energies, and measure how much of an agent they are.

Everything public is named here and loaded on first use, so that `import agentic` costs nothing:
plugin modules and the command line start without torch, Gymnasium or SciPy.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test holds the two lists together
    from agentic.agent import Agent, Change, Decision, Tick
    from agentic.belief import Belief, Categorical, Density, Gaussian, Particles, Point
    from agentic.domain import Box, Domain, Real, Repeated, Simplex
    from agentic.energy import Clamped, Conditional, Energy, Objective
    from agentic.energy_agent import EnergyAgent, Greedy, Selection, Softmax
    from agentic.env import Environment, make
    from agentic.errors import RunError, UserError
    from agentic.expected import CertaintyEquivalentEnergy, ExpectedEnergy, Purpose
    from agentic.experiment import Experiment
    from agentic.gain import Gain, JointGain, SummedGain
    from agentic.goal import Goal, LatentGoal, ObservationGoal, Quadratic, RewardGoal
    from agentic.hookspecs import hookimpl
    from agentic.learn import Conjugate, ConjugateLearner, Learner
    from agentic.metric import Access, Frame, Measurement, Metric
    from agentic.minimizer import Iterate, Minimizer, Sampler, Solution, minimize
    from agentic.model import Evidence, FiniteModel, LinearModel, LinearSystem, Model, Step
    from agentic.plan import AffineFeedback, Plan, Sequence, Tree, weigh
    from agentic.plugins import load
    from agentic.record import Record
    from agentic.seeds import stream
    from agentic.simulate import run, ticks
    from agentic.state import select
    from agentic.truth import Truth, truth_of

_HOMES = {
    "domain": "Box Domain Real Repeated Simplex",
    "energy": "Clamped Conditional Energy Objective",
    "belief": "Belief Categorical Density Gaussian Particles Point",
    "minimizer": "Iterate Minimizer Sampler Solution minimize",
    "model": "Evidence FiniteModel LinearModel LinearSystem Model Step",
    "goal": "Goal LatentGoal ObservationGoal Quadratic RewardGoal",
    "gain": "Gain JointGain SummedGain",
    "expected": "CertaintyEquivalentEnergy ExpectedEnergy Purpose",
    "plan": "AffineFeedback Plan Sequence Tree weigh",
    "state": "select",
    "agent": "Agent Change Decision Tick",
    "energy_agent": "EnergyAgent Greedy Selection Softmax",
    "learn": "Conjugate ConjugateLearner Learner",
    "seeds": "stream",
    "truth": "Truth truth_of",
    "env": "Environment make",
    "record": "Record",
    "simulate": "run ticks",
    "metric": "Access Frame Measurement Metric",
    "hookspecs": "hookimpl",
    "plugins": "load",
    "experiment": "Experiment",
    "errors": "RunError UserError",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Access", "AffineFeedback", "Agent", "Belief", "Box", "Categorical", "CertaintyEquivalentEnergy", "Change",
    "Clamped", "Conditional", "Conjugate", "ConjugateLearner", "Decision", "Density", "Domain", "Energy",
    "EnergyAgent", "Environment", "Evidence", "ExpectedEnergy", "Experiment", "FiniteModel", "Frame", "Gain",
    "Gaussian", "Goal", "Greedy", "Iterate", "JointGain", "LatentGoal", "Learner", "LinearModel",
    "LinearSystem", "Measurement", "Metric", "Minimizer", "Model", "Objective", "ObservationGoal", "Particles",
    "Plan", "Point", "Purpose", "Quadratic", "Real", "Record", "Repeated", "RewardGoal", "RunError", "Sampler",
    "Selection", "Sequence", "Simplex", "Softmax", "Solution", "Step", "SummedGain", "Tick", "Tree", "Truth",
    "UserError", "hookimpl", "load", "make", "minimize", "run", "select", "stream", "ticks", "truth_of",
    "weigh",
]

try:
    __version__ = version("agentic")
except PackageNotFoundError:  # a checkout on the path that was never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agentic' has no attribute {name!r}")
    value = getattr(import_module(f"agentic.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
