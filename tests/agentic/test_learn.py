"""Learning between ticks: closed forms against the same data in one go."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Box, Categorical, Conjugate, ConjugateLearner, Decision, LinearModel, Real, Tick, UserError
from agentic.agent import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table

F64 = torch.float64


def tick(
    obs: Tensor, action: Tensor, next_obs: Tensor, belief: Categorical | None = None, valid: object = None
) -> Tick:
    rows = len(obs)
    flags, count = np.zeros(rows, bool), np.zeros(rows, np.int64)
    good = ~flags if valid is None else np.asarray(valid)
    native = Native(obs.numpy(), action.numpy(), next_obs.numpy())
    decision = Decision(action, belief=belief)
    return Tick(obs, action, next_obs, np.zeros(rows), flags, flags, good, count, count, decision, native)


class TestRegression:
    """Two observations and one action, three rows at a time, the last row of every tick not valid."""

    def series(self, seed: int, steps: int = 8) -> list[Tick]:
        draws, made = torch.Generator().manual_seed(seed), []
        for _ in range(steps):
            obs, action, after = (torch.randn(3, n, generator=draws, dtype=F64) for n in (2, 1, 2))
            made.append(tick(obs, action, after, valid=[True, True, False]))
        return made

    @given(st.integers(0, 10_000))
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_tick_by_tick_is_least_squares_with_the_same_prior(self, seed: int) -> None:
        model = LinearGaussian.learned(Real((2,)), Real((1,)), prior_precision=0.3, noise=0.2, confidence=2.0)
        learner, ticks = ConjugateLearner(model), self.series(seed)
        for each in ticks:
            learner.update(each)
        x = torch.cat([torch.cat([each.obs[:2], each.action[:2]], -1) for each in ticks])
        y = torch.cat([each.next_obs[:2] for each in ticks])
        prior = torch.cat([torch.eye(2, dtype=F64), torch.zeros(1, 2, dtype=F64)])
        precision = 0.3 * torch.eye(3, dtype=F64)
        mean = torch.linalg.solve(precision + x.T @ x, precision @ prior + x.T @ y)
        system = model.system()
        assert_close(system.A, mean[:2].T)
        assert_close(system.B, mean[2:].T)
        gap = mean - prior
        rate = 0.2 * 3 + 0.5 * (((y - x @ mean) ** 2).sum(0) + (gap * (precision @ gap)).sum(0))
        assert_close(system.Q, torch.diag(rate / (2.0 + len(x) / 2 + 1)))
        assert model.version == len(ticks)

    def test_it_reports_the_error_it_made(self) -> None:
        model = LinearGaussian.learned(Real((2,)), Real((1,)))
        zero = torch.zeros(1, 2, dtype=F64)
        told = ConjugateLearner(model).update(tick(zero, torch.zeros(1, 1, dtype=F64), torch.tensor([[3.0, 4.0]])))
        assert told == {"prediction_error": pytest.approx(5.0)}

    def test_a_tick_without_valid_rows_teaches_nothing(self) -> None:
        model = LinearGaussian.learned(Real((2,)), Real((1,)))
        before = model.system().A.clone()
        ones = torch.ones(1, 2, dtype=F64)
        ConjugateLearner(model).update(tick(ones, torch.ones(1, 1, dtype=F64), 5 * ones, valid=[False]))
        assert_close(model.system().A, before)


class TestCounts:
    prior = [[1.0, 2.0], [3.0, 0.5]]  # noqa: RUF012

    def model(self) -> CategoricalModel:
        return CategoricalModel(B=[np.eye(2)[:, :, None]], D=[[0.5, 0.5]], counts=[self.prior])

    def test_every_valid_row_adds_what_was_seen_where_it_was_believed_to_be(self) -> None:
        model, action = self.model(), torch.ones(3, 1, dtype=F64)
        beliefs = torch.tensor([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]], dtype=F64)
        seen = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
        ConjugateLearner(model).update(tick(seen, action, seen, Categorical(beliefs), [True, True, False]))
        counts = torch.tensor(self.prior, dtype=F64)
        counts[0, 0] += 1
        counts[1] += beliefs[1]
        assert_close(model.likelihood(), counts / counts.sum(0))
        assert model.version == 1

    def test_the_energy_follows(self) -> None:
        model = self.model()
        sure, seen = torch.tensor([[1.0, 0.0]], dtype=F64), torch.tensor([[1.0, 0.0]], dtype=F64)
        before = model.observation(sure, seen).item()
        ConjugateLearner(model).update(tick(seen, torch.ones(1, 1), seen, Categorical(sure)))
        assert model.observation(sure, seen).item() == pytest.approx(-np.log(2 / 5))
        assert before == pytest.approx(-np.log(1 / 4))

    def test_with_certain_states_frequencies_are_found(self) -> None:
        model, draws = self.model(), torch.Generator().manual_seed(0)
        learner, truth = ConjugateLearner(model), torch.tensor([[0.9, 0.3], [0.1, 0.7]], dtype=F64)
        for _ in range(30):
            states = torch.eye(2, dtype=F64)[torch.arange(100) % 2]
            seen = Categorical(states @ truth.T).sample(1, draws)[0]
            learner.update(tick(seen, torch.ones(100, 1), seen, Categorical(states)))
        assert_close(model.likelihood(), truth, atol=0.05, rtol=0)


class TestDoors:
    def test_a_model_without_a_conjugate_belief(self) -> None:
        with pytest.raises(
            UserError, match="ConjugateLearner needs a model that absorbs ticks in closed form, got Table"
        ):
            ConjugateLearner(Table.example())  # type: ignore[arg-type]

    def test_a_given_model_is_not_learned(self) -> None:
        given_one = LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0])
        assert isinstance(given_one, LinearModel)
        assert isinstance(given_one, Conjugate)
        zero = torch.zeros(1, 1)
        with pytest.raises(UserError, match="given, not learned: leave out A, or leave out the learner"):
            ConjugateLearner(given_one).update(tick(zero, zero, zero))

    def test_a_categorical_model_needs_counts(self) -> None:
        model = CategoricalModel.example()
        seen = torch.eye(2, dtype=F64)[:1]
        with pytest.raises(UserError, match="a categorical model learns from counts"):
            ConjugateLearner(model).update(tick(seen, seen, seen, Categorical(seen)))

    def test_boxes_are_learned_as_real_vectors(self) -> None:
        box = Box(torch.zeros(2), torch.ones(2))
        assert LinearGaussian.learned(box, Real((1,))).latent == Real((2,))
