"""Gymnasium on one side, tensors on the other; and worlds that are known as arrays."""

from agentic.environments.spaces import Leaf, layout
from agentic.environments.stepping import Outcome, Rows

__all__ = [
    "Leaf",
    "Outcome",
    "Rows",
    "layout",
]
