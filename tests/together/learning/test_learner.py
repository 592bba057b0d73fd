"""The built-in learners on the built-in models: closed forms against the same data in one go, gradients by a replay."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Box, Categorical, Conjugate, Decision, LinearModel, Real, RunError, Tick, UserError, fit
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.ensemble import Ensemble
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table
from agentic_optimizers.adam import Adam
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.gradient_learner import GradientLearner

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
        message = ConjugateLearner(model).update(tick(zero, torch.zeros(1, 1, dtype=F64), torch.tensor([[3.0, 4.0]])))
        assert message == {"prediction_error": pytest.approx(5.0)}

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
            UserError, match="ConjugateLearner needs a model that conditions on ticks in closed form, got Table"
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


class TestGradientLearner:
    def learner(self, every: int = 4, **parameters: Any) -> GradientLearner:
        model = Ensemble(Real((2,)), Real((1,)), members=2, hidden=(4,))
        return GradientLearner(model, every=every, updates=3, batch=8, **parameters)

    def ticks(self, count: int, rows: int = 2) -> list[Tick]:
        draws, made = torch.Generator().manual_seed(5), []
        for _ in range(count):
            obs, action, after = (torch.randn(rows, n, generator=draws) for n in (2, 1, 2))
            made.append(tick(obs, action, after))
        return made

    def weights(self, learner: GradientLearner) -> Tensor:
        return torch.cat([weight.detach().flatten() for weight in learner.model.parameters()])

    def test_the_same_seed_gives_the_same_weights(self) -> None:
        found = []
        for seed in (1, 1, 2):
            learner = self.learner()
            learner.start(generator=torch.Generator().manual_seed(seed))
            for each in self.ticks(4):
                learner.update(each)
            found.append(self.weights(learner))
        assert torch.equal(found[0], found[1])
        assert not torch.equal(found[0], found[2])

    def test_no_draw_is_taken_from_the_global_generator(self) -> None:
        before, learner = torch.get_rng_state(), self.learner()
        learner.start(generator=torch.Generator().manual_seed(1))
        for each in self.ticks(2):
            learner.update(each)
        assert learner.model.version == 1
        assert torch.equal(torch.get_rng_state(), before)

    def test_it_learns_after_every_so_many_valid_steps(self) -> None:
        learner = self.learner(every=4)
        learner.start(generator=torch.Generator().manual_seed(0))
        reported = [bool(learner.update(each)) for each in self.ticks(5)]
        assert reported == [False, True, False, True, False]
        assert learner.model.version == 2
        assert learner.replay.total == 10

    def test_what_is_not_valid_does_not_count(self) -> None:
        learner = self.learner(every=2)
        learner.start(generator=torch.Generator().manual_seed(0))
        for each in self.ticks(1):
            each.valid[1] = False
            assert learner.update(each) == {}
        assert (learner.model.version, learner.replay.total) == (0, 1)

    def test_weights_change_when_the_version_does_and_only_then(self) -> None:
        learner = self.learner(every=4)
        learner.start(generator=torch.Generator().manual_seed(0))
        drawn = self.weights(learner)
        first, second = self.ticks(2)
        learner.update(first)
        assert torch.equal(self.weights(learner), drawn)
        message = learner.update(second)
        assert not torch.equal(self.weights(learner), drawn)
        assert set(message) == {"loss", "squared_error"}

    def test_a_second_run_goes_on_with_what_was_learned(self) -> None:
        learner = self.learner(every=2)
        learner.start(generator=torch.Generator().manual_seed(0))
        learner.update(self.ticks(1)[0])
        learned = self.weights(learner)
        learner.start(generator=torch.Generator().manual_seed(7))
        assert torch.equal(self.weights(learner), learned)

    def test_loaded_weights_are_kept(self) -> None:
        taught = self.learner(every=2)
        taught.start(generator=torch.Generator().manual_seed(0))
        taught.update(self.ticks(1)[0])
        for assign in (False, True):
            learner = self.learner(every=2)
            learner.model.load_state_dict(taught.model.state_dict(), assign=assign)
            loaded = self.weights(taught)
            learner.start(generator=torch.Generator().manual_seed(7))
            assert torch.equal(self.weights(learner), loaded)
            learner.update(self.ticks(1)[0])
            assert not torch.equal(self.weights(learner), loaded)  # it lowers the weights that were read

    def test_so_are_those_of_a_fit_by_hand(self) -> None:
        learner = self.learner()
        model: Any = learner.model
        model.initialize(generator=torch.Generator().manual_seed(0))
        for each in self.ticks(3):
            learner.replay.add(each)
        data = model.dataset(learner.replay, generator=torch.Generator().manual_seed(0))
        fit(model, model.loss, data, optimizer=torch.optim.SGD(model.parameters(), 0.1))
        fitted = self.weights(learner)
        learner.start(generator=torch.Generator().manual_seed(7))
        assert torch.equal(self.weights(learner), fitted)

    def test_a_fit_is_so_many_steps_at_a_rate_that_falls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rates, sizes = list[float](), list[int]()

        def spied(adam: Adam, value: torch.Tensor, rate: float) -> None:
            rates.append(rate)
            lower(adam, value, rate)

        def loss(model: Any, rows: Any, *, generator: Any) -> Any:
            sizes.append(len(rows[0]))
            return Ensemble.loss(model, rows, generator=generator)

        lower = Adam.lower
        monkeypatch.setattr(Adam, "lower", spied)
        for ticks in (1, 40):  # fewer rows than a batch, and more
            learner = self.learner(every=2 * ticks, rate=0.04)
            monkeypatch.setattr(learner.model, "loss", loss)
            learner.start(generator=torch.Generator().manual_seed(0))
            for number, each in enumerate(self.ticks(ticks), 1):
                assert bool(learner.update(each)) == (number == ticks)
            assert sizes == [8, 8, 8]
            assert rates == pytest.approx([0.04, 0.03, 0.01])
            assert not learner.due
            sizes.clear()
            rates.clear()

    def test_a_rate_that_is_too_high_is_named(self) -> None:
        """A loss that is no number ends the fit, says where, and changes nothing."""
        learner = self.learner(every=2, rate=1e30)
        learner.start(generator=torch.Generator().manual_seed(0))
        with pytest.raises(RunError, match=r"EnsembleLoss is .* in step 1: lower the rate, or scale the data"):
            learner.update(self.ticks(1)[0])

    def test_a_model_without_weights_to_lower(self) -> None:
        with pytest.raises(UserError, match="a model that is learned by gradient, got LinearGaussian"):
            GradientLearner(LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0]))

    @pytest.mark.parametrize("wrong", [{"every": 0}, {"rate": 0.0}, {"batch": 0}, {"updates": 0}])
    def test_numbers(self, wrong: dict[str, Any]) -> None:
        model = Ensemble(Real((2,)), Real((1,)), members=2, hidden=(4,))
        with pytest.raises(UserError, match=r"expected (every, updates and batch of at least 1|a finite rate > 0)"):
            GradientLearner(model, **wrong)

    def test_to_study_nothing_is_refused(self) -> None:
        with pytest.raises(UserError, match="add ticks first"):
            self.learner().study()
