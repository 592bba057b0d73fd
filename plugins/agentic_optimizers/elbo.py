"""Training a variational autoencoder the ordinary way, by its amortized bound (Kingma and Welling 2014)."""

from dataclasses import dataclass
from typing import Any, final

import torch

from agentic import Loss, UserError
from agentic.engine import Amortized
from agentic_optimizers.rows import Lowered, Rows


@final
@dataclass(frozen=True)
class Elbo(Loss):
    """Mean over rows (x,) of the free energy of the encoder's belief, in nats, from `samples` reparameterized draws.

    Takes an `Amortized` energy. What is learned is what the optimizer holds: the whole module, or its encoder alone.
    Raises UserError for other energies, and for fewer than 1 sample.
    """

    samples: int = 1

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise UserError(f"elbo expects at least 1 sample, got {self.samples}")

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        if not isinstance(module, Amortized):
            raise UserError(
                f"elbo needs an energy with an amortized belief (given, free_energy) such as vae, "
                f"got {type(module).__name__}: use settled"
            )
        x = rows[0] if len(rows) == 1 else rows
        value = module.free_energy(x, module.given(x), self.samples, generator=generator).mean()
        return value, {"free_energy": value.detach()}
