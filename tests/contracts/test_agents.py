"""Every one of the agents in the registry keeps its contract; so do energy agents made of the toolkit's own parts."""

from typing import Any

from agentic import Conjugate, EnergyAgent, Minimizer, Purpose, Softmax
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.tree import TreeSearch

KIND = "agents"


def discrete(planner: Minimizer) -> EnergyAgent:
    purpose = Purpose(LogPreferences([[1.0, 0.0]]), horizon=2)
    return EnergyAgent(CategoricalModel.example(), purpose, Mirror(), planner, selection=Softmax(4.0))


def linear() -> EnergyAgent:
    model = LinearGaussian.example()
    purpose = Purpose(QuadraticGoal([1.0]), horizon=4, effort=Effort([0.1]))
    return EnergyAgent(model, purpose, Newton(), Riccati())


def learning() -> EnergyAgent:
    model = CategoricalModel(
        counts=[[[3.0, 1.0], [1.0, 4.0]]],
        B=[[[[0.7, 0.1], [0.2, 0.6]], [[0.3, 0.9], [0.8, 0.4]]]],
        D=[[0.6, 0.4]],
    )
    assert isinstance(model, Conjugate)
    purpose = Purpose(LogPreferences([[1.0, 0.0]]), horizon=2)
    return EnergyAgent(model, purpose, Mirror(), Enumerate(), learner=ConjugateLearner(model))


EXTRA = {
    "enumerating": discrete(Enumerate()),
    "searching": discrete(TreeSearch()),
    "sampling": discrete(CrossEntropy(samples=16, elites=4)),
    "linear": linear(),
    "learning": learning(),
}


def test_keeps_its_contract(requirement: Any, meets: Any) -> None:
    meets(requirement)
