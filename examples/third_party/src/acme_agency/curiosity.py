"""A gain that is none of the core's: how surprising what comes is expected to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor

from agentic import Gain, Model, Step, UserError
from agentic.engine import Density


@final
@dataclass(frozen=True)
class Curiosity(Gain):
    """weight x H[q(o)] of the next observation, in nats: it seeks noise as well as news."""

    weight: float = 1.0

    def start(self, model: Model, belief: Any) -> None:
        return None

    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[None, Mapping[str, Tensor]]:
        seen = model.emit(step.after)
        if not isinstance(seen, Density):
            raise UserError(f"curiosity needs predictions with an entropy, got {type(seen).__name__}")
        return None, {"curiosity": self.weight * seen.entropy()}
