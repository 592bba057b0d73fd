"""Perceiving discrete latents: Bayes' rule, filtering and free energy, with numbers worked out elsewhere."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Evidence, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.dirichlet import divergence
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.smoothing import smooth

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit

# The two-state models of pymdp's tests of the free energy of sequences.
MOVES = [[[0.85, 0.30], [0.20, 0.65]], [[0.15, 0.70], [0.80, 0.35]]]  # p(next | previous, action)


def rows(*values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=F64)


def two_states(A: list[list[float]], D: list[float]) -> CategoricalModel:
    return CategoricalModel([A], [MOVES], [D])


class TestR1:
    """pymdp's free energy notebook: two states, a cue of .8, a uniform prior, the first outcome is seen."""

    model = two_states([[0.8, 0.2], [0.2, 0.8]], [0.5, 0.5])
    prior = model.begin(1)
    evidence = Evidence(model, rows([1.0, 0.0]), Categorical(rows([0.5, 0.5])))

    def free_energy(self, q: Tensor) -> Tensor:
        return self.evidence(q) - Categorical(q).entropy()

    def test_the_energy_of_each_state_is_minus_log_of_the_joint(self) -> None:
        corners = torch.eye(2, dtype=F64)
        assert_close(torch.exp(-self.evidence(corners)), torch.tensor([0.4, 0.1], dtype=F64))

    def test_free_energy_at_the_prior_and_at_the_posterior(self) -> None:
        assert_close(self.free_energy(self.prior.mean), torch.tensor([0.916291], dtype=F64), atol=HALF, rtol=0)
        assert_close(self.free_energy(rows([0.8, 0.2])), torch.tensor([0.693147], dtype=F64), atol=HALF, rtol=0)

    @pytest.mark.parametrize(("rate", "steps"), [(1.0, 1), (0.5, 64), (0.05, 800)])
    def test_descent_on_the_simplex_from_the_prior_ends_at_the_posterior(self, rate: float, steps: int) -> None:
        solution = minimize(self.evidence, Mirror(rate=rate), self.prior.mean, steps=steps)
        assert_close(solution.belief.mean, rows([0.8, 0.2]), atol=1e-12, rtol=0)
        assert_close(solution.value, torch.tensor([0.693147], dtype=F64), atol=HALF, rtol=0)
        assert bool((solution.trace.diff(dim=0) <= 1e-15).all())
        assert solution.kind == "free_energy"

    def test_free_energy_is_complexity_minus_accuracy(self) -> None:
        solution = minimize(self.evidence, Mirror(), self.prior.mean)
        terms = self.evidence.terms(Categorical(solution.belief.mean), solution.value)
        complexity = 0.8 * torch.log(rows([0.8 / 0.5])) + 0.2 * torch.log(rows([0.2 / 0.5]))
        assert_close(terms["complexity"], complexity[0])
        assert_close(terms["complexity"] - terms["accuracy"], solution.value)


class TestR2:
    """The free energy of a given sequence of beliefs, term by term (pymdp's test of its sequence free energy)."""

    def test_mean_field_transitions_observations_that_are_distributions_and_counts(self) -> None:
        model = two_states([[0.9, 0.15], [0.1, 0.85]], [0.65, 0.35])
        q = rows([0.8, 0.2], [0.25, 0.75], [0.6, 0.4])
        seen = rows([1.0, 0.0], [0.0, 1.0], [0.4, 0.6])
        did = rows([1.0, 0.0], [0.0, 1.0])
        first = model.prior(torch.empty(1, 0), q[:1])
        later = model.transition((q[:-1], did), q[1:])
        free_energies = model.observation(q, seen) + torch.cat([first, later]) - Categorical(q).entropy()
        assert_close(free_energies, torch.tensor([0.517901, 1.419920, 1.248812], dtype=F64), atol=HALF, rtol=0)
        assert float(free_energies.sum()) == pytest.approx(3.186632, abs=HALF)
        looks = divergence(rows([4.0, 2.0], [1.5, 5.0]), rows([2.0, 1.0], [1.0, 2.5])).sum()
        moved = torch.tensor(
            [[[5.0, 2.0], [2.0, 4.0]], [[1.5, 4.5], [3.0, 2.0]]], dtype=F64
        )  # (next, action, previous)
        before = torch.tensor([[[2.5, 1.5], [1.5, 3.0]], [[1.0, 2.5], [2.0, 1.0]]], dtype=F64)
        moves = divergence(moved, before).sum()
        assert [float(looks), float(moves)] == pytest.approx([0.214677, 0.383565], abs=HALF)
        assert float(free_energies.sum() + looks + moves) == pytest.approx(3.784874, abs=2 * HALF)


class TestR3:
    """Exact filtering; the inputs are those of pymdp's test with a smoothed posterior, the values enumerate it."""

    model = two_states([[0.92, 0.12], [0.08, 0.88]], [0.55, 0.45])
    seen = (0, 1, 1)
    did = (0, 1)
    eye = torch.eye(2, dtype=F64)

    def test_filtering_predicts_and_minimizes_and_its_free_energies_sum_to_minus_log_evidence(self) -> None:
        belief, filtered, total = self.model.begin(1), [], torch.zeros(1, dtype=F64)
        for t, outcome in enumerate(self.seen):
            if t > 0:
                belief = self.model.predict(belief, self.eye[self.did[t - 1]].unsqueeze(0))
            assert isinstance(belief, Categorical)
            solution = minimize(Evidence(self.model, self.eye[outcome].unsqueeze(0), belief), Mirror(), belief.mean)
            belief, total = solution.belief, total + solution.value
            filtered.append(belief.mean)
        expected = rows([0.903571, 0.096429], [0.251799, 0.748201], [0.104412, 0.895588])
        assert_close(torch.cat(filtered), expected, atol=HALF, rtol=0)
        assert float(total) == pytest.approx(2.808341, abs=HALF)
        assert float(torch.exp(-total)) == pytest.approx(0.06030496, abs=5e-9)

    def test_the_joint_energy_of_trajectories_gives_evidence_and_smoothed_beliefs(self) -> None:
        """The same from the model's energies summed over a trajectory, all eight of them enumerated."""
        weights = torch.zeros(3, 2, dtype=F64)
        for trajectory in product(range(2), repeat=3):
            z = self.eye[list(trajectory)]
            energy = self.model.prior(torch.empty(1, 0), z[:1]).sum()
            energy = energy + self.model.transition((z[:-1], self.eye[list(self.did)]), z[1:]).sum()
            energy = energy + self.model.observation(z, self.eye[list(self.seen)]).sum()
            weights += z * torch.exp(-energy)
        evidence = weights.sum(-1)
        assert_close(evidence, torch.full((3,), 0.06030496, dtype=F64), atol=5e-9, rtol=0)
        expected = rows([0.763888, 0.236112], [0.374332, 0.625668], [0.104412, 0.895588])
        assert_close(weights / evidence.unsqueeze(-1), expected, atol=HALF, rtol=0)

    def test_smoothing_and_the_free_energy_of_its_pairs(self) -> None:
        """Forward and back; the free energy of the pairwise posterior, term by term, is minus log evidence."""
        seen, did = self.eye[list(self.seen)].unsqueeze(1), self.eye[list(self.did)].unsqueeze(1)
        smoothed = smooth(self.model, seen, did)
        filtered = rows([0.903571, 0.096429], [0.251799, 0.748201], [0.104412, 0.895588])
        assert_close(smoothed.filtered[:, 0], filtered, atol=HALF, rtol=0)
        expected = rows([0.763888, 0.236112], [0.374332, 0.625668], [0.104412, 0.895588])
        assert_close(smoothed.beliefs[:, 0], expected, atol=HALF, rtol=0)
        assert float(smoothed.free_energies.sum()) == pytest.approx(2.808341, abs=HALF)
        q, pairs = smoothed.beliefs, smoothed.pairs
        assert_close(pairs.sum(-1), q[:-1])
        assert_close(pairs.sum(-2), q[1:])
        moves = torch.tensor(MOVES, dtype=F64)[..., list(self.did)].permute(2, 1, 0).unsqueeze(1)  # (t, b, z, z')
        energy = self.model.observation(q, seen).sum() + self.model.prior(torch.empty(1, 0), q[0]).sum()
        energy = energy - torch.special.xlogy(pairs, moves).sum()
        entropy = torch.special.entr(pairs).sum() - torch.special.entr(q[1:-1]).sum()
        assert float(energy - entropy) == pytest.approx(2.808341, abs=HALF)

    @pytest.mark.parametrize("missing", [(), (1,), (0, 2), (0, 1, 2, 3)])
    def test_smoothing_of_two_factors_and_two_controls_is_enumeration(self, missing: tuple[int, ...]) -> None:
        """For rows with other actions and distributions as observations, some of them missing; zeros stay zero."""
        draws = np.random.default_rng(3)

        def columns(*shape: int) -> np.ndarray:
            return np.moveaxis(draws.dirichlet(np.full(shape[0], 0.3), shape[1:]), -1, 0)

        place = columns(2, 2, 2)
        place[:, 0, 1] = [0.0, 1.0]
        lists = {"B": [[0], [1, 0]], "B_actions": [[1], [0]]}
        model = CategoricalModel(
            [columns(3, 2, 3)], [place, columns(3, 3, 2, 3)], [columns(2), columns(3)], dependencies=lists
        )
        obs = torch.from_numpy(draws.dirichlet(np.ones(3), (4, 2)))
        obs[list(missing), 1] = torch.nan
        did = model.action.one_hot(torch.from_numpy(draws.integers([3, 2], size=(3, 2, 2))))
        smoothed = smooth(model, obs, did)
        for row in range(2):
            weights = torch.zeros(4, 6, dtype=F64)
            pairs = torch.zeros(3, 6, 6, dtype=F64)
            for trajectory in product(range(6), repeat=4):
                z = torch.eye(6, dtype=F64)[list(trajectory)]
                energy = model.prior(torch.empty(1, 0), z[:1]).sum() + model.observation(z, obs[:, row]).sum()
                energy = energy + model.transition((z[:-1], did[:, row]), z[1:]).sum()
                weights += z * torch.exp(-energy)
                pairs += z[:-1].unsqueeze(-1) * z[1:].unsqueeze(-2) * torch.exp(-energy)
            evidence = weights[0].sum()
            assert_close(smoothed.beliefs[:, row], weights / evidence)
            assert_close(smoothed.pairs[:, row], pairs / evidence)
            assert_close(smoothed.free_energies[:, row].sum(), -evidence.log())
            assert_close(smoothed.beliefs[-1, row], smoothed.filtered[-1, row])

    def test_what_cannot_be_smoothed(self) -> None:
        with pytest.raises(UserError, match="smooth expects T observations and T - 1 actions, got 3 and 3"):
            smooth(self.model, torch.zeros(3, 1, 2), torch.zeros(3, 1, 2))


class TestR23:
    def test_energies_extend_to_the_simplex_multilinearly(self) -> None:
        """E_q[-log A] at q = (.5, .5), not -log (A q): the energy of a mixture is the mixture of the energies."""
        model = two_states([[0.8, 0.2], [0.2, 0.8]], [0.5, 0.5])
        q, seen = rows([0.5, 0.5]), rows([1.0, 0.0])
        energy = float(model.observation(q, seen))
        assert energy == pytest.approx(0.916291, abs=HALF)
        assert energy != pytest.approx(0.693147, abs=0.1)


probability = st.floats(0.01, 1.0)


@st.composite
def perceptions(draw: st.DrawFn) -> tuple[CategoricalModel, Tensor, Tensor, Tensor]:
    """A random model with two modalities, a prior belief, an observation and an interior start, (1, n) each."""
    states = draw(st.integers(2, 5))

    def columns(levels: int, width: int) -> Tensor:
        raw = draw(st.lists(probability, min_size=levels * width, max_size=levels * width))
        table = torch.tensor(raw, dtype=F64).reshape(levels, width)
        return table / table.sum(0)

    A, D = [columns(3, states).numpy(), columns(2, states).numpy()], columns(states, 1)[:, 0]
    model = CategoricalModel(A, [torch.eye(states, dtype=F64).unsqueeze(-1).numpy()], [D.numpy()])
    seen = model.outcome.one_hot(torch.tensor([[draw(st.integers(0, 2)), draw(st.integers(0, 1))]]))
    return model, D.unsqueeze(0), seen, columns(states, 1).T


@settings(derandomize=True, deadline=None, max_examples=100)
@given(perceptions())
def test_one_mirror_step_is_bayes_rule_from_any_interior_start(
    case: tuple[CategoricalModel, Tensor, Tensor, Tensor],
) -> None:
    """And the free energy there is minus the log evidence, which no other belief goes below."""
    model, prior, seen, start = case
    first, second = model.outcome.blocks(seen)
    joint = prior * (torch.einsum("bi,bj->bij", first, second).flatten(1) @ model.likelihood())
    evidence = Evidence(model, seen, Categorical(prior))
    solution = minimize(evidence, Mirror(), start, steps=1)
    assert_close(solution.belief.mean, joint / joint.sum(-1, keepdim=True), atol=1e-10, rtol=0)
    assert_close(solution.value, -joint.sum(-1).log(), atol=1e-10, rtol=0)
    elsewhere = evidence(start) - Categorical(start).entropy()
    assert bool((elsewhere >= solution.value - 1e-12).all())


class TestR17:
    """With zero probabilities in every array, values and gradients stay finite wherever the truth is."""

    model = CategoricalModel(
        [[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]],
        [
            [
                [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]],
                [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
                [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]],
            ]
        ],
        [[0.5, 0.5, 0.0]],
    )

    @pytest.mark.parametrize("start", [[1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    @pytest.mark.parametrize("rate", [1.0, 0.5])
    def test_perceiving_with_a_deterministic_model(self, start: list[float], rate: float) -> None:
        prior = self.model.begin(1)
        assert isinstance(prior, Categorical)
        evidence = Evidence(self.model, rows([0.0, 1.0]), prior)
        solution = minimize(evidence, Mirror(rate=rate, steps=60), rows(start))
        assert_close(solution.belief.mean, rows([0.0, 1.0, 0.0]), atol=1e-12, rtol=0)
        assert_close(solution.value, torch.tensor([0.5], dtype=F64).log().neg())

    def test_energies_of_the_model_are_finite_and_differentiable(self) -> None:
        z = rows([1.0, 0.0, 0.0]).requires_grad_()
        after, action = rows([0.0, 0.0, 1.0]).requires_grad_(), rows([0.0, 1.0]).requires_grad_()
        energy = self.model.observation(z, rows([0.0, 1.0])) + self.model.transition((z, action), after)
        energy = energy + self.model.prior(torch.empty(1, 0), after)
        slopes = torch.autograd.grad(energy.sum(), [z, after, action])
        assert all(bool(torch.isfinite(value).all()) for value in [energy, *slopes])
