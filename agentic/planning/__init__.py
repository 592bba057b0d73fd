"""Goals, gains, plans and the expected energy that acting lowers."""

from agentic.planning.expected_energy import Node, sign
from agentic.planning.gain import Folded, state_gain
from agentic.planning.goal import CostToGo, GoalOverTime, Quadratic
from agentic.planning.plan import Candidates, plan_posterior

__all__ = [
    "Candidates",
    "CostToGo",
    "Folded",
    "GoalOverTime",
    "Node",
    "Quadratic",
    "plan_posterior",
    "sign",
    "state_gain",
]
