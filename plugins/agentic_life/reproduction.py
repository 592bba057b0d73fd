"""Reproductions: what came of running something again, and whether its numbers are the same."""

from dataclasses import dataclass
from typing import Any, final

from agentic.errors import listed
from agentic_life.comparing import TICKS, Compared
from agentic_life.differences import Difference

UNDECIDED = "nothing else is known to differ: its code changed, or something in it is not decided by the seed"


@final
@dataclass(frozen=True, repr=False)
class Reproduction:
    """The outcome of running a `subject` again: what differs between then and now, and every number compared.

    `notes` are sentences on what was left out and why.
    """

    subject: str
    differences: tuple[Difference, ...]
    compared: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether all numbers are the same, bit for bit."""
        return all(each.same for each in self.compared)

    @property
    def verdict(self) -> str:
        """One sentence: whether the numbers are the same, and whether what differs mattered."""
        apart = listed(each.what for each in self.differences) if self.differences else ""
        kinds = dict.fromkeys(each.kind for each in self.compared)
        every = listed(filter(None, (self._counted(kind) for kind in kinds)))
        if self.same:
            return f"the same numbers: {every}, bit for bit" + (
                f"; what differs ({apart}) did not matter" if apart else ""
            )
        return f"other numbers: {every} differ; " + (f"what differs ({apart}) may be why" if apart else UNDECIDED)

    def _counted(self, kind: str) -> str:
        """How many of a kind there are; where numbers are not the same, how many of these, empty where all are."""
        every = [each for each in self.compared if each.kind == kind]
        apart = sum(not each.same for each in every)
        if kind == TICKS:
            return "the number of ticks" if apart else ""
        of = f" of {every[0].rows:,} ticks" if self.same and kind == "column" else ""
        counted = f"{len(every):,} {kind}{'s' * (len(every) != 1)}{of}"
        return counted if self.same else f"{apart:,} of {counted}" if apart else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        return {
            "subject": self.subject,
            "same": self.same,
            "verdict": self.verdict,
            "differences": [each.to_dict() for each in self.differences],
            "compared": [each.to_dict() for each in self.compared],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        apart = [f"{each.what}: then {each.then}, now {each.now}" for each in self.differences]
        return "\n".join([f"{self.subject}: {self.verdict}", *apart, *self.notes])
