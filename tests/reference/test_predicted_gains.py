"""R17: a predicted gain is kept: it is the mean divergence of the agent's own updates, within 3 standard errors.

Worlds are drawn from the model itself; every draw is seen by the agent (or absorbed by its learner), and how far that
moves its belief, KL(after || before), is averaged. Fixed seeds.
"""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agentic import Belief, Decision, EnergyAgent, ExpectedEnergy, Minimizer, Model, Purpose, Tick, minimize
from agentic.agents.energy_agent import EnergyState
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.regression import Regression
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati

F64 = torch.float64


def agrees(predicted: float, simulated: Tensor) -> bool:
    """Whether the mean of the draws (n,) is the prediction, within 3 standard errors that are small beside it."""
    error = float(simulated.std() / len(simulated) ** 0.5)
    assert error < 0.1 * predicted
    return abs(float(simulated.mean()) - predicted) < 3 * error


def complexities(agent: EnergyAgent, before: Belief, seen: Tensor) -> Tensor:
    """KL(posterior || prior) that an agent reports when it sees each row of `seen` after predicting `before`."""
    decision = agent.decide(EnergyState(before), seen, generator=torch.Generator())
    return decision.energies["complexity"]


def state_gain(model: Model, goal: Any, action: Tensor) -> float:
    objective = ExpectedEnergy(model, model.begin(1), Purpose(goal, 1, SummedGain()))
    return float(objective.terms(action.unsqueeze(1))["state_gain"])


class TestStateGain:
    def test_categorical(self) -> None:
        draws = torch.Generator().manual_seed(1)
        model = CategoricalModel(
            [[[0.8, 0.3, 0.1], [0.2, 0.7, 0.9]]],
            [
                [
                    [[0.7, 0.0], [0.2, 0.5], [0.1, 0.5]],
                    [[0.2, 1.0], [0.6, 0.0], [0.1, 0.5]],
                    [[0.1, 0.0], [0.2, 0.5], [0.8, 0.0]],
                ]
            ],
            [[0.2, 0.5, 0.3]],
        )
        goal = LogPreferences([[1.0, 0.0]])
        agent = EnergyAgent(model, Purpose(goal), Mirror(), Enumerate())
        for action in torch.eye(2, dtype=F64).unsqueeze(1):
            before = model.predict(model.begin(4000), action)
            seen = model.observation.given(before.sample(1, draws)[0]).sample(1, draws)[0]
            assert agrees(state_gain(model, goal, action), complexities(agent, before, seen))

    def test_linear_gaussian(self) -> None:
        draws = torch.Generator().manual_seed(2)
        model = LinearGaussian(
            [[0.9, 0.4], [-0.3, 0.8]], [[0.0], [1.0]], Q=[0.2, 0.1], R=[0.3], C=[[1.0, 0.7]], mean=[1.0, -1.0]
        )
        goal, action = QuadraticGoal([1.0]), torch.tensor([[0.5]], dtype=F64)
        agent = EnergyAgent(model, Purpose(goal, effort=Effort([1.0])), Newton(), Riccati())
        before = model.predict(model.begin(4000), action)
        seen = model.observation.given(before.sample(1, draws)[0]).sample(1, draws)[0]
        assert agrees(state_gain(model, goal, action), complexities(agent, before, seen))


def tick(obs: Tensor, action: Tensor, next_obs: Tensor, belief: Belief | None) -> Tick:
    """One valid step of one row, as a learner is told of it."""
    no, zero = np.zeros(1, bool), np.zeros(1, np.int64)
    decision = Decision(action, belief=belief)
    return Tick(obs, action, next_obs, np.zeros(1), no, no, ~no, zero, zero, decision, Native(None, None, None))


class TestParameterGain:
    def test_regression_with_known_noise(self) -> None:
        """The transition z' = w z + v a + noise, from a prior over (w, v); the world's weights are drawn from it."""
        draws = np.random.default_rng(3)
        prior, noise = np.array([[0.5, 0.1], [0.1, 0.3]]), 0.25
        regression = Regression(torch.tensor([[0.6], [0.2]]), torch.from_numpy(prior), torch.tensor([noise], dtype=F64))
        model = LinearGaussian([[0.6]], [[0.2]], Q=[noise], R=[1e-8], mean=[1.0], regression=regression)
        z, action = torch.tensor([[1.0]], dtype=F64), torch.tensor([[-0.7]], dtype=F64)
        objective = ExpectedEnergy(model, model.begin(1), Purpose(QuadraticGoal([1.0]), 1, SummedGain("weights")))
        predicted = float(objective.terms(action.unsqueeze(1))["latent_parameter_gain"])
        spread = np.linalg.cholesky(noise * np.linalg.inv(prior))
        moved = []
        for _ in range(600):
            weights = np.array([0.6, 0.2]) + spread @ draws.normal(size=2)
            outcome = weights @ [1.0, -0.7] + np.sqrt(noise) * draws.normal()
            student = deepcopy(model)
            ConjugateLearner(student).update(tick(z, action, torch.tensor([[outcome]], dtype=F64), None))
            assert isinstance(student.regression, Regression)
            moved.append(student.regression.divergence(regression))
        assert agrees(predicted, torch.stack(moved))

    def test_dirichlet_counts(self) -> None:
        """The likelihood of a certain state; the world's columns are drawn from the counts."""
        draws = np.random.default_rng(4)
        counts = np.array([[1.0, 0.5], [2.0, 0.7], [0.5, 3.0]])
        model = CategoricalModel(B=[np.eye(2)[:, :, None]], D=[[0.0, 1.0]], counts=[counts])
        action = torch.ones(1, 1, dtype=F64)
        goal = LogPreferences([[0.0, 0.0, 0.0]])
        objective = ExpectedEnergy(model, model.begin(1), Purpose(goal, 1, SummedGain("weights")))
        predicted = float(objective.terms(action.unsqueeze(1))["parameter_gain"])
        moved = []
        for _ in range(1500):
            outcome = draws.choice(3, p=draws.dirichlet(counts[:, 1]))
            student, seen = deepcopy(model), torch.eye(3, dtype=F64)[[outcome]]
            ConjugateLearner(student).update(tick(seen, action, seen, model.begin(1)))
            moved.append(divergence(*[each.learned.counts("A")[0].alpha() for each in (student, model)]))
        assert agrees(predicted, torch.stack(moved))


def divergence(after: Tensor, before: Tensor) -> Tensor:
    """KL between Dirichlet beliefs about every column, summed."""
    beliefs = [torch.distributions.Dirichlet(counts.T) for counts in (after, before)]
    return torch.as_tensor(torch.distributions.kl_divergence(*beliefs)).sum()


def test_a_gain_of_nothing_is_kept_too() -> None:
    """Where an observation cannot tell, no belief moves."""
    model = CategoricalModel([np.full((2, 2), 0.5)], [np.eye(2)[:, :, None]], [[0.3, 0.7]])
    solver: Minimizer = Enumerate()
    agent = EnergyAgent(model, Purpose(LogPreferences([[0.0, 0.0]])), Mirror(), solver)
    seen = torch.eye(2, dtype=F64)
    assert float(complexities(agent, model.begin(2), seen).abs().max()) < 1e-15
    assert minimize(ExpectedEnergy(model, model.begin(1), agent.purpose), solver).kind == "energy"
