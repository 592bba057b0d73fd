"""Gymnasium environments in batches of tensors, and finite worlds that are known as arrays."""

from agentic.environments.leaf import Leaf
from agentic.environments.spaces import layout
from agentic.environments.stepping import Outcome, Singles, Vector

__all__ = [
    "Leaf",
    "Outcome",
    "Singles",
    "Vector",
    "layout",
]
