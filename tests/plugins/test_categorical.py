"""The categorical model: arrays at the door, the joint state, logarithms of zero."""

from math import inf, log
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Categorical, Evidence, Step, UserError, make, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_optimizers.mirror import Mirror

F64 = torch.float64
EYE = np.eye(2)
STAY = EYE[:, :, None]


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def model(**changed: Any) -> CategoricalModel:
    arrays = {"A": [[[0.9, 0.2], [0.1, 0.8]]], "B": [np.stack([EYE, EYE[::-1]], -1)], "D": [[0.5, 0.5]]}
    return CategoricalModel(**{**arrays, **changed})


class TestDoor:
    def test_an_unnormalized_column_names_array_axis_index_and_sum(self) -> None:
        with pytest.raises(UserError, match=r"A\[0\]\[:, 1\] sums to 1.1 along axis 0, expected 1: divide each column"):
            model(A=[[[0.9, 0.3], [0.1, 0.8]]])
        moves = np.stack([EYE, 0.5 * EYE], -1)
        with pytest.raises(UserError, match=r"B\[0\]\[:, 0, 1\] sums to 0.5 along axis 0"):
            model(B=[moves])
        with pytest.raises(UserError, match=r"D\[0\] sums to 1.2 along axis 0"):
            model(D=[[0.6, 0.6]])
        with pytest.raises(UserError, match=r"E sums to 0.7 along axis 0"):
            model(E=[0.5, 0.2])

    def test_rows_given_as_columns_are_found(self) -> None:
        with pytest.raises(UserError, match="rows are outcomes, columns are conditions"):
            model(A=[[[0.9, 0.1], [0.2, 0.8]]])

    def test_the_second_array_is_named_too(self) -> None:
        with pytest.raises(UserError, match=r"A\[1\]\[:, 0\] sums to 2"):
            model(A=[EYE, [[1, 1], [1, 0]]])

    @pytest.mark.parametrize("wrong", [-0.5, float("nan"), inf])
    def test_what_is_not_a_probability(self, wrong: float) -> None:
        with pytest.raises(UserError, match=r"A\[0\]\[0, 1\] is .*: probabilities must be finite and >= 0"):
            model(A=[[[1.0, wrong], [0.0, 1.0]]])

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            (
                {"A": [np.ones((1, 3))]},
                r"A\[0\] expects shape \(any, 2\) = \(outcomes, \*state factors\), got \(1, 3\)",
            ),
            (
                {"B": [np.ones((3, 2, 2))]},
                r"B\[0\] expects shape \(2, 2, 2\) = \(next, previous, actions\), got \(3, 2",
            ),
            ({"B": [EYE]}, r"B\[0\] expects 3 axes, got shape \(2, 2\)"),
            ({"D": [EYE]}, r"D\[0\] expects 1 axes, got shape \(2, 2\)"),
            ({"D": [[0.5, 0.5], [1.0]]}, "one B and D per state factor, got 1 A, 1 B, 2 D"),
            ({"E": [1.0]}, r"E expects shape \(2\) = \(actions,\), got \(1,\)"),
            ({"ends": [0.0]}, r"ends expects shape \(2\) = the state factors, got \(1,\)"),
            ({"ends": [0.0, 1.5]}, "ends must hold probabilities between 0 and 1"),
            ({"A": EYE}, "A expects a list of arrays, one per modality or factor, got ndarray"),
            ({"A": [[[1.0], [0.0, 1.0]]]}, r"A\[0\] expects a rectangular array of numbers"),
            ({"A": None}, "a categorical model expects A, or counts to learn it from"),
            ({"A": None, "counts": [[[1.0, -1.0], [1.0, 2.0]]]}, r"counts\[0\] must not be negative"),
            ({"A": None, "counts": [[[1.0, 0.0], [1.0, 0.0]]]}, r"counts\[0\] must .* positive somewhere"),
            ({"counts": [np.ones((3, 2))]}, r"counts\[0\] expects shape \(2, 2\) = that of A, got \(3, 2\)"),
        ],
    )
    def test_shapes_and_what_they_mean(self, changed: dict[str, Any], sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            model(**changed)

    def test_an_environment_of_other_sizes(self) -> None:
        with pytest.raises(
            UserError, match=r"the observation space of agentic/TMaze-v0 is .* the categorical model has"
        ):
            CategoricalModel.from_env(make("agentic_envs:agentic/TMaze-v0"), A=[EYE], B=[STAY], D=[[0.5, 0.5]])

    def test_an_environment_that_knows_its_truth(self) -> None:
        known = CategoricalModel.from_env(make("agentic_envs:agentic/TMaze-v0"))
        assert (known.factors, known.latent.sizes, known.outcome.sizes) == ((4, 2), (8,), (5, 3))


class TestJointState:
    """Two factors of 2 and 3 states, two modalities, two actions, against sums over every pair of states."""

    draws = np.random.default_rng(5)
    A = (columns(draws, 3, 2, 3), columns(draws, 2, 2, 3))
    B = (columns(draws, 2, 2, 2), columns(draws, 3, 3, 2))
    D = (columns(draws, 2), columns(draws, 3))
    model = CategoricalModel(A, B, D)

    def test_factors_start_and_move_independently(self) -> None:
        start = np.einsum("i,j->ij", *self.D)
        assert_close(self.model.begin(1).mean, torch.as_tensor(start.reshape(1, 6)))
        belief = torch.softmax(torch.arange(6, dtype=F64), 0)
        for action in range(2):
            moved = np.einsum("ij,ki,lj->kl", belief.reshape(2, 3), self.B[0][:, :, action], self.B[1][:, :, action])
            after = self.model.predict(Categorical(belief.unsqueeze(0)), torch.eye(2, dtype=F64)[[action]])
            assert_close(after.mean, torch.as_tensor(moved.reshape(1, 6)))

    def test_modalities_are_independent_given_the_state(self) -> None:
        joint = np.einsum("oij,pij->opij", *self.A).reshape(6, 6)
        assert_close(self.model.likelihood(), torch.as_tensor(joint))
        seen = self.model.emit(self.model.begin(1))
        start = np.einsum("i,j->ij", *self.D)
        for block, table in zip(seen.blocks, self.A, strict=True):
            assert_close(block[0], torch.as_tensor(np.einsum("oij,ij->o", table, start)))

    def test_ambiguity_is_the_expected_entropy_of_what_is_seen(self) -> None:
        start = self.model.begin(1)
        table = self.model.likelihood()
        entropy = -(table * table.log()).sum(0)
        assert_close(self.model.ambiguity(start), start.mean @ entropy)

    def test_perceiving_is_bayes_rule(self) -> None:
        seen = torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.0]], dtype=F64)
        prior = self.model.begin(1)
        solution = minimize(Evidence(self.model, seen, prior), Mirror(), prior.mean)
        joint = prior.mean[0] * self.model.likelihood()[2 * 2 + 0]
        assert_close(solution.belief.mean[0], joint / joint.sum())
        assert_close(solution.value[0], -joint.sum().log())

    @given(st.integers(0, 1000))
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_energies_are_linear_in_every_argument(self, seed: int) -> None:
        draws = np.random.default_rng(seed)
        z, obs = torch.as_tensor(draws.dirichlet(np.ones(6))), self.model.emit(self.model.begin(1)).mean[0]
        corners = self.model.latent.corners()
        whole = self.model.observation(z, obs)
        assert_close(whole, z @ self.model.observation(corners, obs.expand(6, -1)))
        gradient = self.model.observation.swapped().gradient(obs.unsqueeze(0), z.unsqueeze(0))
        assert_close(gradient[0] @ z, whole)


class TestZeros:
    """A clear look at one of two states."""

    wrong = torch.tensor([[0.0, 1.0]], dtype=F64)

    def test_by_default_a_zero_counts_as_1e_16(self) -> None:
        clear = model(A=[EYE])
        sure = torch.tensor([[1.0, 0.0]], dtype=F64)
        assert clear.observation(sure, self.wrong).item() == pytest.approx(16 * log(10))
        assert clear.observation(sure, sure).item() == 0
        assert bool(clear.observation.swapped().gradient(self.wrong, sure).isfinite().all())

    def test_without_a_floor_it_is_exactly_infinite_and_never_nan(self) -> None:
        clear = model(A=[EYE], floor=0.0)
        sure = torch.tensor([[1.0, 0.0]], dtype=F64)
        assert clear.observation(sure, self.wrong).item() == inf
        assert clear.observation(sure, sure).item() == 0
        assert clear.observation.swapped().gradient(self.wrong, sure).tolist() == [[inf, 0.0]]
        mixed = torch.tensor([[0.5, 0.5]], dtype=F64)
        assert clear.observation(mixed, mixed).item() == inf
        stay = (sure, sure)
        assert clear.transition(stay, sure).item() == 0
        assert clear.transition(stay, self.wrong).item() == inf

    @pytest.mark.parametrize("floor", [1e-16, 0.0])
    def test_certain_beliefs_are_settled_without_nan(self, floor: float) -> None:
        clear = model(A=[EYE], floor=floor)
        prior = clear.begin(1)
        solution = minimize(Evidence(clear, self.wrong, prior), Mirror(), prior.mean)
        assert_close(solution.belief.mean, self.wrong)
        assert solution.value.item() == pytest.approx(log(2))


class TestLearning:
    def test_only_counts_promise_that_looking_teaches(self) -> None:
        belief, action = model().begin(1), torch.eye(2, dtype=F64)[:1]
        learning = model(A=None, counts=[[[1.0, 4.0], [2.0, 3.0]]])
        for each, promised in ((model(), False), (learning, True)):
            step = Step(belief, action, each.predict(belief, action))
            assert ("parameter_gain" in each.parameter_gain([step])) == promised

    def test_a_joint_gain_needs_states_that_are_certain(self) -> None:
        learning = model(A=None, counts=[[[1.0, 4.0], [2.0, 3.0]]])
        belief, action = learning.begin(1), torch.eye(2, dtype=F64)[:1]
        step = Step(belief, action, learning.predict(belief, action))
        with pytest.raises(UserError, match=r"JointGain\(target='weights'\) needs plans whose states are certain"):
            learning.parameter_gain([step, step])
