"""Langevin dynamics and Hamiltonian Monte Carlo: ours against torchebm and blackjax, where they are installed.

Every package walks on the same correlated normal in float32 on one processor: Langevin steps of .01; trajectories of
ten leapfrog steps of .1, no adaptation. Ours and torchebm's have the target's energy as an object, blackjax a function;
our gradient is the energy's closed form, theirs come from automatic differentiation, as each is meant to be used.
Before anything is timed, every package's draws must have the variance and the mean that they should.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any, final

import torch
from rich.table import Table
from torch import Tensor

from agentic import Clamped, Real, RunError, minimize
from agentic_energies.gaussian import GaussianEnergy
from agentic_optimizers.hmc import HMC
from agentic_optimizers.langevin import Langevin
from benchmarks.report import spread
from benchmarks.sample import Sample, seconds, side_by_side
from benchmarks.sampling_peers import LEAPFROG, PEERS, RATE, STEP_SIZE, Target, Walk, installed

SIZES = tuple((d, chains) for d in (10, 100, 1000) for chains in (1, 64, 4096))
WALKED = {"Langevin": 1000, "HMC": 60}  # steps before the variance is looked at
ROOM = 4 * 2**30  # bytes that a peer may ask for
LONG = 200_000.0  # microseconds, roughly, that one measurement is made to last
LARGE, REPEATS = 64_000, 3  # from that many numbers on, no more repeats than that
ROWS = 4096  # chains of the first check


@final
@dataclass(frozen=True)
class Measured:
    """One algorithm at one size: microseconds per gradient of each package, all chains together.

    `energy` is the mean energy at the last places of chains that started at exact draws, over its expectation d / 2;
    `left_out` says why a package is missing.
    """

    what: str
    d: int
    chains: int
    taken: dict[str, Sample]
    energy: dict[str, float]
    left_out: dict[str, str]

    def ratio(self, peer: str) -> Sample | None:
        """How many times ours a peer takes."""
        return self.taken[peer].over(self.taken["ours"]) if peer in self.taken else None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        ratios = {peer: ratio.plain() for peer in PEERS if (ratio := self.ratio(peer)) is not None}
        return {
            "what": self.what,
            "d": self.d,
            "chains": self.chains,
            "microseconds_per_gradient": {name: taken.plain() for name, taken in self.taken.items()},
            "over_ours": ratios,
            "mean_energy_over_expected": self.energy,
            "left_out": self.left_out,
        }


def measure(quick: bool, repeats: int) -> list[Measured]:
    """Every algorithm at every size; without the largest numbers of chains if quick.

    Raises RunError where a package's draws do not have the variance or the mean that they should.
    """
    with _one_processor():
        for what in WALKED:
            _check(what)
        return [
            _measure(what, d, chains, repeats)
            for what in WALKED
            for d, chains in SIZES
            if not (quick and chains == SIZES[-1][1])
        ]


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name in PEERS if installed(name) is None]


def table(measured: list[Measured]) -> Table:
    """Each package's time, and how many times ours the peers take."""
    notes = [f"{name} is not installed: skipped." for name in missing()]
    notes += [
        f"{each.what}, d = {each.d}, {each.chains} chains: {name} left out, {why}."
        for each in measured
        for name, why in each.left_out.items()
    ]
    lines = "\n".join(["us per gradient, all chains together: median (min-max), one processor, float32.", *notes])
    made = Table(title="Samplers on a correlated normal", caption=lines, title_justify="left", caption_justify="left")
    made.add_column("algorithm")
    for name in ("d", "chains", "ours", *PEERS, *(f"{peer} / ours" for peer in PEERS), "energy / expected"):
        made.add_column(name, justify="right")
    for each in measured:
        times = [spread(each.taken[name]) if name in each.taken else "-" for name in ("ours", *PEERS)]
        ratios = [spread(ratio) if (ratio := each.ratio(peer)) is not None else "-" for peer in PEERS]
        energies = f"{min(each.energy.values()):.3f}-{max(each.energy.values()):.3f}"
        made.add_row(each.what, f"{each.d:,}", f"{each.chains:,}", *times, *ratios, energies)
    return made


def _measure(what: str, d: int, chains: int, repeats: int) -> Measured:
    target = _target(d, chains, exact=True)
    walks, left_out = _walks(what, target)
    gradients = LEAPFROG if what == "HMC" else 1
    tasks, energy = {}, {}
    for name, walk in walks.items():
        steps = _steps(name, d, chains, gradients)
        tasks[name] = partial(_microseconds, walk, steps, steps * gradients)
        last = walk(steps)
        energy[name] = float(((last @ target.precision) * last).sum(-1).mean()) / d
    taken = side_by_side(tasks, min(repeats, REPEATS) if d * chains >= LARGE else repeats)
    return Measured(what, d, chains, taken, energy, left_out)


def _microseconds(walk: Walk, steps: int, gradients: int) -> float:
    return 1e6 * seconds(walk, steps) / gradients


def _steps(name: str, d: int, chains: int, gradients: int) -> int:
    """Enough steps that a measurement lasts, by what a gradient roughly costs: per call, number and product."""
    call, product = (150.0, 2e-3) if name == "torchebm" else (6.0, 2.5e-5)
    each = call + 5e-3 * chains * d + product * chains * d * d
    return max(1, min(2000, int(LONG / each / gradients)))


def _check(what: str) -> None:
    """From chains that all start at 0: variance along every axis and mean, in standard errors of the whole.

    Raises RunError for a package that is more than 5 of them off.
    """
    target = _target(10, ROWS, exact=False)
    curvature, axes = torch.linalg.eigh(target.precision.double())
    keep = (1 - RATE * curvature).square()
    variance = 2 * RATE / (1 - keep) * (1 - keep ** WALKED[what]) if what == "Langevin" else 1 / curvature
    for name, walk in _walks(what, target)[0].items():
        scaled = (walk(WALKED[what]).double() @ axes) / variance.sqrt()
        size = scaled.numel()
        spread = (float(scaled.square().mean()) - 1) / sqrt(2 / size)
        center = float(scaled.mean()) * sqrt(size)
        if max(abs(spread), abs(center)) > 5:
            raise RunError(f"{what} of {name} is {spread:.1f} errors off in variance and {center:.1f} in the mean")


def _target(d: int, chains: int, *, exact: bool) -> Target:
    """Eigenvalues of the covariance evenly between .5 and 2, axes at random; starts at exact draws or at 0."""
    source = torch.Generator().manual_seed(d)
    axes = torch.linalg.qr(torch.randn(d, d, generator=source, dtype=torch.float64))[0]
    values = torch.linspace(0.5, 2, d, dtype=torch.float64)
    covariance, precision = ((axes * power) @ axes.T for power in (values, 1 / values))
    noise = torch.randn(chains, d, generator=source) * float(exact)
    start = noise @ (axes * values.sqrt()).T.float()
    return Target(((covariance + covariance.T) / 2).float(), ((precision + precision.T) / 2).float(), start)


def _walks(what: str, target: Target) -> tuple[dict[str, Walk], dict[str, str]]:
    """Each package that can, and why one that is installed cannot."""
    chains, d = target.start.shape
    walks, left_out = {"ours": _ours(what, target)}, {}
    need = 4 * chains * d * d
    for name, peer in PEERS.items():
        if installed(name) is None:
            continue
        if name == "torchebm" and chains > 1 and need > ROOM:
            left_out[name] = f"its Gaussian energy would take {need / 2**30:.0f} GiB for one product"
        else:
            walks[name] = peer(what, target)
    return walks, left_out


def _ours(what: str, target: Target) -> Walk:
    d = target.start.shape[-1]
    f = Clamped(GaussianEnergy(torch.zeros(d), target.precision).float(), None, Real((d,)))
    source = torch.Generator().manual_seed(1)

    def walk(steps: int) -> Tensor:
        burn = steps - 1
        solver = (
            Langevin(steps=steps, rate=RATE, burn=burn)
            if what == "Langevin"
            else HMC(steps=steps, step_size=STEP_SIZE, leapfrog=LEAPFROG, target=0, jitter=0, burn=burn)
        )
        return minimize(f, solver, target.start, generator=source).belief.mean

    return walk


@contextmanager
def _one_processor() -> Iterator[None]:
    """Every thread that is started within stays on one processor, where the system has a say in that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
