"""Gymnasium on one side, tensors on the other; and worlds that are known as arrays."""

from agentic.environments.leaf import Leaf
from agentic.environments.spaces import layout
from agentic.environments.stepping import Outcome, Rows

__all__ = [
    "Leaf",
    "Outcome",
    "Rows",
    "layout",
]
