"""Contrastive divergence: where it comes to rest on a Gaussian, bias of the sampler included, and what it remembers."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Energy, Iterate, Objective, Particles, Sampler, Solution, UserError, fit
from agentic.testing import checks_for
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_optimizers.contrastive_divergence import AtChains, AtData, AtNoise, ContrastiveDivergence, PersistentChains
from agentic_optimizers.hmc import MALA
from agentic_optimizers.langevin import Langevin

F64 = torch.float64


@final
class Precise(Energy):
    """exp(log_precision) |z|^2 / 2: minus log density of a Gaussian but for its normalizer."""

    def __init__(self, precision: float = 1.0) -> None:
        super().__init__()
        self.log_precision = nn.Parameter(torch.tensor(precision, dtype=F64).log())

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * self.log_precision.exp() * z.square().sum(-1)


@final
@dataclass(frozen=True)
class Exact(Sampler):
    """Draws from a `Precise` at once, whatever the start."""

    steps: int = 1

    def init(self, f: Objective, z: Any) -> Iterate:
        return Iterate(z, f(z), torch.full_like(f(z), torch.nan), 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        precision = f.hessian(iterate.z[:1])[0, 0, 0]
        z = torch.randn(iterate.z.shape, generator=generator, dtype=F64) / precision.sqrt()
        return Iterate(z, f(z), iterate.residual, iterate.evaluations + 1)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        belief = Particles(iterate.z.unsqueeze(0), torch.zeros(1, len(iterate.z), dtype=F64))
        return iterate.solution(belief, kind="mean_energy")


def data(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(seed), dtype=F64)


def slope(loss: ContrastiveDivergence, module: nn.Module, rows: Tensor, seed: int = 1) -> float:
    """The loss's derivative by the log precision."""
    value, _ = loss(module, (rows,), generator=torch.Generator().manual_seed(seed))
    return float(torch.autograd.grad(value, next(module.parameters()))[0])


class TestFixedPoint:
    rows = 0.5 * data(40_000)
    precision = 1 / float(rows.square().mean())
    error = 4 * sqrt(1 / 40_000)  # of half the difference of two mean squares, in units of the variance

    def test_with_exact_negatives_it_is_the_precision_of_the_data(self) -> None:
        loss = ContrastiveDivergence(Exact())
        assert slope(loss, Precise(self.precision), self.rows) == pytest.approx(0, abs=self.error)
        assert slope(loss, Precise(self.precision * 1.2), self.rows) > 2 * self.error
        assert slope(loss, Precise(self.precision / 1.2), self.rows) < -2 * self.error

    def test_with_langevin_it_is_off_by_the_bias_of_its_step(self) -> None:
        """One step keeps the variance v where (1 - e p)^2 v + 2 e = v: p = (1 - sqrt(1 - 2 e / v)) / e, not 1 / v."""
        rate, variance = 0.05, 1 / self.precision
        resting = (1 - sqrt(1 - 2 * rate / variance)) / rate
        assert resting == pytest.approx(1.13 * self.precision, rel=0.01)
        loss = ContrastiveDivergence(Langevin(steps=1, rate=rate, burn=0))
        noise = 4 * sqrt(rate / 40_000)  # one step from the data leaves most of their mean square as it is
        assert slope(loss, Precise(resting), self.rows) == pytest.approx(0, abs=2 * noise)
        assert slope(loss, Precise(self.precision), self.rows) < -3 * noise

    def test_learning_comes_to_it(self) -> None:
        rows, source = self.rows[:2000], torch.Generator().manual_seed(2)
        precision = 1 / float(rows.square().mean())
        module = Precise(1.0)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
        fit(module, ContrastiveDivergence(Exact()), (rows,), optimizer=optimizer, epochs=8, batch=200, generator=source)
        assert module.log_precision.exp().item() == pytest.approx(precision, rel=0.15)


class TestLoss:
    def test_the_value_is_the_gap_and_negatives_are_held_fixed(self) -> None:
        rows, module = data(50), Precise(2.0)
        value, info = ContrastiveDivergence()(module, (rows,), generator=torch.Generator().manual_seed(0))
        assert_close(value, info["energy_data"] - info["energy_negatives"])
        assert_close(info["gap"], value)
        derivative = torch.autograd.grad(value, module.log_precision)[0]
        assert_close(derivative, value.detach())  # E is proportional to the precision, negatives do not depend on it

    def test_squares_are_added(self) -> None:
        rows = data(50)
        plain, squared = (
            ContrastiveDivergence(squares=s)(Precise(), (rows,), generator=torch.Generator().manual_seed(0))
            for s in (0.0, 0.5)
        )
        assert_close(plain[1], squared[1])
        assert float((squared[0] - plain[0]).detach()) >= 0.5 * float(plain[1]["energy_data"].detach()) ** 2

    def test_an_energy_of_two_moons_learns_where_they_are(self) -> None:
        """Data on two points: E is lower there than in between."""
        source = torch.Generator().manual_seed(0)
        rows = torch.tensor([[-1.5], [1.5]])[torch.randint(2, (256,), generator=source)]
        rows = rows + 0.2 * torch.randn(rows.shape, generator=source)
        module = EnergyNetwork(1, hidden=[32], generator=source)
        loss = ContrastiveDivergence(Langevin(steps=20, rate=0.05, burn=19), AtNoise(1.5), squares=0.01)
        fit(
            module,
            loss,
            (rows,),
            optimizer=torch.optim.Adam(module.parameters(), lr=1e-2),
            epochs=15,
            batch=64,
            generator=source,
        )
        with torch.no_grad():
            left, middle, right = module(None, torch.tensor([[-1.5], [0.0], [1.5]])).tolist()
        assert middle > max(left, right) + 0.5

    def test_given_parts_are_passed_on(self) -> None:
        module = EnergyNetwork.example().double()
        x, z = torch.zeros(5, 1, dtype=F64), torch.ones(5, 2, dtype=F64)
        _, info = ContrastiveDivergence()(module, (x, z), generator=torch.Generator().manual_seed(0))
        assert_close(info["energy_data"], module(x, z).mean())

    def test_what_share_of_moves_was_accepted_is_reported_where_the_sampler_knows(self) -> None:
        loss = ContrastiveDivergence(MALA(steps=20, rate=0.1, target=0.0, burn=0))
        _, info = loss(Precise(), (data(5),), generator=torch.Generator().manual_seed(0))
        assert 0 < float(info["acceptance"].mean()) <= 1
        _, plain = ContrastiveDivergence()(Precise(), (data(5),), generator=torch.Generator().manual_seed(0))
        assert set(plain) == {"energy_data", "energy_negatives", "gap"}

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="squares >= 0, got -1"):
            ContrastiveDivergence(squares=-1)
        with pytest.raises(UserError, match=r"give PersistentChains\(Precise, chains\)"):
            ContrastiveDivergence(starts=AtChains())(Precise(), (data(3),), generator=None)


class TestChains:
    def test_they_go_on_from_where_they_were_in_turn(self) -> None:
        chains = torch.arange(5, dtype=F64).unsqueeze(1)
        module = PersistentChains(Precise(), chains)
        starts = AtChains(fresh=0.0)
        first = starts.draw(module, data(3), generator=torch.Generator().manual_seed(0))
        assert first.flatten().tolist() == [0, 1, 2]
        starts.keep(module, first + 10)
        assert module.chains.flatten().tolist() == [10, 11, 12, 3, 4]
        again = starts.draw(module, data(3), generator=torch.Generator().manual_seed(0))
        assert again.flatten().tolist() == [3, 4, 10]
        assert chains.flatten().tolist() == [0, 1, 2, 3, 4]

    def test_some_begin_again_at_noise(self) -> None:
        module = PersistentChains(Precise(), torch.full((1000, 1), 99.0, dtype=F64))
        draws = AtChains(fresh=0.1, deviation=0.5).draw(module, data(1000), generator=torch.Generator().manual_seed(0))
        fresh = draws[draws != 99]
        assert 70 < len(fresh) < 130
        assert 0.35 < float(fresh.std()) < 0.65

    def test_learning_moves_them_to_the_data(self) -> None:
        source = torch.Generator().manual_seed(0)
        module = PersistentChains(Precise(1.0), torch.full((200, 1), 5.0, dtype=F64))
        loss = ContrastiveDivergence(Langevin(steps=5, rate=0.05, burn=4), AtChains(fresh=0.0))
        rows = 0.5 * data(200)
        fit(
            module,
            loss,
            (rows,),
            optimizer=torch.optim.SGD(module.parameters(), lr=0.2),
            epochs=60,
            batch=100,
            generator=source,
        )
        assert float(module.chains.std()) == pytest.approx(0.5, abs=0.15)
        assert "chains" in module.state_dict()

    def test_chains_belong_to_no_x(self) -> None:
        module, loss = PersistentChains(EnergyNetwork(1, 1).double(), data(9)), ContrastiveDivergence(starts=AtChains())
        with pytest.raises(UserError, match="kept chains belong to no x"):
            loss(module, (data(4), data(4)), generator=torch.Generator().manual_seed(0))

    def test_a_batch_needs_as_many(self) -> None:
        with pytest.raises(UserError, match="a batch of 4 needs as many chains, there are 3"):
            PersistentChains(Precise(), torch.zeros(3, 1)).take(4)


@checks_for(PersistentChains(EnergyNetwork(2), torch.zeros(3, 2)), kind="energies")
def test_chains_beside_an_energy_are_that_energy(check: Any) -> None:
    check()


def test_starts() -> None:
    rows = data(4)
    assert AtData().draw(None, rows, generator=None) is rows
    noise = AtNoise(3.0).draw(None, data(2000), generator=torch.Generator().manual_seed(0))
    assert float(noise.std()) == pytest.approx(3, abs=0.2)
