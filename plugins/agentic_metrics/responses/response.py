"""The contract of metrics that run an agent and its world again with something changed."""

from abc import ABC

from agentic import Access, Metric, UserError


class Response(Metric, ABC):
    """A metric of what an agent does when something is changed: its world, its goal, its memory, what it is shown."""

    access = Access.INTERVENE
    needs = ("agent", "environment")

    def expect(self, fits: bool, what: str) -> None:
        """Refuse parameters that do not fit: raises UserError, which says `what` is expected and what there is."""
        if not fits:
            raise UserError(f"{type(self).__name__} expects {what}, got {self}")
