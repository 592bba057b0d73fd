"""Gymnasium environments in batches of tensors, and finite worlds that are known as arrays."""

from agentic.environments.dependencies import Dependencies, spread
from agentic.environments.leaf import Leaf
from agentic.environments.pomdp import check_truth, plain
from agentic.environments.probabilities import check_probabilities
from agentic.environments.spaces import Layout, layout, without_text
from agentic.environments.stepping import Outcome, Singles, Vector
from agentic.environments.successors import Successors

__all__ = [
    "Dependencies",
    "Layout",
    "Leaf",
    "Outcome",
    "Singles",
    "Successors",
    "Vector",
    "check_probabilities",
    "check_truth",
    "layout",
    "plain",
    "spread",
    "without_text",
]
