"""The contract of metrics that run an agent and its world again with something changed."""

from abc import ABC

from agentic import Access, Metric


class Response(Metric, ABC):
    """A metric of what an agent does when something is changed: its world, its goal, its memory, what it is shown."""

    access = Access.INTERVENE
    needs = ("agent", "environment")
