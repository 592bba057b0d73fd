"""Goals, gains, plans and the expected energy that acting lowers."""

from agentic.planning.course import going_on
from agentic.planning.expected_energy import Node, sign
from agentic.planning.gain import Folded, state_gain
from agentic.planning.goal import Absorbing, CostToGo, GoalOverTime, Quadratic
from agentic.planning.plan import Candidates, plan_posterior

__all__ = [
    "Absorbing",
    "Candidates",
    "CostToGo",
    "Folded",
    "GoalOverTime",
    "Node",
    "Quadratic",
    "going_on",
    "plan_posterior",
    "sign",
    "state_gain",
]
