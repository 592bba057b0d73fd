"""The replay of behavior: the agent's own probabilities, with gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import EnergyAgent, Environment, Minimizer, Purpose, Record, Schedule, Softmax, UserError, make, run
from agentic.runs import Progress
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.preferring import LearnedPreferences
from agentic_energies.reward import Reward
from agentic_envs.tmaze import TMaze
from agentic_fit import Behavior
from agentic_fit.replay import Replay, check_agent
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.episode_learner import EpisodeLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch

F64 = torch.float64
PATHS = ("selection.precision", "purpose.goal.values[1][1]", "purpose.goal.values[1][2]")
GOAL = [[0.0] * 5, [0.0, 2.0, -3.0]]


def maze() -> EnergyAgent:
    """An agent of the T-maze that looks two steps ahead, with precision 1.7."""
    return EnergyAgent(
        CategoricalModel.from_env(make(TMaze())),
        Purpose(LogPreferences(GOAL), 2, SummedGain()),
        Exact(),
        Enumerate(),
        selection=Softmax(1.7),
    )


def factored() -> EnergyAgent:
    purpose = Purpose(LogPreferences(GOAL), 2, SummedGain())
    return EnergyAgent(FactoredModel.from_env(make(TMaze())), purpose, Mirror(), Enumerate(), selection=Softmax(1.7))


def tree() -> EnergyAgent:
    agent = maze()
    return EnergyAgent(agent.model, agent.purpose, Exact(), TreeSearch(), selection=Softmax(1.7))


def learner() -> EnergyAgent:
    """An agent that learns from counts what it sees where."""
    truth = make(TMaze()).factored_truth()
    counts = [1.0 + 2 * np.asarray(a) for a in truth["A"]]
    model = CategoricalModel(B=truth["B"], D=truth["D"], counts=counts)
    purpose = Purpose(LogPreferences(GOAL), 2, SummedGain())
    return EnergyAgent(model, purpose, Exact(), Enumerate(), selection=Softmax(1.7), learner=ConjugateLearner(model))


def lived(agent: EnergyAgent, schedule: Schedule, env: Environment | None = None) -> tuple[Record, Tensor]:
    """What an agent did, and how probable each of its actions was, in the record's order."""
    chances = list[Tensor]()

    def see(progress: Progress) -> None:
        decision = progress.tick.decision
        assert decision.policy is not None
        chances.append((decision.policy.mean * decision.action).sum(-1)[torch.from_numpy(progress.tick.valid)])

    record = run(agent, make(TMaze()) if env is None else env, schedule, seed=3, dtype=F64, observer=see)
    return record, torch.cat(chances)


@pytest.mark.parametrize("make_agent", [maze, factored, tree])
def test_it_gives_the_probabilities_that_the_agent_had(make_agent: Callable[[], EnergyAgent]) -> None:
    agent = make_agent()
    record, chances = lived(agent, Schedule(episodes=4))
    replay = Replay(agent, Behavior.of(record), PATHS)
    assert_close(replay(replay.start).exp(), chances, atol=1e-10, rtol=0)


def test_and_those_of_agents_that_learn_meanwhile() -> None:
    env = make([TMaze(), TMaze()])
    agent = learner()
    record, chances = lived(learner(), Schedule(episodes=2, learn_steps=26), env)
    replay = Replay(agent, Behavior.of(record), PATHS)
    before = {name: tensor.clone() for name, tensor in agent.model.state_dict().items()}
    assert_close(replay(replay.start).exp(), chances, atol=1e-10, rtol=0)
    assert_close(dict(agent.model.state_dict()), before, atol=0, rtol=0)


def bandit(precision: float = 0.8) -> EnergyAgent:
    """An agent with two arms, of which the first gives a level that it values at 1, and 0.5 nats of habit for it."""
    model = CategoricalModel(A=[[[0.9, 0.2], [0.1, 0.8]]], B=[BOTH], D=[[0.5, 0.5]], E=[0.6, 0.4])
    return EnergyAgent(model, Purpose(LogPreferences([[1.0, 0.0]])), Exact(), Enumerate(), selection=Softmax(precision))


CHOICES = (np.array([0, 0, 1, 0, 1]), np.array([0, 1, 0, 0, 1]))
BOTH = [[[0.8, 0.3], [0.8, 0.3]], [[0.2, 0.7], [0.2, 0.7]]]


def test_its_gradients_are_those_of_differences() -> None:
    replay = Replay(maze(), Behavior.of(lived(maze(), Schedule(episodes=3))[0]), PATHS)
    start = replay.start.clone().requires_grad_()
    assert torch.autograd.gradcheck(replay, (start,))
    assert torch.autograd.gradgradcheck(lambda numbers: replay(numbers).sum(), (start,))


def test_gradients_pass_through_what_is_learned_meanwhile() -> None:
    record, _ = lived(learner(), Schedule(episodes=0, learn_steps=6))
    replay = Replay(learner(), Behavior.of(record), PATHS)
    assert torch.autograd.gradcheck(replay, (replay.start.clone().requires_grad_(),))


@pytest.mark.parametrize(
    ("kind", "inference"),
    [(CategoricalModel, Exact()), pytest.param(FactoredModel, Mirror(steps=10), marks=pytest.mark.slow)],
)
def test_gradients_pass_through_learning_rates(kind: Any, inference: Minimizer) -> None:
    """Of observations, of what moves, in two factors, and of where it began."""
    truth = make(TMaze()).factored_truth()
    tables = {"A": truth["A"], "B": truth["B"], "D": truth["D"]}
    counts = {name: [0.5 + 2 * np.asarray(each) for each in arrays] for name, arrays in tables.items()}

    def pupil() -> EnergyAgent:
        model = kind(counts=counts)
        purpose, learner = Purpose(LogPreferences(GOAL), 1, SummedGain("both")), ConjugateLearner(model)
        return EnergyAgent(model, purpose, inference, Enumerate(), selection=Softmax(1.7), learner=learner)

    record, _ = lived(pupil(), Schedule(episodes=0, learn_steps=5))
    paths = tuple(f"model.learned.parts.{each}.rate" for each in ("A[0]", "B[0]", "B[1]", "D[0]"))
    replay = Replay(pupil(), Behavior.of(record), paths)
    start = replay.start.clone().requires_grad_()
    assert torch.autograd.gradcheck(replay, (start,), atol=1e-6)
    assert bool((torch.autograd.functional.jacobian(replay, start).abs().amax(0) > 1e-6).all())


@pytest.mark.parametrize("learner", [pytest.param(ConjugateLearner, marks=pytest.mark.slow), EpisodeLearner])
@pytest.mark.parametrize(("kind", "inference"), [(CategoricalModel, Exact()), (FactoredModel, Mirror(steps=10))])
def test_also_through_hindsight_pruning_preferences_and_zeros(kind: Any, inference: Minimizer, learner: Any) -> None:
    """And the agent that settles is, in evaluation, the one that it was: also at its first decision there."""
    truth = make(TMaze()).factored_truth()
    counts = {"A": [3 * np.asarray(each) for each in truth["A"]], "D": [np.asarray(each) for each in truth["D"]]}
    counts["A"][1] = counts["A"][1] + 0.3

    def pupil() -> EnergyAgent:
        learn = {"A": {"prune": 0.2, "forgetting": 0.02}, "C": {"rate": 0.5}}
        model = kind(B=truth["B"], counts=counts, learn=learn)
        purpose = Purpose(LearnedPreferences(), 1, SummedGain("both"))
        pupils = learner(model, settles=True)
        return EnergyAgent(model, purpose, inference, Enumerate(), selection=Softmax(1.7), learner=pupils)

    record, chances = lived(pupil(), Schedule(episodes=1, learn_steps=9))
    paths = ("A[1].rate", "A[1].forgetting", "C[1].rate", "D[0].rate")
    replay = Replay(pupil(), Behavior.of(record), tuple(f"model.learned.parts.{each}" for each in paths))
    assert_close(replay(replay.start).exp(), chances, atol=1e-10, rtol=0)
    inside = torch.tensor([0.8, 0.05, 0.6, 0.9], dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(replay, (inside,), atol=1e-6)
    assert bool((torch.autograd.functional.jacobian(replay, inside).abs().amax(0) > 1e-6)[:3].all())


def test_one_number_in_two_places() -> None:
    both = "purpose.goal.values[0][0] = purpose.goal.values[0][1]"
    replay = Replay(bandit(), Behavior.of(CHOICES), (both,))
    one, other = (replay(torch.tensor([value], dtype=F64)) for value in (0.0, 5.0))
    assert_close(one, other)  # what is preferred to nothing decides nothing


def test_gradients_pass_through_perceiving() -> None:
    table = "model.transition.cpt.values[0, 0]"
    replay = Replay(bandit(), Behavior.of(CHOICES), ("model.log_habits[0]", table))
    assert torch.autograd.gradcheck(replay, (replay.start.clone().requires_grad_(),))


def test_a_reward_scale_is_a_parameter() -> None:
    agent = bandit()
    purpose = Purpose(Reward([[0.0, 1.0], [0.0, 1.0]], scale=2.0))
    agent = EnergyAgent(agent.model, purpose, Exact(), Enumerate(), selection=Softmax(0.5))
    replay = Replay(agent, Behavior.of(CHOICES), ("purpose.goal.scale",))
    habits = torch.tensor([0.6, 0.4], dtype=F64).log() + torch.tensor([0.0, 1.5], dtype=F64)
    assert_close(replay(torch.tensor([3.0], dtype=F64)), habits.log_softmax(0)[CHOICES[1]])
    assert isinstance(agent.purpose.goal, Reward)
    assert agent.purpose.goal.scale == 2.0


def test_what_was_not_seen_is_no_evidence() -> None:
    agent = bandit()
    unseen = Replay(agent, Behavior.from_arrays([np.nan, 1], [0, 1], episode=[0, 1]), ("selection.precision",))
    assert bool(unseen(unseen.start).isfinite().all())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (([0, 2], [0, 1]), "decision 1 of the record has 2 among its observations, where .* counts from 0 to 1"),
        (([0, 1], [0, 5]), "decision 1 of the record has 5 among its actions"),
        (([[0, 1], [1, 1]], [0, 1]), "2 observations per decision and the agent's model 1, .* another world"),
    ],
)
def test_a_record_of_another_world(given: tuple[list[int], list[int]], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Replay(bandit(), Behavior.of(given), ("selection.precision",))


def test_agents_without_a_likelihood() -> None:
    whole = bandit()
    greedy = EnergyAgent(whole.model, whole.purpose, Exact(), Enumerate())
    with pytest.raises(UserError, match="Greedy selection has no likelihood"):
        Replay(greedy, Behavior.of(CHOICES), ("selection.precision",))
    with pytest.raises(UserError, match="fitted by an EnergyAgent, got str"):
        check_agent("someone")
