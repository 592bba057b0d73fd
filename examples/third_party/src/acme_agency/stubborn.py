"""An energy of places in a plane: far from home is high."""

from typing import Any, Self, final

from torch import Tensor

from agentic import Energy, UserError


@final
class Stubborn(Energy):
    """|z|^2 / (2 leash^2), in nats, z (*s, b, d); x is not looked at."""

    def __init__(self, leash: float) -> None:
        super().__init__()
        if not leash > 0:
            raise UserError(f"expected a leash > 0, got {leash}")
        self.leash = leash

    @classmethod
    def example(cls) -> Self:
        return cls(2.0)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * z.square().sum(-1) / self.leash**2
