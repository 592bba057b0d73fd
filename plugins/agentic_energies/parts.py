"""The parts of a discrete model that are learned by counting, and what is alike whatever the form of its beliefs.

Preferences are counted as they are observed, without any belief; what was never met can be found to be impossible.
"""

from typing import cast

import torch
from torch import Tensor, nn

from agentic import Simplex, Tick
from agentic_energies.counts import Counts
from agentic_energies.lessons import Lessons


class Parts(nn.Module):
    """What is learned as the `lessons` say: `parts` by name, one `Counts` for each array."""

    def __init__(self, lessons: Lessons) -> None:
        super().__init__()
        self.lessons, self.parts = lessons, nn.ModuleDict()

    def counts(self, name: str) -> list[Counts]:
        """The counts of each array of a part that is learned."""
        return [cast(Counts, each) for each in cast(nn.ModuleList, self.parts[name])]

    def preferences(self) -> list[Tensor] | None:
        """The counts of what was observed, (levels,) per modality; None where preferences are not learned."""
        return [each.alpha()[:, 0] for each in self.counts("C")] if "C" in self.parts else None

    def like(self, outcome: Simplex, obs: Tensor) -> None:
        """Count observations (b, event) in the preferences; a block of NaN is none."""
        if "C" in self.parts and len(obs):
            seen = outcome.blocks(obs.to(torch.float64).nan_to_num(0.0))
            for each, block in zip(self.counts("C"), seen, strict=True):
                each.add(block.sum(0).unsqueeze(-1), torch.zeros(1, dtype=torch.int64))

    def likes_alone(self) -> bool:
        """Whether preferences are all that is learned: those need no belief about states."""
        return {*self.parts} == {"C"}

    def prune(self, taught: int) -> dict[str, float]:
        """Prune what is due now that the model was taught for the `taught`-th time, and say how many values that were.

        Empty where nothing is due.
        """
        due = {name: lesson for name, lesson in self.lessons.lessons.items() if lesson.due(taught)}
        found = [
            each.prune(lesson.prune, lesson.negligible) for name, lesson in due.items() for each in self.counts(name)
        ]
        return {"pruned": float(sum(found))} if due else {}


def shown(tick: Tick) -> Tensor:
    """What the valid rows of a tick observed, (k, event), the last of an episode too, which no later tick shows."""
    valid = torch.as_tensor(tick.valid)
    return torch.cat([tick.obs[valid], tick.next_obs[valid & torch.as_tensor(tick.terminated | tick.truncated)]])
