"""Gymnasium on one side, tensors on the other; and worlds that are known as arrays."""

from agentic.environments.spaces import layout

__all__ = [
    "layout",
]
