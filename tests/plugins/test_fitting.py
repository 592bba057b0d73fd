"""Fits to behavior: known answers, what is not known, and mistakes."""

from math import inf, log, sqrt

import numpy as np
import pytest
import torch

from agentic import EnergyAgent, Purpose, Schedule, Softmax, UserError, make, run
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.tmaze import TMaze
from agentic_fit import Behavior, Bounded, Positive, Unbounded, fit_behaviour
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact

LEFT, PRECISION = 70, 2.0  # of 100 choices
CHOICES = Behavior.from_arrays([0] * 100, [0] * LEFT + [1] * (100 - LEFT), episode=range(100))
WIDE = Unbounded(-1e4, 1e4)


def bandit(values: tuple[float, float] = (0.5, 0.0), E: tuple[float, ...] | None = None) -> EnergyAgent:
    """An agent with two arms and two outcomes, the first of which the first arm gives for sure."""
    planner = Enumerate(E=E)
    arms = [[[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]]
    model = CategoricalModel(A=[np.eye(2)], B=[np.moveaxis(np.array(arms), 0, 2)], D=[[1.0, 0.0]], E=[0.5, 0.5])
    return EnergyAgent(model, Purpose(LogPreferences([values])), Exact(), planner, selection=Softmax(PRECISION))


def test_a_flat_prior_gives_the_maximum_of_the_likelihood_and_fishers_information() -> None:
    """Of p = 1 / (1 + exp(-precision v)) the estimate is the logit of the share, the information n precision^2 p q."""
    fit = fit_behaviour(bandit(), CHOICES, {"purpose.goal.values[0][0]": WIDE})
    share = LEFT / 100
    error = 1 / (PRECISION * sqrt(100 * share * (1 - share)))
    name = "purpose.goal.values[0][0]"
    assert fit.estimates[name] == pytest.approx(log(share / (1 - share)) / PRECISION, abs=1e-6)
    assert fit.standard_errors[name] == pytest.approx(error, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(LEFT * log(share) + (100 - LEFT) * log(1 - share))
    assert fit.chance == pytest.approx(100 * log(0.5))
    assert fit.pseudo_r2 == pytest.approx(1 - fit.log_likelihood / fit.chance)
    assert fit.converged
    assert fit.smooth
    low, high = fit.intervals[name]
    assert (low, high) == pytest.approx(
        (fit.estimates[name] - 1.96 * error, fit.estimates[name] + 1.96 * error), abs=0.02
    )


def test_a_prior_pulls_as_bayes_says() -> None:
    """On the logit scale the precision-weighted mean, where the likelihood is nearly quadratic."""
    name = "purpose.goal.values[0][0]"
    loose, tight = (fit_behaviour(bandit(), CHOICES, {name: Unbounded(-w, w)}) for w in (1e4, 0.1))
    assert 0 < tight.estimates[name] < 0.3 * loose.estimates[name]
    assert tight.intervals[name][1] < 0.2
    assert tight.log_likelihood < loose.log_likelihood
    assert loose.log_evidence < tight.log_evidence


def test_evidence_is_the_integral_of_the_likelihood() -> None:
    name, prior = "purpose.goal.values[0][0]", Unbounded(-2.0, 2.0)
    fit = fit_behaviour(bandit(), CHOICES, {name: prior})
    grid = torch.linspace(-5, 5, 20001, dtype=torch.float64)
    one = torch.nn.functional.logsigmoid(PRECISION * grid)
    two = torch.nn.functional.logsigmoid(-PRECISION * grid)
    normal = torch.distributions.Normal(0.0, 2.0 / 1.959963984540054)
    whole = (LEFT * one + (100 - LEFT) * two + normal.log_prob(grid)).logsumexp(0) + log(10 / 20000)
    assert fit.log_evidence == pytest.approx(float(whole), abs=0.01)


def test_habits_and_plan_priors_are_the_same_where_one_step_is_planned() -> None:
    """The prior over plans is no tensor, so that derivatives are differences there; the answer is the same."""
    habit = fit_behaviour(bandit(), CHOICES, {"model.log_habits[0]": WIDE})
    numeric = fit_behaviour(bandit(E=(0.5, 0.5)), CHOICES, {"planner.E[0]": Positive(1e-3, 1e3)})
    assert habit.smooth
    assert not numeric.smooth
    expected = log(LEFT / (100 - LEFT)) - PRECISION * 0.5
    assert habit.estimates["model.log_habits[0]"] == pytest.approx(expected + log(0.5), abs=1e-6)
    assert numeric.log_likelihood == pytest.approx(habit.log_likelihood, abs=1e-3)
    assert log(numeric.estimates["planner.E[0]"] / 0.5) == pytest.approx(expected, abs=0.02)


def test_what_the_record_does_not_tell_is_said() -> None:
    agent = EnergyAgent(
        bandit().model, Purpose(LogPreferences([[0.5, 0.0]])), Exact(), Enumerate(), selection=Softmax()
    )
    both = {"selection.precision": Positive(0.5, 5.0), "purpose.goal.values[0][0]": Unbounded(-3.0, 3.0)}
    fit = fit_behaviour(agent, CHOICES, both)
    assert not any(fit.identified.values())  # only their product is known
    assert fit.intervals["selection.precision"] == (0.0, inf)
    assert fit.intervals["purpose.goal.values[0][0]"] == (-inf, inf)
    assert fit.standard_errors["selection.precision"] == inf
    assert "does not tell selection.precision, purpose.goal.values[0][0]" in str(fit)
    idle = fit_behaviour(agent, CHOICES, {"purpose.discount": Bounded(0.6, 0.99), "model.log_habits[0]": WIDE})
    assert idle.identified == {"purpose.discount": False, "model.log_habits[0]": True}
    assert idle.intervals["purpose.discount"] == (0.0, 1.0)


def test_a_maze_and_its_agent_stays_as_it_was() -> None:
    env = make(TMaze())
    purpose = Purpose(LogPreferences([[0.0] * 5, [0.0, 2.0, -3.0]]), 2, SummedGain())
    agent = EnergyAgent(CategoricalModel.from_env(env), purpose, Exact(), Enumerate(), selection=Softmax(1.7))
    record = run(agent, env, Schedule(episodes=40), seed=3, dtype=torch.float64)
    assert isinstance(purpose.goal, LogPreferences)
    before = purpose.goal.costs.clone()
    prior = {"selection.precision": Positive(0.3, 6.0), "purpose.goal.values[1][1]": Unbounded(-1.0, 6.0)}
    fit = fit_behaviour(agent, record, prior)
    assert torch.equal(before, purpose.goal.costs)
    assert agent.selection.precision == 1.7
    for name, truth in zip(prior, (1.7, 2.0), strict=True):
        low, high = fit.intervals[name]
        assert low < truth < high
        assert low < fit.estimates[name] < high
    assert fit.decisions == 160
    assert str(fit).splitlines()[1].startswith("selection.precision")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("selection.precission", "has no 'precission', did you mean precision"),
        ("purpose.horizon", "purpose.horizon is 1, and what is fitted is one real number"),
        ("purpose.goal.values", "is a tuple of 1, and what is fitted is one real number"),
        ("purpose.goal.values[0]", "is a tensor of shape .2,., and"),
        ("purpose.goal.values[0][7]", "has nothing at .7."),
        ("purpose.goal.sizes[0]", "purpose.goal.sizes.0. is 2, and"),
        ("selection", "is a Softmax, and what is fitted"),
        ("..", "is no place in an agent"),
    ],
)
def test_places_that_hold_no_number(path: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        fit_behaviour(bandit(), CHOICES, {path: WIDE})


def test_actions_that_are_impossible_whatever_the_parameters() -> None:
    with pytest.raises(UserError, match=r"decision 70 \(subject 0, episode 70, t 0\) took action \[1\]"):
        fit_behaviour(bandit((0.0, -inf)), CHOICES, {"selection.precision": Positive(0.5, 5.0)})


def test_no_parameters_and_no_parameter() -> None:
    with pytest.raises(UserError, match="parameters expects a mapping"):
        fit_behaviour(bandit(), CHOICES, {})
    with pytest.raises(UserError, match=r"selection.precision expects Unbounded, Positive or Bounded .* got float"):
        fit_behaviour(bandit(), CHOICES, {"selection.precision": 3.0})  # type: ignore[dict-item]
