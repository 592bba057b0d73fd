"""R22 and R17: information gains with closed forms, what the usual sum over-counts, and how large a gain can be."""

from itertools import product
from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Belief, Categorical, ExpectedEnergy, Gain, Gaussian, Model, Purpose, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.regression import Regression
from agentic_optimizers.backups import Max
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit


def credited(model: Model, plan: Tensor, gain: Gain, belief: Belief | None = None, name: str = "state_gain") -> float:
    """The gain of one plan (T, actions) from `belief`, in nats."""
    sizes = getattr(model.outcome, "sizes", None)
    goal = LogPreferences([[0.0] * n for n in sizes]) if sizes else QuadraticGoal([1.0] * model.outcome.size)
    objective = ExpectedEnergy(model, belief or model.begin(1), Purpose(goal, len(plan), gain))
    return float(objective.terms(plan.unsqueeze(0))[name])


def one_action(steps: int) -> Tensor:
    return torch.ones(steps, 1, dtype=F64)


class TestRegression:
    """Bayesian linear regression on the regressor (1, .5), noise variance .25, a standard normal prior on weights.

    The latent 1 stays 1 under the mean weights and the action is .5, so that two steps look at the same place twice.
    """

    regression = Regression(torch.tensor([[1.0], [0.0]]), 0.25 * torch.eye(2), torch.tensor([0.25]))
    model = LinearGaussian([[1.0]], [[0.0]], Q=[0.25], R=[1e-8], mean=[1.0], regression=regression)
    name = "latent_parameter_gain"

    @pytest.mark.parametrize("gain", [SummedGain("weights"), JointGain("weights")])
    def test_one_look(self, gain: Gain) -> None:
        plan = torch.full((1, 1), 0.5, dtype=F64)
        assert credited(self.model, plan, gain, name=self.name) == pytest.approx(0.895880, abs=HALF)

    @pytest.mark.parametrize(("gain", "nats"), [(SummedGain("weights"), 1.791759), (JointGain("weights"), 1.198948)])
    def test_two_looks_at_one_place(self, gain: Gain, nats: float) -> None:
        plan = torch.full((2, 1), 0.5, dtype=F64)
        assert credited(self.model, plan, gain, name=self.name) == pytest.approx(nats, abs=HALF)

    def test_the_second_look_is_worth_what_the_first_one_leaves(self) -> None:
        updated = Regression(self.regression.mean, self.regression.precision, self.regression.rate)
        look = torch.tensor([1.0, 0.5], dtype=F64)
        updated.observe(look, torch.tensor([3.0], dtype=F64))
        second = updated.gain(look.unsqueeze(0))
        assert float(second) == pytest.approx(1.198948 - 0.895880, abs=2 * HALF)


def learned(counts: list[list[float]]) -> CategoricalModel:
    """Dirichlet counts (outcomes, states), states that keep themselves, the first state certain."""
    n = len(counts[0])
    return CategoricalModel(B=[np.eye(n)[:, :, None]], D=[np.eye(n)[0]], counts=[counts])


class TestDirichlet:
    name = "parameter_gain"

    @pytest.mark.parametrize(("gain", "nats"), [(SummedGain("weights"), 0.386294), (JointGain("weights"), 0.329661)])
    def test_two_draws_of_a_coin_of_unknown_bias(self, gain: Gain, nats: float) -> None:
        model = learned([[1.0], [1.0]])
        assert credited(model, one_action(2), gain, name=self.name) == pytest.approx(nats, abs=HALF)

    def test_one_draw_is_worth_the_same_either_way(self) -> None:
        model = learned([[1.0], [1.0]])
        for gain in (SummedGain("weights"), JointGain("weights")):
            assert credited(model, one_action(1), gain, name=self.name) == pytest.approx(log(2) - 0.5, abs=1e-12)

    def test_novelty_in_its_exact_form(self) -> None:
        """R11, pymdp's test of its parameter information gain: the mean of these weights over what will be seen."""
        counts = np.array([[1.0, 2.0], [3.0, 4.0]])
        novelty = np.array([[-0.302961, -0.148612], [-0.037682, -0.038798]])
        expected = -(counts / counts.sum(0) * novelty).sum(0)
        for state in range(2):
            belief = Categorical(torch.eye(2, dtype=F64)[[state]])
            gain = credited(learned(counts.tolist()), one_action(1), SummedGain("weights"), belief, self.name)
            assert gain == pytest.approx(expected[state], abs=1e-6)

    def test_counts_are_a_belief_about_their_columns_mean(self) -> None:
        """R11, pymdp's T-maze learning demo: a certain likelihood plus .3 everywhere, before any data."""
        model = learned((np.eye(3) + 0.3).tolist())
        column = model.likelihood()[:, 0]
        assert_close(column, torch.tensor([0.684211, 0.157895, 0.157895], dtype=F64), atol=HALF, rtol=0)

    @given(st.lists(st.floats(0.1, 5.0), min_size=2, max_size=5), st.floats(1.1, 10.0))
    @settings(derandomize=True, deadline=None, max_examples=60)
    def test_more_concentrated_counts_promise_less(self, counts: list[float], factor: float) -> None:
        few, many = learned([[c] for c in counts]), learned([[factor * c] for c in counts])
        gains = [credited(m, one_action(1), SummedGain("weights"), name=self.name) for m in (few, many)]
        assert gains[0] > gains[1] > 0


class TestChain:
    """A state that flips with probability .1 a step, seen five times through a cue of validity .95.

    The first state is the one that the first observation is about.
    """

    HOLD, DRIFT = 0, 1
    model = CategoricalModel(
        [[[0.95, 0.05], [0.05, 0.95]]], [[[[1.0, 0.9], [0.0, 0.1]], [[0.0, 0.1], [1.0, 0.9]]]], [[0.5, 0.5]]
    )
    looks = torch.eye(2, dtype=F64)[[HOLD, DRIFT, DRIFT, DRIFT, DRIFT]]
    drifts = torch.eye(2, dtype=F64)[[DRIFT] * 5]

    @pytest.mark.parametrize("plan", ["looks", "drifts"])
    @pytest.mark.parametrize(
        ("gain", "nats"),
        [(SummedGain(), 2.473160), (JointGain("trajectory"), 1.519503), (JointGain("first"), 0.560949)],
    )
    def test_five_looks_whether_or_not_it_drifts_before_the_first(self, gain: Gain, nats: float, plan: str) -> None:
        assert credited(self.model, getattr(self, plan), gain) == pytest.approx(nats, abs=HALF)

    @pytest.mark.parametrize("plan", ["looks", "drifts"])
    @pytest.mark.parametrize("target", ["first", "final", "trajectory"])
    def test_against_all_trajectories_and_outcomes(self, target: str, plan: str) -> None:
        actions: Tensor = getattr(self, plan)
        exact = enumerated(self.model, self.model.begin(1).mean[0], actions, target)
        assert credited(self.model, actions, JointGain(target)) == pytest.approx(exact, abs=1e-12)


def enumerated(model: CategoricalModel, start: Tensor, actions: Tensor, target: str) -> float:
    """I(target; outcomes) from the whole joint distribution, one trajectory at a time: slow, and hard to get wrong."""
    table, likelihood, n = model.dynamics().numpy(), model.likelihood().numpy(), len(start)
    indices = actions.argmax(-1).tolist()
    joint: dict[tuple[int, ...], np.ndarray] = {}
    for path in product(range(n), repeat=len(indices) + 1):
        moves = [table[path[t + 1], path[t], a] for t, a in enumerate(indices)]
        outcomes = np.ones(1)
        for z in path[1:]:
            outcomes = np.multiply.outer(outcomes, likelihood[:, z]).ravel()
        label = {"first": path[1:2], "final": path[-1:], "trajectory": path[1:]}[target]
        joint[label] = joint.get(label, np.zeros(1)) + float(start[path[0]]) * np.prod(moves) * outcomes
    whole = np.stack(list(joint.values()))

    def entropy(p: np.ndarray) -> float:
        seen = p[p > 0]
        return float(-(seen * np.log(seen)).sum())

    return entropy(whole.sum(0)) + entropy(whole.sum(1)) - entropy(whole.ravel())


class TestTwoCueMatrices:
    """The cue shows the state or its opposite, equally likely: neither is learned alone, each given the other.

    The state z is drawn anew in every step, the matrix theta is static; outcomes are z or its opposite.
    """

    model = CategoricalModel(
        [[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]],  # (outcome, z, theta)
        [np.full((2, 2, 1), 0.5), np.eye(2)[:, :, None]],
        [[0.5, 0.5], [0.5, 0.5]],
    )

    def test_together_one_look_tells_one_bit(self) -> None:
        assert credited(self.model, one_action(1), SummedGain()) == pytest.approx(log(2), abs=1e-12)
        assert credited(self.model, one_action(1), JointGain("final")) == pytest.approx(log(2), abs=1e-12)

    def test_about_the_matrix_alone_nothing(self) -> None:
        for looks in (1, 3):
            gain = credited(self.model, one_action(looks), JointGain("static"))
            assert gain == pytest.approx(0, abs=1e-12)

    def test_about_the_state_alone_nothing(self) -> None:
        average = CategoricalModel([np.full((2, 2), 0.5)], [np.full((2, 2, 1), 0.5)], [[0.5, 0.5]])
        assert credited(average, one_action(1), SummedGain()) == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("known", ["state", "matrix"])
    def test_one_bit_about_each_where_the_other_is_known(self, known: str) -> None:
        """Adding the two conditional gains would credit one look with two bits, twice of what it can tell."""
        still = CategoricalModel(
            [[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]],
            [np.eye(2)[:, :, None]] * 2,
            [[1.0, 0.0], [0.5, 0.5]] if known == "state" else [[0.5, 0.5], [1.0, 0.0]],
        )
        assert credited(still, one_action(1), SummedGain()) == pytest.approx(log(2), abs=1e-12)


def test_two_identical_modalities_in_one_step_are_counted_once_by_the_joint_gain() -> None:
    """R17: summed over modalities, one look can be credited with more than there is to know."""
    cue = [[0.95, 0.05], [0.05, 0.95]]
    model = CategoricalModel([cue, cue], [np.eye(2)[:, :, None]], [[0.5, 0.5]])
    assert credited(model, one_action(1), SummedGain()) == pytest.approx(0.989264, abs=HALF)
    for target in JointGain.TARGETS[:4]:
        assert credited(model, one_action(1), JointGain(target)) == pytest.approx(0.610073, abs=HALF)


@st.composite
def courses(draw: st.DrawFn) -> tuple[CategoricalModel, Tensor]:
    """A random model of up to three states, two outcomes and two actions, a static pair of factors half of the time."""
    draws = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, sharp = draw(st.integers(2, 3)), draw(st.sampled_from([0.2, 1.0, 5.0]))

    def columns(levels: int, *rest: int) -> np.ndarray:
        return np.moveaxis(draws.dirichlet(np.full(levels, sharp), size=rest), -1, 0)

    if draw(st.booleans()):
        moves, starts = [columns(n, n, 2), np.repeat(np.eye(2)[:, :, None], 2, 2)], [columns(n, 1)[:, 0], [0.3, 0.7]]
        model = CategoricalModel([columns(2, n, 2)], moves, starts)
    else:
        model = CategoricalModel([columns(2, n), columns(2, n)], [columns(n, n, 2)], [columns(n, 1)[:, 0]])
    plan = draw(st.lists(st.integers(0, 1), min_size=1, max_size=3))
    return model, torch.eye(2, dtype=F64)[plan]


def target_entropy(model: CategoricalModel, plan: Tensor, target: str) -> float:
    """Entropy in nats of what a joint gain is about."""
    belief = model.begin(1)
    assert isinstance(belief, Categorical)
    if target == "static":
        return 0.3 * log(1 / 0.3) + 0.7 * log(1 / 0.7) if len(model.factors) > 1 else 0.0
    first = path = 0.0
    for t, action in enumerate(plan):
        ahead = model.predict(belief, action)
        moves = model.dynamics() @ action
        noise = -torch.special.xlogy(moves, moves).sum(0)
        path += float(ahead.entropy()) if t == 0 else float(belief.mean[0] @ noise)
        first = float(ahead.entropy()) if t == 0 else first
        belief = ahead
    assert isinstance(belief, Categorical)
    return {"first": first, "final": float(belief.entropy()), "trajectory": path}[target]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(courses())
def test_a_joint_gain_is_never_negative_nor_more_than_there_is_to_know(case: tuple[CategoricalModel, Tensor]) -> None:
    model, plan = case
    gains = {target: credited(model, plan, JointGain(target)) for target in JointGain.TARGETS[:4]}
    for target, gain in gains.items():
        assert -1e-10 <= gain <= target_entropy(model, plan, target) + 1e-10
    assert gains["final"] <= gains["trajectory"] + 1e-10
    assert gains["first"] <= gains["trajectory"] + 1e-10
    assert gains["trajectory"] <= credited(model, plan, SummedGain()) + 1e-10
    for target in ("first", "final", "trajectory"):
        exact = enumerated(model, model.begin(1).mean[0], plan, target)
        assert gains[target] == pytest.approx(exact, abs=1e-10)


class TestEpisodesThatMayEnd:
    """A static side seen through a .95 cue while the episode may end: a look counts as often as it is taken."""

    cue = ([0.95, 0.05], [0.05, 0.95])

    def model(self, ends: list[float]) -> CategoricalModel:
        return CategoricalModel([self.cue], [np.eye(2)[:, :, None]], [[0.5, 0.5]], ends=ends)

    @pytest.mark.parametrize("target", ["trajectory", "static", "first"])
    def test_the_second_look_counts_half_where_half_of_the_episodes_are_over(self, target: str) -> None:
        gain = credited(self.model([0.5, 0.5]), one_action(2), JointGain(target))
        assert gain == pytest.approx(0.494632 + 0.5 * (0.610073 - 0.494632), abs=2 * HALF)

    def test_about_the_final_state_only_what_those_know_that_are_still_there(self) -> None:
        gain = credited(self.model([0.5, 0.5]), one_action(2), JointGain("final"))
        assert gain == pytest.approx(0.5 * 0.610073, abs=HALF)

    @pytest.mark.parametrize("ends", [[0.0, 0.0], [0.5, 0.5], [0.5, 0.1], [1.0, 0.0], [1.0, 1.0]])
    @pytest.mark.parametrize("horizon", [1, 2, 4])
    def test_a_tree_that_opens_every_outcome_finds_the_same(self, ends: list[float], horizon: int) -> None:
        model = self.model(ends)
        purpose = Purpose(LogPreferences([[0.0, 0.0]]), horizon, SummedGain())
        tree = minimize(ExpectedEnergy(model, model.begin(1), purpose), TreeSearch(Max())).belief
        assert isinstance(tree, Tree)
        joint = credited(model, one_action(horizon), JointGain("trajectory"))
        assert joint == pytest.approx(float(tree.parts["state_gain"]), abs=1e-12)


class TestLinearGaussian:
    """The covariance recursion against the joint covariance of latents and observations, written out."""

    steps = 4
    covariance = ([1.0, 0.4], [0.4, 2.0])
    model = LinearGaussian(
        [[0.9, 0.3], [-0.2, 0.8]],
        [[0.0], [1.0]],
        Q=[[0.2, 0.05], [0.05, 0.1]],
        R=[0.3],
        C=[[1.0, 0.5]],
        covariance=covariance,
    )

    def information(self, target: str) -> float:
        """Half of log det of target and of observations, minus that of both, from independent normals."""
        system = self.model.system()
        start = torch.linalg.cholesky(torch.tensor(self.covariance, dtype=F64))
        drive, noise = torch.linalg.cholesky(system.Q), system.R.sqrt()
        width = 2 * (self.steps + 1) + self.steps
        z = torch.zeros(2, width, dtype=F64)
        z[:, :2] = start
        path, seen = [z], []
        for k in range(self.steps):
            z = system.A @ z
            z[:, 2 * (k + 1) : 2 * (k + 2)] += drive
            y = system.C @ z
            y[:, 2 * (self.steps + 1) + k] += noise[0]
            path.append(z)
            seen.append(y)
        label = {"first": path[1], "final": path[-1], "trajectory": torch.cat(path[1:])}[target]

        def half_log_det(rows: Tensor) -> float:
            return 0.5 * float(torch.logdet(rows @ rows.T))

        outcome = torch.cat(seen)
        return half_log_det(label) + half_log_det(outcome) - half_log_det(torch.cat([label, outcome]))

    @pytest.mark.parametrize("target", ["first", "final", "trajectory"])
    def test_joint_gain(self, target: str) -> None:
        plan = torch.zeros(self.steps, 1, dtype=F64)
        gain = credited(self.model, plan, JointGain(target))
        assert gain == pytest.approx(self.information(target), abs=1e-10)
        assert 0 < gain < credited(self.model, plan, SummedGain())

    def test_it_is_the_same_for_every_control(self) -> None:
        plans = [torch.zeros(self.steps, 1, dtype=F64), torch.linspace(-9, 9, self.steps, dtype=F64).unsqueeze(1)]
        gains = [credited(self.model, plan, JointGain("trajectory")) for plan in plans]
        assert gains[0] == pytest.approx(gains[1], abs=1e-12)

    def test_one_look_lowers_the_entropy_of_the_belief_by_it(self) -> None:
        start = self.model.begin(1)
        predicted = self.model.predict(start, torch.zeros(1, 1, dtype=F64))
        o, spread = self.model.system(), predicted.covariance
        seen = o.C @ spread @ o.C.T + o.R
        after = spread - spread @ o.C.T @ torch.linalg.solve(seen, o.C @ spread)
        drop = predicted.entropy() - Gaussian(predicted.mean, after).entropy()
        assert credited(self.model, one_action(1), SummedGain()) == pytest.approx(float(drop), abs=1e-12)

    def test_what_has_no_static_part_says_so(self) -> None:
        with pytest.raises(UserError, match="static"):
            credited(self.model, one_action(1), JointGain("static"))
