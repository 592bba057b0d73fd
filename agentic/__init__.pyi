"""The public names for type checkers; `__init__.py` loads the same ones on first use."""

from agentic.agent import Agent, Change, Decision, Tick
from agentic.battery import Battery, Cell, Scores, bench
from agentic.belief import Belief, Categorical, Density, Gaussian, Particles, Point
from agentic.domain import Box, Domain, Real, Repeated, Simplex
from agentic.energy import Clamped, Conditional, Energy, Objective, PopulationEnergy
from agentic.energy_agent import EnergyAgent, Greedy, Selection, Softmax
from agentic.env import Environment, make
from agentic.errors import RunError, UserError
from agentic.expected import CertaintyEquivalentEnergy, ExpectedEnergy, Purpose
from agentic.experiment import Experiment
from agentic.foreign import PolicyAgent
from agentic.gain import Disagreement, Gain, JointGain, SummedGain
from agentic.goal import Goal, LatentGoal, ObservationGoal, Quadratic, RewardGoal
from agentic.hookspecs import hookimpl
from agentic.learn import Conjugate, ConjugateLearner, Fit, GradientLearner, Learner, Loss, Trainable, fit
from agentic.metric import Access, Frame, Interval, Measurement, Metric, Null, holm, measure
from agentic.minimizer import Iterate, Minimizer, Sampler, Solution, minimize
from agentic.model import Evidence, FiniteModel, LinearModel, LinearSystem, Model, Step
from agentic.page import report
from agentic.plan import AffineFeedback, Candidates, Plan, Sequence, Tree, weigh
from agentic.plugins import load
from agentic.pushforward import Either, PushForward
from agentic.record import Record
from agentic.replay import Experience, Replay
from agentic.seeds import stream
from agentic.simulate import run, ticks
from agentic.state import select
from agentic.subject import Intervention, Subject, Told, subject_of
from agentic.truth import Truth, truth_of
from agentic.world import (
    World,
    action_values,
    greedy_policy,
    planned_policy,
    policy_table,
    state_observations,
    unknowing,
)

__version__: str
__all__ = [
    "Access",
    "AffineFeedback",
    "Agent",
    "Battery",
    "Belief",
    "Box",
    "Candidates",
    "Categorical",
    "Cell",
    "CertaintyEquivalentEnergy",
    "Change",
    "Clamped",
    "Conditional",
    "Conjugate",
    "ConjugateLearner",
    "Decision",
    "Density",
    "Disagreement",
    "Domain",
    "Either",
    "Energy",
    "EnergyAgent",
    "Environment",
    "Evidence",
    "ExpectedEnergy",
    "Experience",
    "Experiment",
    "FiniteModel",
    "Fit",
    "Frame",
    "Gain",
    "Gaussian",
    "Goal",
    "GradientLearner",
    "Greedy",
    "Interval",
    "Intervention",
    "Iterate",
    "JointGain",
    "LatentGoal",
    "Learner",
    "LinearModel",
    "LinearSystem",
    "Loss",
    "Measurement",
    "Metric",
    "Minimizer",
    "Model",
    "Null",
    "Objective",
    "ObservationGoal",
    "Particles",
    "Plan",
    "Point",
    "PolicyAgent",
    "PopulationEnergy",
    "Purpose",
    "PushForward",
    "Quadratic",
    "Real",
    "Record",
    "Repeated",
    "Replay",
    "RewardGoal",
    "RunError",
    "Sampler",
    "Scores",
    "Selection",
    "Sequence",
    "Simplex",
    "Softmax",
    "Solution",
    "Step",
    "Subject",
    "SummedGain",
    "Tick",
    "Told",
    "Trainable",
    "Tree",
    "Truth",
    "UserError",
    "World",
    "action_values",
    "bench",
    "fit",
    "greedy_policy",
    "holm",
    "hookimpl",
    "load",
    "make",
    "measure",
    "minimize",
    "planned_policy",
    "policy_table",
    "report",
    "run",
    "select",
    "state_observations",
    "stream",
    "subject_of",
    "ticks",
    "truth_of",
    "unknowing",
    "weigh",
]
