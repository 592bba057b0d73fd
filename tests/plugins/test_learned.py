"""What a discrete model learns from ticks: every count by hand, exact pair beliefs, worlds that begin empty."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Decision, Environment, Purpose, Step, Tick, UserError, make
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.reward import Reward
from agentic_optimizers.conjugate_learner import ConjugateLearner

F64 = torch.float64
A = np.array([[0.8, 0.3], [0.2, 0.7]])
B = np.array([[[0.9, 0.5], [0.4, 0.1]], [[0.1, 0.5], [0.6, 0.9]]])  # next, previous, action
Q = torch.tensor([[0.6, 0.4]], dtype=F64)


def one_hot(index: int, size: int) -> Tensor:
    return torch.eye(size, dtype=F64)[[index]]


def tick(seen: Tensor, action: Tensor, after: Tensor, q: Tensor, **changed: Any) -> Tick:
    rows = len(seen)
    flags, count = np.zeros(rows, bool), np.ones(rows, np.int64)
    given = {"reward": np.zeros(rows), "terminated": flags, "truncated": flags, "valid": ~flags, "t": count}
    return Tick(
        obs=seen, action=action, next_obs=after, episode=count * 0, decision=Decision(action, belief=Categorical(q)),
        native=Native(None, None, None), **{**given, **changed},
    )  # fmt: skip


def learner(**given: Any) -> CategoricalModel:
    start = given.get("counts", {})
    arrays = {"A": [A], "B": [B], "D": [[0.5, 0.5]]}
    return CategoricalModel(**{**{name: each for name, each in arrays.items() if name not in start}, **given})


def taught(model: CategoricalModel, *ticks: Tick) -> CategoricalModel:
    for each in ticks:
        ConjugateLearner(model).update(each)
    return model


def counts(model: CategoricalModel, name: str, number: int = 0) -> Tensor:
    return model.learned.counts(name)[number].alpha()


STEP = tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), Q)
PAIR = torch.from_numpy(B[:, :, 1] * A[1][:, None]) * Q  # q(z) B(z' | z, a) p(o' | z'), next first
PAIR = PAIR / PAIR.sum()


class TestByHand:
    def test_transitions_by_the_exact_belief_about_both_states(self) -> None:
        model = taught(learner(counts={"B": [3 * B]}), STEP)
        expected = torch.from_numpy(3 * B)
        expected[:, :, 1] += PAIR
        assert_close(counts(model, "B"), expected.reshape(2, 4))
        assert_close(model.dynamics(), expected / expected.sum(0))
        assert model.version == 1

    def test_or_by_the_product_of_its_marginals(self) -> None:
        model = taught(learner(counts={"B": [3 * B]}, learn={"B": {"pairs": "outer"}}), STEP)
        expected = torch.from_numpy(3 * B)
        expected[:, :, 1] += PAIR.sum(1, keepdim=True) * Q  # the filter's posteriors at both times
        assert_close(counts(model, "B"), expected.reshape(2, 4))

    def test_a_rate_weighs_what_is_counted(self) -> None:
        model = taught(learner(learn={"B": {"rate": 0.25, "strength": 2.0}}), STEP)
        expected = torch.from_numpy(2 * B)
        expected[:, :, 1] += 0.25 * PAIR
        assert_close(counts(model, "B"), expected.reshape(2, 4))

    def test_first_states_from_the_first_tick_of_an_episode(self) -> None:
        first = tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), Q, t=np.array([0]))
        model = taught(learner(counts={"D": [[1.0, 2.0]]}), STEP, first)
        assert_close(counts(model, "D")[:, 0], torch.tensor([1.6, 2.4], dtype=F64))
        assert_close(model.begin(1).mean, torch.tensor([[0.4, 0.6]], dtype=F64))

    def test_habits_from_what_was_done(self) -> None:
        model = taught(learner(counts={"E": [1.0, 1.0]}), STEP, STEP)
        assert model.log_habits is not None
        assert_close(model.log_habits.exp(), torch.tensor([0.25, 0.75], dtype=F64))

    def test_ends_from_the_states_entered(self) -> None:
        over = tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), Q, terminated=np.array([True]))
        model = taught(learner(counts={"ends": [[2.0, 2.0], [0.0, 2.0]]}), STEP)  # the first state never ends one
        alive = PAIR * torch.tensor([[1.0], [0.5]], dtype=F64)
        alive = (alive / alive.sum()).sum(1)
        assert_close(counts(model, "ends"), torch.stack([2 + alive, torch.tensor([0.0, 2.0], dtype=F64)]))
        taught(model, over)
        assert_close(counts(model, "ends")[1], torch.tensor([0.0, 3.0], dtype=F64))
        assert_close(model.survival(), torch.stack([torch.ones((), dtype=F64), (2 + alive[1]) / (5 + alive[1])]))

    def test_rewards_by_a_mean_that_begins_at_the_prior(self) -> None:
        model = learner(learn={"rewards": {"mean": -1.0, "strength": 0.5}})
        assert model.expected_rewards() is not None
        taught(model, tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), Q, reward=np.array([3.0])))
        found = model.expected_rewards()
        expected = [(-1 * 0.5 + 3 * q) / (0.5 + q) for q in (0.6, 0.4)]
        assert_close(found, torch.tensor([[-1.0, expected[0]], [-1.0, expected[1]]], dtype=F64))

    def test_the_last_observation_of_an_episode_counts_too(self) -> None:
        model = taught(learner(counts={"A": [4 * A]}), STEP)
        last = tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), Q, truncated=np.array([True]))
        expected = torch.from_numpy(4 * A)
        expected[0] += Q[0]
        assert_close(counts(model, "A"), expected)
        pair = torch.from_numpy(B[:, :, 1]) * model.likelihood()[1][:, None] * Q
        taught(model, last)
        expected[0] += Q[0]
        expected[1] += (pair / pair.sum()).sum(1)
        assert_close(counts(model, "A"), expected)

    def test_a_missing_modality_teaches_nothing(self) -> None:
        model = learner(A=[A, A], counts={"A": [A, A]}, learn={"A": {"rate": [1.0, 0.5]}})
        seen = torch.tensor([[torch.nan, torch.nan, 1.0, 0.0]], dtype=F64)
        taught(model, tick(seen, one_hot(1, 2), seen, Q))
        assert_close(counts(model, "A", 0), torch.from_numpy(A))
        assert_close(counts(model, "A", 1)[0], torch.from_numpy(A[0]) + 0.5 * Q[0])

    def test_what_the_model_holds_impossible_teaches_nothing(self) -> None:
        sure = np.array([[1.0, 0.0], [0.0, 1.0]])
        moves = np.stack([sure, sure], -1)
        model = learner(A=[sure], counts={"B": [moves]}, floor=0.0)
        taught(model, tick(one_hot(0, 2), one_hot(1, 2), one_hot(1, 2), one_hot(0, 2)))
        assert_close(counts(model, "B"), torch.from_numpy(moves).reshape(2, 4))


class TestFactors:
    """Two factors, the second moved by both and by its own control; one modality about the first alone."""

    draws = np.random.default_rng(3)
    dependencies = {"A": [[0], [1, 0]], "B": [[0], [1, 0]], "B_actions": [[0], [1]]}  # noqa: RUF012
    start = {  # noqa: RUF012
        "A": [draws.uniform(1, 3, (3, 2)), draws.uniform(1, 3, (2, 3, 2))],
        "B": [draws.uniform(1, 3, (2, 2, 2)), draws.uniform(1, 3, (3, 3, 2, 3))],
        "D": [draws.uniform(1, 3, 2), draws.uniform(1, 3, 3)],
    }

    def test_each_array_counts_what_concerns_it(self) -> None:
        model = CategoricalModel(counts=self.start, dependencies=self.dependencies)
        table, dynamics = model.likelihood(), model.dynamics()  # last modality and control fastest
        q = torch.tensor([[0.1, 0.2, 0.3, 0.05, 0.15, 0.2]], dtype=F64)
        seen = torch.cat([one_hot(2, 3), one_hot(0, 2)], -1)
        action = torch.cat([one_hot(1, 2), one_hot(2, 3)], -1)
        taught(model, tick(seen, action, seen, q, t=np.array([0])))
        pair = dynamics[:, :, 1 * 3 + 2] * table[2 * 2 + 0][:, None] * q
        pair = (pair / pair.sum()).view(2, 3, 2, 3)  # next factors, then previous ones
        now = q.view(2, 3)
        a = [torch.from_numpy(each).clone() for each in self.start["A"]]
        a[0][2] += now.sum(1)
        a[1][0] += now.T
        b = [torch.from_numpy(each).clone() for each in self.start["B"]]
        b[0][:, :, 1] += pair.sum((1, 3))
        b[1][:, :, :, 2] += pair.sum(0).transpose(1, 2)
        d = [torch.from_numpy(each).clone() for each in self.start["D"]]
        d[0] += now.sum(1)
        d[1] += now.sum(0)
        for name, expected in (("A", a), ("B", b), ("D", d)):
            for number, each in enumerate(expected):
                assert_close(counts(model, name, number), each.reshape(len(each), -1))
        again = CategoricalModel(counts={"A": a, "B": b, "D": d}, dependencies=self.dependencies)
        assert_close(model.likelihood(), again.likelihood())
        assert_close(model.dynamics(), again.dynamics())
        assert_close(model.begin(1).mean, again.begin(1).mean)

    def test_one_of_them_can_stay_as_it_is(self) -> None:
        model = CategoricalModel(counts=self.start, dependencies=self.dependencies, learn={"B": {"rate": [0.0, 1.0]}})
        seen, action = (
            model.outcome.one_hot(torch.tensor([[0, 0]]), F64),
            model.action.one_hot(torch.tensor([[0, 0]]), F64),
        )
        taught(model, tick(seen, action, seen, model.begin(1).mean))
        assert_close(counts(model, "B", 0), torch.from_numpy(self.start["B"][0]).reshape(2, 4))
        assert float(counts(model, "B", 1).sum() - self.start["B"][1].sum()) == pytest.approx(1.0)


def lake() -> Environment:
    return make("FrozenLake-v1")


class TestEmpty:
    def test_only_spaces_are_known(self) -> None:
        model = CategoricalModel.from_env(lake(), learn=["B", "rewards", "ends"])
        assert_close(model.dynamics(), torch.full((16, 16, 4), 1 / 16, dtype=F64))
        assert_close(model.likelihood(), torch.eye(16, dtype=F64))
        assert model.expected_rewards() is not None
        assert model.survival() is not None

    def test_steps_are_counted_where_they_happened(self) -> None:
        model = CategoricalModel.empty(lake(), learn={"B": {"strength": 2.0}, "ends": {}})
        taught(model, tick(one_hot(3, 16), one_hot(1, 4), one_hot(7, 16), one_hot(3, 16)))
        column = model.dynamics()[:, 3, 1]
        assert float(column[7]) == pytest.approx((1 + 2 / 16) / 3)
        assert float(column[0]) == pytest.approx(2 / 16 / 3)
        values = torch.arange(16.0, dtype=F64)
        assert_close(model.ahead(values), torch.einsum("nsa,n->sa", model.dynamics(), values))
        assert model.changed(0) is not None
        assert model.changed(0).tolist() == [3]  # type: ignore[union-attr]
        assert model.changed(1).tolist() == []  # type: ignore[union-attr]
        belief, action = Categorical(torch.eye(16, dtype=F64)[2:5]), one_hot(1, 4).unsqueeze(0)
        assert_close(model.predict(belief, action[0]).mean, model.dynamics()[:, 2:5, 1].T)

    def test_several_parts_of_an_observation_are_one_state(self) -> None:
        world = make("agentic_envs:agentic/TMaze-v0")
        model = CategoricalModel.empty(world)
        assert (model.factors, model.outcome.sizes) == ((15,), (5, 3))
        assert_close(model.likelihood(), torch.eye(15, dtype=F64))

    def test_a_copy_learns_alone(self) -> None:
        model = CategoricalModel.empty(lake())
        other = taught(deepcopy(model), tick(one_hot(3, 16), one_hot(1, 4), one_hot(7, 16), one_hot(3, 16)))
        assert model.version == 0
        assert float((model.dynamics() - other.dynamics()).abs().max()) > 0.1
        assert_close(model.float().dynamics(), torch.full((16, 16, 4), 1 / 16))


class TestReward:
    def test_a_goal_takes_the_rewards_that_are_learned(self) -> None:
        model, goal = CategoricalModel.empty(lake()), Reward.from_env(lake(), scale=2.0)
        taught(model, tick(one_hot(3, 16), one_hot(1, 4), one_hot(7, 16), one_hot(3, 16), reward=np.array([0.5])))
        step = Step(Categorical(one_hot(3, 16)), one_hot(1, 4), Categorical(one_hot(7, 16)))
        assert float(goal.expected(model, step)) == pytest.approx(-2 * 0.5 / 1.01)
        assert float(goal.expected(CategoricalModel.from_env(lake()), step)) == 0  # the truth's, where none are learned

    @pytest.mark.parametrize("unit", [1.0, 40.0])
    def test_a_relative_one_measures_them_by_their_range(self, unit: float) -> None:
        model, goal = CategoricalModel.empty(lake()), Reward.from_env(lake(), scale=2.0, relative=True)
        step = Step(Categorical(one_hot(3, 16)), one_hot(1, 4), Categorical(one_hot(7, 16)))
        assert model.reward_range() == 0 == float(goal.expected(model, step))
        for paid in (-0.5 * unit, 1.5 * unit):
            taught(model, tick(one_hot(3, 16), one_hot(1, 4), one_hot(7, 16), one_hot(3, 16), reward=np.array([paid])))
        assert model.reward_range() == 2 * unit
        assert float(goal.expected(model, step)) == pytest.approx(-2 * 1.0 / 2.01 / 2)

    def test_without_any_it_says_so(self) -> None:
        goal = Reward(None, controls=[4])
        with pytest.raises(UserError, match="this reward goal has no rewards: let the model learn them"):
            goal(one_hot(3, 16), one_hot(1, 4))
        with pytest.raises(UserError, match="or controls where a model learns them"):
            Reward(None)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"learn": ["F"]}, r"a categorical model learns A, B, C, D, E, rewards, ends, got 'F'"),
        ({"learn": {"B": {"speed": 1}}}, "learn.B expects the keys rate, forgetting, strength, mean, pairs"),
        ({"learn": {"B": {"pairs": "both"}}}, "learn.B.pairs expects one of joint, outer, got 'both'"),
        ({"learn": {"B": {"prune": "3"}}}, "learn.B expects numbers, and a word for pairs alone, got {'prune': '3'}"),
        ({"learn": {"B": 3}}, "learn.B expects the keys rate, .*, got 3"),
        ({"learn": {"C": {"mean": 1.0}}}, "learn.C has neither pairs, which are of B, nor a mean, which is of rewards"),
        ({"learn": {"A": {"pairs": "outer"}}}, "learn.A has neither pairs, which are of B, nor a mean"),
        ({"counts": {"C": [[]]}}, r"counts.C\[0\] is empty, of shape \(0,\): give a count for each value"),
        ({"learn": {"B": {"rate": [1.0, 1.0]}}}, "rate expects a number, or 1 of them, got 2"),
        ({"learn": {"B": {"rate": ["fast"]}}}, "rate expects numbers, got 'fast'"),
        ({"learn": {"B": {"rate": None}}}, "rate expects numbers, got None"),
        ({"learn": {"B": {"rate": np.inf}}}, "counts expect a rate >= 0 .* got inf"),
        ({"learn": {"rewards": {"rate": -1.0}}}, "counts expect a rate >= 0 .* got -1"),
        ({"learn": {"rewards": {"forgetting": 1.0}}}, "0 <= forgetting < 1, got 1 and 1"),
        ({"learn": 3}, "learn expects names of parts, or a mapping from them to options, got 3"),
        ({"learn": [3]}, r"learn expects names of parts, or a mapping from them to options, got \[3\]"),
        ({"learn": {"B": {"strength": 0.0}}}, "strength of a prior expects counts > 0"),
        ({"B": [B], "counts": {"B": [np.ones((2, 2, 2)), np.ones((2, 2, 2))]}}, "counts.B has 2 arrays and B has 1"),
        ({"B": [B], "counts": {"B": [np.ones((2, 2, 2))]}}, r"B\[0\] must be the mean of counts.B\[0\], it is .* off"),
        ({"counts": {"rewards": [1.0]}}, "rewards are learned from a mean and its strength"),
    ],
)
def test_doors(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        learner(**given)


def test_an_empty_model_learns_its_transitions() -> None:
    with pytest.raises(UserError, match="it learns B, and nothing about A"):
        CategoricalModel.empty(lake(), learn=["rewards"])


def test_what_was_learned_from_nothing_is_saved_and_read() -> None:
    """Lists of what was met grow past the room that a new model has, and information is known of every column."""
    model, other = CategoricalModel.empty(lake()), CategoricalModel.empty(lake())
    for after in range(12):
        taught(model, tick(one_hot(3, 16), one_hot(1, 4), one_hot(after, 16), one_hot(3, 16)))
    step = Step(Categorical(one_hot(3, 16)), one_hot(1, 4), Categorical(one_hot(7, 16)))
    model.parameter_gain([step])
    other.load_state_dict(model.state_dict())
    later = tick(one_hot(3, 16), one_hot(1, 4), one_hot(13, 16), one_hot(3, 16))
    for each in (model, other):
        taught(each, later)
    assert_close(other.dynamics(), model.dynamics(), atol=0, rtol=0)
    assert_close(other.parameter_gain([step]), model.parameter_gain([step]), atol=0, rtol=0)
    fresh = CategoricalModel.empty(lake())
    model.load_state_dict(fresh.state_dict())
    assert_close(model.dynamics(), fresh.dynamics(), atol=0, rtol=0)


class TestOwnUpdate:
    """Beside simulation: the world draws, the agent updates as it does, its belief about weights moves."""

    def test_it_is_less_than_the_information_where_states_are_uncertain(self) -> None:
        model = learner(counts={"A": [3 * A], "B": [3 * B]})
        step = Step(Categorical(Q), one_hot(1, 2), model.predict(Categorical(Q), one_hot(1, 2)))
        own, bound = model.update_gain(step), model.parameter_gain([step])
        assert own.keys() == bound.keys() == {"parameter_gain", "latent_parameter_gain"}
        assert all(0 < float(own[name]) < float(bound[name]) for name in own)

    def test_where_states_are_certain_it_is_the_information(self) -> None:
        sure = np.eye(2)
        model = learner(A=[sure], counts={"B": [3 * B]})
        step = Step(Categorical(one_hot(0, 2)), one_hot(1, 2), Categorical(torch.from_numpy(B[:, 0, 1])[None]))
        assert_close(dict(model.update_gain(step)), dict(model.parameter_gain([step])))

    def test_a_gain_says_by_which(self) -> None:
        model = learner(counts={"B": [3 * B]})
        belief = Categorical(Q)
        step = Step(belief, one_hot(1, 2), model.predict(belief, one_hot(1, 2)))
        _, found = SummedGain("weights", "update").step(model, None, step, True)
        assert_close(dict(found), dict(model.update_gain(step)))
        with pytest.raises(UserError, match="counts by 'information' or by the agent's own 'update', got 'both'"):
            SummedGain("weights", "both")
        assert Purpose(Reward([[0.0, 0.0], [0.0, 0.0]]), gain=SummedGain("weights")).gain == SummedGain("weights")
