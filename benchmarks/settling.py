"""Settling the latents of a decoder: ours, eager and compiled, against the loop over `torch.optim` that users write.

E = |x - g(z)|^2 / (2 x .25) + |z|^2 / 2 with g = Linear(16, 128), Tanh, Linear(128, 64): 100 steps of gradient descent
from zero, in float32. What each ends with is compared first.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch
from rich.table import Table
from torch import Tensor, nn

from agentic import Clamped, Real, minimize
from agentic_energies.emission import GaussianEmission
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from benchmarks.report import spread
from benchmarks.sample import Sample, seconds, side_by_side

Settle = Callable[[], Tensor]  # where the latents end, (batch, 16)

BATCHES = (1, 64, 1024)
STEPS, RATE, VARIANCE = 100, 0.01, 0.25
LATENTS, HIDDEN, OBSERVED = 16, 128, 64
APART = 1e-3  # what may be left between two ways of taking the same steps in float32
USUAL, FROZEN, EAGER, COMPILED = "torch.optim", "torch.optim, decoder frozen", "ours", "ours, compiled"


@final
@dataclass(frozen=True)
class Settling:
    """One batch size: microseconds a step of each way, the first compiled call, and how far the ends are apart."""

    batch: int
    taken: dict[str, Sample]
    first_seconds: float
    apart: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "batch": self.batch,
            "microseconds_per_step": {name: taken.plain() for name, taken in self.taken.items()},
            "torch_optim_over_ours": {
                f"{theirs} / {ours}": self.taken[theirs].over(self.taken[ours]).plain()
                for theirs in (USUAL, FROZEN)
                for ours in (EAGER, COMPILED)
            },
            "first_compiled_call_seconds": self.first_seconds,
            "apart": self.apart,
        }


def measure(quick: bool, repeats: int) -> list[Settling]:
    """Every batch size; without the largest if quick."""
    return [_measure(batch, repeats) for batch in BATCHES[: 2 if quick else 3]]


def table(measured: Sequence[Settling]) -> Table:
    """Microseconds a step, and how many times ours the usual loop takes."""
    made = Table(
        title=f"Settling the latents of a decoder: {STEPS} steps of gradient descent, one processor",
        caption="us a step: median (min-max). Apart: the largest difference of a latent where they end.\n"
        "Ratios of the same repeat, torch.optim (the decoder requires grad, as users write it) over ours.",
        title_justify="left",
        caption_justify="left",
    )
    names = [USUAL, FROZEN, EAGER, COMPILED, "ratio, eager", "ratio, compiled", "first call, s", "apart"]
    for name in ("batch", *names):
        made.add_column(name, justify="right")
    for each in measured:
        ratios = [each.taken[USUAL].over(each.taken[ours]) for ours in (EAGER, COMPILED)]
        cells = [spread(each.taken[name]) for name in (USUAL, FROZEN, EAGER, COMPILED)]
        cells += [spread(ratio) for ratio in ratios]
        made.add_row(f"{each.batch:,}", *cells, f"{each.first_seconds:.0f}", f"{each.apart:.0e}")
    return made


def _measure(batch: int, repeats: int) -> Settling:
    ways = _ways(batch)
    first = seconds(ways[COMPILED])
    ends = {name: way() for name, way in ways.items()}
    apart = max(float((end - ends[USUAL]).abs().max()) for end in ends.values())
    if not apart < APART:
        raise RuntimeError(f"the ways to settle end {apart:.2g} apart at batch {batch}: they do not do the same")
    taken = side_by_side({name: partial(_micros, way) for name, way in ways.items()}, repeats)
    return Settling(batch, taken, first, apart)


def _micros(way: Settle) -> float:
    return 1e6 * seconds(way) / STEPS


def _ways(batch: int) -> Mapping[str, Settle]:
    draws = torch.Generator().manual_seed(batch)
    network = Network((LATENTS, HIDDEN, OBSERVED), generator=draws)
    energy, decoder = VAE(network, GaussianEmission(VARIANCE)), _sequential(network)
    x, start = torch.randn(batch, OBSERVED, generator=draws), torch.zeros(batch, LATENTS)

    def ours(compiled: bool) -> Tensor:
        solver = GradientDescent(steps=STEPS, rate=RATE, compile=compiled)
        end: Tensor = minimize(Clamped(energy, x, Real((LATENTS,))), solver, start).belief.mean
        return end

    return {
        USUAL: partial(_torch_optim, decoder, x, start),
        FROZEN: partial(_torch_optim, deepcopy(decoder).requires_grad_(False), x, start),
        EAGER: partial(ours, False),
        COMPILED: partial(ours, True),
    }


def _torch_optim(decoder: nn.Module, x: Tensor, start: Tensor) -> Tensor:
    z = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([z], lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = ((x - decoder(z)) ** 2).sum() / (2 * VARIANCE) + 0.5 * (z**2).sum()
        loss.backward()
        optimizer.step()
    return z.detach()


def _sequential(network: Network) -> nn.Sequential:
    """The same decoder as users write it."""
    decoder = nn.Sequential(nn.Linear(LATENTS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, OBSERVED))
    with torch.no_grad():
        for layer, weight, bias in zip((decoder[0], decoder[2]), network.weights, network.biases, strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    return decoder
