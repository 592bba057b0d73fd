"""R20 and R25: what is expected of a plan depends on what kind of plan it is, and on what its end costs."""

from math import log, sqrt

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import CertaintyEquivalentEnergy, ExpectedEnergy, Gaussian, Purpose, Sequence, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import Effort, LogPreferences, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.backups import Max
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.feedback_plan import AffineFeedback
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
HALF = 5e-5  # half a unit of the fourth printed digit


class TestR20:
    """A double integrator under linear feedback, 20 steps, derived from the Riccati and Kalman recursions.

    The cost is the sum over t of x'Qx + u'Ru with a terminal x'Qx, Q = diag(1, .1), R = .01: one sum over states 0..20,
    of which our purpose counts 1..20, so that the expected cost of the first state is added here. Our quadratic goals
    are halved, hence the doubled weights.
    """

    goal = QuadraticLatentGoal([2.0, 0.2])
    purpose = Purpose(goal, 20, effort=Effort([0.02]))
    mean = torch.tensor([[1.0, 0.0]], dtype=F64)
    spread = 0.1 * torch.eye(2, dtype=F64).unsqueeze(0)
    belief = Gaussian(mean, spread)
    now = goal(None, mean) + 0.1 + 0.01  # and what not knowing it adds, tr(Q x covariance)

    def model(self, C: list[list[float]], R: list[float]) -> LinearGaussian:
        return LinearGaussian([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], Q=[0.001, 0.01], R=R, C=C)

    @property
    def position_seen(self) -> LinearGaussian:
        return self.model([[1.0, 0.0]], [0.05])

    def mean_course(self) -> Tensor:
        """The actions that the feedback takes along the course without noise, as one open-loop plan (1, 20, 1)."""
        model = self.position_seen
        plan = minimize(CertaintyEquivalentEnergy(model, self.belief, self.purpose), Riccati()).belief
        assert isinstance(plan, AffineFeedback)
        system, z, actions = model.system(), self.mean, []
        for t in range(20):
            actions.append(z @ plan.gains[t].T + plan.offsets[t])
            z = z @ system.A.T + actions[-1] @ system.B.T
        return torch.stack(actions, 1)

    def test_plan_at_the_mean_point(self) -> None:
        objective = CertaintyEquivalentEnergy(self.position_seen, self.belief, self.purpose)
        first = self.goal(None, self.mean)
        assert float(objective(self.mean_course()) + first) == pytest.approx(6.5453, abs=HALF)
        assert float(minimize(objective, Riccati()).value + first) == pytest.approx(6.5453, abs=HALF)

    def test_the_same_sequence_open_loop_under_the_belief(self) -> None:
        objective = ExpectedEnergy(self.position_seen, self.belief, self.purpose)
        assert float(objective(self.mean_course()) + self.now) == pytest.approx(13.4753, abs=HALF)

    def test_no_sequence_is_better_open_loop_than_the_one_of_the_mean(self) -> None:
        """Certainty equivalence: uncertainty adds a constant to every sequence, but none of it is acted on."""
        objective = ExpectedEnergy(self.position_seen, self.belief, self.purpose)
        assert float(objective.gradient(self.mean_course()).abs().max()) < 1e-9

    def expected_over_the_first_measurement(self, model: LinearGaussian) -> float:
        """The first measurement comes before the first action: the mean over the belief that it will leave.

        The feedback's energy is quadratic in that belief's mean, so its mean over sigma points is exact.
        """
        o = model.system()
        seen = o.C @ self.spread @ o.C.T + o.R
        gain = self.spread @ o.C.T @ torch.linalg.inv(seen)
        after = self.spread - gain @ o.C @ self.spread
        values, vectors = torch.linalg.eigh(self.spread - after)
        root = sqrt(2) * (vectors * values.clamp(min=0).sqrt().unsqueeze(-2))
        means = [self.mean + sign * root[:, :, i] for i in range(2) for sign in (1, -1)]
        energies = [
            minimize(ExpectedEnergy(model, Gaussian(mean, after), self.purpose), Riccati()).value for mean in means
        ]
        return float(torch.stack(energies).mean() + self.now)

    def test_feedback_on_a_state_that_is_seen(self) -> None:
        seen = self.model([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
        assert self.expected_over_the_first_measurement(seen) == pytest.approx(7.5033, abs=HALF)

    def test_feedback_on_a_filtered_state(self) -> None:
        assert self.expected_over_the_first_measurement(self.position_seen) == pytest.approx(8.7288, abs=HALF)

    def test_parts_of_the_feedback_sum_to_its_value(self) -> None:
        solution = minimize(ExpectedEnergy(self.position_seen, self.belief, self.purpose), Riccati())
        assert isinstance(solution.belief, AffineFeedback)
        assert_close(ExpectedEnergy.total(solution.belief.terms()), solution.value)


class TestR25:
    """Preferences (0, -1) over being alive and having ended: raw, an end costs 1 once and life costs nothing."""

    END, STAY = 0, 1
    model = CategoricalModel(
        [[[1.0, 0.0], [0.0, 1.0]]],
        [[[[0.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]]]],  # next (alive, ended) | previous, (end, stay)
        [[1.0, 0.0]],
        ends=[0.0, 1.0],
    )
    goal = LogPreferences([[0.0, -1.0]])

    def plans(self, horizon: int) -> Sequence:
        objective = ExpectedEnergy(self.model, self.model.begin(1), Purpose(self.goal, horizon))
        plan = minimize(objective, Enumerate()).belief
        assert isinstance(plan, Sequence)
        return plan

    def test_ending_at_once_costs_more_than_living_on(self) -> None:
        plan = self.plans(4)
        ends_at_once = plan.actions[:, 0, 0, self.END] == 1
        lives = plan.actions[:, 0, :, self.STAY].sum(-1) == 4
        assert_close(plan.values[ends_at_once, 0], torch.ones(8, dtype=F64))
        assert_close(plan.values[lives, 0], torch.zeros(1, dtype=F64))
        assert int(plan.first_action().mean.argmax()) == self.STAY

    def test_a_tree_says_the_same(self) -> None:
        objective = ExpectedEnergy(self.model, self.model.begin(1), Purpose(self.goal, 4))
        plan = minimize(objective, TreeSearch(Max())).belief
        assert isinstance(plan, Tree)
        assert_close(plan.values[:, 0], torch.tensor([1.0, 0.0], dtype=F64))

    def test_a_normalizer_in_every_step_would_make_an_early_end_look_cheap(self) -> None:
        """It is known, and never added where plan lengths can differ: the gap of 1 would shrink to .060."""
        plan, log_z = self.plans(4), float(self.goal.log_normalizer(None))
        assert log_z == pytest.approx(log(1 + 1 / 2.718281828459045))
        ended, lived = float(plan.values.amax()) + log_z, float(plan.values.amin()) + 4 * log_z
        assert ended == pytest.approx(1.313, abs=5e-4)
        assert lived == pytest.approx(1.253, abs=5e-4)

    def test_after_the_end_every_step_costs_what_the_goal_says(self) -> None:
        goal = LogPreferences([[0.0, -1.0]], after=0.25)
        objective = ExpectedEnergy(self.model, self.model.begin(1), Purpose(goal, 4))
        at_once = torch.eye(2, dtype=F64)[[self.END, self.STAY, self.STAY, self.STAY]].unsqueeze(0)
        assert float(objective(at_once)) == pytest.approx(1.75)
        plan = minimize(objective, TreeSearch(Max())).belief
        assert isinstance(plan, Tree)
        assert float(plan.values[self.END]) == pytest.approx(1.75)


def test_the_feedbacks_mean_course_is_the_minimum_of_the_open_loop_energy() -> None:
    """That energy is quadratic in the plan: where its gradient vanishes is what the white-box solver gives."""
    case = TestR20()
    objective = CertaintyEquivalentEnergy(case.position_seen, case.belief, case.purpose)
    flat = torch.zeros(1, 20, 1, dtype=F64)
    slope = objective.gradient(flat).flatten()
    basis = torch.eye(20, dtype=F64).reshape(20, 1, 20, 1)
    curvature = torch.stack([objective.gradient(flat + e).flatten() - slope for e in basis])
    best = -torch.linalg.solve(curvature, slope).reshape(1, 20, 1)
    assert_close(best, case.mean_course(), atol=1e-9, rtol=0)
