"""Simulate agents that perceive, act and learn by minimising energies, and measure how much of an agent they are.

Everything public is named here and loaded on first use, so that `import agentic` costs nothing:
plugin modules and the command line start without torch, Gymnasium or SciPy.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_HOMES = {
    "domain": "Box Domain Real Repeated Simplex",
    "energy": "Clamped Conditional Energy Objective PopulationEnergy",
    "belief": "Belief Categorical Density Gaussian Particles Point",
    "minimizer": "Iterate Minimizer Sampler Solution minimize",
    "model": "Evidence FiniteModel LinearModel LinearSystem Model Step",
    "goal": "Goal LatentGoal ObservationGoal Quadratic RewardGoal",
    "gain": "Disagreement Gain JointGain SummedGain",
    "expected": "CertaintyEquivalentEnergy ExpectedEnergy Purpose",
    "plan": "AffineFeedback Candidates Plan Sequence Tree weigh",
    "state": "select",
    "agent": "Agent Change Decision Tick",
    "energy_agent": "EnergyAgent Greedy Selection Softmax",
    "learn": "Conjugate ConjugateLearner Fit GradientLearner Learner Loss Trainable fit",
    "world": "World action_values greedy_policy planned_policy policy_table state_observations unknowing",
    "seeds": "stream",
    "truth": "Truth truth_of",
    "env": "Environment make",
    "record": "Record",
    "simulate": "run ticks",
    "subject": "Intervention Subject Told subject_of",
    "metric": "Access Frame Interval Measurement Metric Null holm measure",
    "hookspecs": "hookimpl",
    "plugins": "load",
    "experiment": "Experiment",
    "page": "report",
    "foreign": "PolicyAgent",
    "battery": "Battery Cell Scores bench",
    "replay": "Experience Replay",
    "pushforward": "Either PushForward",
    "errors": "RunError UserError",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)

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
