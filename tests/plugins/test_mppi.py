"""Path integral control: its weights, what it finds where the answer is known, and what all samplers share."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Belief,
    Box,
    Categorical,
    Clamped,
    ExpectedEnergy,
    Point,
    Purpose,
    Real,
    RewardGoal,
    Sequence,
    Simplex,
    UserError,
    minimize,
)
from agentic.testing.worlds import Cart, bounded
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.icem import Icem
from agentic_optimizers.mppi import Mppi
from agentic_optimizers.proposals import Space, coloring

F64 = torch.float64
SAMPLERS = [CrossEntropy(), Icem(), Mppi(steps=3, temperature=0.1, relative=True)]
PURPOSE = Purpose(QuadraticLatentGoal([2.0, 0.5]), 6, effort=Effort([0.1]))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pushed(*rows: list[float]) -> ExpectedEnergy:
    """The kit's cart from known states, its force within +-4."""
    return ExpectedEnergy(Cart(bounded(-4.0, 4.0)), Point(torch.tensor(rows, dtype=F64)), PURPOSE)


def test_the_plan_is_the_mean_of_the_candidates_under_their_weights() -> None:
    """By hand: three candidates of one number, the mean and one step to each side of it."""
    bowl = Clamped(QuadraticGoal([2.0], [0.5]), None, Box(-torch.ones(1), torch.ones(1)))
    solver = Mppi(samples=3, temperature=0.5)
    first = solver.init(bowl, torch.zeros(1, 1, dtype=F64))
    after = solver.improve(bowl, first.memory, torch.full((1, 1, 1, 1), 0.8, dtype=F64), True)
    candidates = torch.tensor([0.0, 0.4, -0.4], dtype=F64)  # a deviation is a quarter of the side, 2
    weights = torch.softmax(-((candidates - 0.5) ** 2) / 0.5, 0)
    assert after.mean.item() == pytest.approx(float(weights @ candidates))
    assert after.effective is not None
    assert after.effective.item() == pytest.approx(1 / float(weights.square().sum()))
    assert after.found is not None
    assert after.found.values.flatten().tolist() == pytest.approx([(after.mean.item() - 0.5) ** 2, 0.01])


def test_relative_temperature_knows_no_scale() -> None:
    f, box = QuadraticGoal([2.0, 1.0], [0.5, 0.1]), Box(-torch.ones(2), torch.ones(2))
    relative = Mppi(steps=4, relative=True, temperature=0.1)
    low, high = (minimize(Clamped(scale * f, None, box), relative, generator=seeded()) for scale in (1.0, 1e4))
    assert_close(low.belief.mean, high.belief.mean)


def test_the_plan_and_the_best_seen_are_reported_with_their_energies() -> None:
    f = pushed([1.0, 0.0], [-2.0, 0.5])
    plan = minimize(f, Mppi(samples=64, steps=3), generator=seeded()).belief
    assert isinstance(plan, Sequence)
    assert plan.actions.shape == (2, 2, 6, 1)
    assert_close(f(plan.actions), plan.values)
    assert_close(f.total(plan.parts), plan.values)
    assert not torch.equal(plan.actions[0], plan.actions[1])


@pytest.mark.parametrize("solver", SAMPLERS, ids=lambda solver: solver.named())
class TestEverySampler:
    def test_it_comes_close_to_a_known_optimum(self, solver: Any) -> None:
        f = pushed([1.0, 0.0], [-2.0, 0.5])
        best = minimize(f, replace(solver, samples=400, steps=25), generator=seeded())
        exact = exactly(f)
        assert bool((best.value >= exact - 1e-9).all())
        assert_close(best.value, exact, rtol=0.02, atol=0)

    @pytest.mark.parametrize("color", [0.0, 2.0])
    def test_it_finds_the_best_of_few_discrete_plans(self, solver: Any, color: float) -> None:
        draws = seeded(3)
        A, B, D = (torch.softmax(torch.randn(s, generator=draws), 0).tolist() for s in ((3, 3), (3, 3, 2), (3,)))
        model = CategoricalModel([A], [B], [D])
        f = ExpectedEnergy(model, model.begin(2), Purpose(LogPreferences([[0.0, 2.0, -1.0]]), 4))
        found = minimize(f, replace(solver, samples=100, color=color), generator=seeded(1))
        assert_close(found.value, minimize(f, Enumerate()).value)

    def test_a_warm_start_helps(self, solver: Any) -> None:
        """One round from the shifted plan is better than one from nothing, and no worse than that plan."""
        f = pushed([1.0, 0.0], [-2.0, 0.5], [0.5, -1.0])
        plan = minimize(f, replace(solver, steps=8), generator=seeded()).belief
        assert isinstance(plan, Sequence)
        moved = f.at(Point(f.model.predict(f.belief, plan.first_action().mean).mean))
        shifted = plan.shifted()
        assert isinstance(shifted, Sequence)
        one = replace(solver, steps=1, samples=64)
        warm, cold = (minimize(moved, one, start, generator=seeded(1)).value for start in (shifted, None))
        assert bool((warm <= moved(shifted.actions[0]) + 1e-12).all())
        assert bool((warm < cold).all())

    def test_rows_are_independent_given_the_noise(self, solver: Any) -> None:
        f = pushed([1.0, 0.0], [-2.0, 0.5])
        noise = torch.randn(6, solver.count(0) // 2, 2, 1, generator=seeded(), dtype=F64)
        together = solver.improve(f, solver.init(f, None).memory, noise, True)
        for row in range(2):
            alone = f.at(Point(f.belief.mean[row : row + 1]))
            apart = solver.improve(alone, solver.init(alone, None).memory, noise[:, :, row : row + 1], True)
            assert_close(together.mean[:, row], apart.mean[:, 0])
            assert_close(together.found.values[:, row], apart.found.values[:, 0])

    def test_what_is_drawn_is_held(self, solver: Any) -> None:
        f = pushed([1.0, 0.0])
        plan = minimize(f, replace(solver, hold=4, steps=1), generator=seeded()).belief
        assert isinstance(plan, Sequence)
        knots = plan.actions[..., 0]
        assert bool((knots[:, :, :4] == knots[:, :, :1]).all())
        assert bool((knots[:, :, 4:] == knots[:, :, 4:5]).all())
        assert bool((knots[0, :, 0] != knots[0, :, 4]).all())

    def test_dtype_follows_the_belief(self, solver: Any) -> None:
        f = ExpectedEnergy(Steady(), Point(torch.zeros(2, 1)), Purpose(Nearness(), 3))
        found = minimize(f, solver, generator=seeded())
        assert isinstance(found.belief, Sequence)
        assert found.belief.actions.dtype == found.value.dtype == torch.float32

    def test_no_steps_evaluate_the_start(self, solver: Any) -> None:
        f = pushed([1.0, 0.0])
        start = torch.full((1, 6, 1), 9.0, dtype=F64)
        found = minimize(f, solver, start, steps=0)
        assert_close(found.value, f(start.clamp(-4, 4)))

    @pytest.mark.parametrize("domain", [Real((1,)), Box(torch.zeros(1), torch.full((1,), float("inf")))])
    def test_unbounded_domains_are_refused(self, solver: Any, domain: Any) -> None:
        with pytest.raises(UserError, match=f"{solver.named()} needs bounded boxes or discrete variables"):
            minimize(Clamped(QuadraticGoal([1.0]), None, domain), solver)

    @pytest.mark.parametrize("wrong", [{"steps": 0}, {"samples": 0}, {"spread": 0.0}, {"color": -1.0}, {"hold": 0}])
    def test_numbers_at_the_door(self, solver: Any, wrong: dict[str, Any]) -> None:
        with pytest.raises(UserError, match=f"{solver.named()} expects"):
            replace(solver, **wrong)


def exactly(f: ExpectedEnergy) -> Tensor:
    """The minimum of a quadratic objective whose bounds do not bind, by one Newton step, (b,)."""
    flat = torch.zeros(len(f.belief.mean), f.purpose.horizon, dtype=F64)

    def slope(actions: Tensor) -> Tensor:
        return f.gradient(actions.unsqueeze(-1)).squeeze(-1)

    eye = torch.eye(f.purpose.horizon, dtype=F64)
    hessian = torch.stack([slope(flat + each) - slope(flat) for each in eye], -1)
    best = -torch.linalg.solve(hessian, slope(flat).unsqueeze(-1))
    assert float(best.abs().max()) < 4
    return f(best)


class Nearness(RewardGoal):
    """Half the square of the latent."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * x.square().sum(-1)


class Steady(Cart):
    """One number, moved by the action."""

    def __init__(self) -> None:
        super().__init__(bounded(-1.0, 1.0))
        self.latent = Real((1,))

    def predict(self, belief: Belief, action: Tensor) -> Point:  # type: ignore[override]
        return Point(belief.mean + action)


class TestNoise:
    @pytest.mark.parametrize("color", [0.5, 1.0, 2.0, 3.5])
    def test_colored_noise_has_unit_variance_and_the_spectrum_it_should(self, color: float) -> None:
        matrix = coloring(16, color)
        assert_close((matrix @ matrix.T).diagonal(), torch.ones(16, dtype=F64))
        power = torch.linalg.eigvalsh(matrix @ matrix.T).flip(0)
        # eigenvalues of a circulant matrix: frequencies 1 (twice, and as much at 0), 2 (twice), ...
        assert_close(power[0] / power[3], torch.tensor(2.0**color, dtype=F64))

    def test_no_color_is_white(self) -> None:
        assert_close(coloring(9, 0.0), torch.eye(9, dtype=F64))

    @pytest.mark.parametrize("color", [0.0, 1.0, 3.0])
    def test_discrete_draws_hang_together_in_time_and_keep_their_probabilities(self, color: float) -> None:
        space = Space(Simplex((4,)), 12)
        mean = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=F64).expand(12, 1, 4)
        noise = space.noise(20_000, mean, color, 1, seeded())
        drawn = space.place(mean, None, noise, 20_000)[:, 1:, 0]
        assert_close(drawn.mean((0, 1)), mean[0, 0], atol=0.01, rtol=0)
        repeated = (drawn[1:] * drawn[:-1]).sum(-1).mean().item()
        chance = 0.4**2 + 0.3**2 + 0.2**2 + 0.1**2
        assert repeated > chance + 0.1 if color else repeated == pytest.approx(chance, abs=0.01)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, while it compiles
@pytest.mark.parametrize(
    ("solver", "discrete"), [(CrossEntropy(samples=32, elites=4, steps=3), True), (Mppi(samples=32), False)]
)
def test_compiled_is_eager(solver: Any, discrete: bool) -> None:
    """The same answers to rounding, and another belief is no reason to compile again."""
    beliefs: list[Belief]
    if discrete:
        B = [[[0.8, 0.3], [0.1, 0.7]], [[0.2, 0.7], [0.9, 0.3]]]
        model = CategoricalModel([[[0.9, 0.1], [0.1, 0.9]]], [B], [[0.5, 0.5]])
        f = ExpectedEnergy(model, model.begin(2), Purpose(LogPreferences([[0.0, 2.0]]), 3))
        beliefs = [Categorical(torch.tensor([[p, 1 - p], [0.5, 0.5]], dtype=F64)) for p in (0.9, 0.2)]
    else:
        f = pushed([0.0, 0.0])
        beliefs = [Point(torch.tensor([[p, 0.0], [-2.0, 0.5]], dtype=F64)) for p in (1.0, -0.7)]
    graphs = []
    for belief in beliefs:
        eager, compiled = (
            minimize(f.at(belief), replace(solver, compile=each), generator=seeded()) for each in (False, True)
        )
        assert_close(eager.value, compiled.value)
        assert_close(eager.belief.mean, compiled.belief.mean)
        graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert 0 < graphs[0] == graphs[1]
