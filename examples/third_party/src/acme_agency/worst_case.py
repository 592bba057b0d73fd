"""Planning for one's own worst mistakes."""

from dataclasses import dataclass
from math import inf
from typing import final

from torch import Tensor

from agentic import Backup
from agentic.planning import plan_posterior


@final
@dataclass(frozen=True)
class WorstCase(Backup):
    """The worst action's value: what can be had whatever is done later."""

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return plan_posterior(-energies, inf, log_habits, dim=-1)
