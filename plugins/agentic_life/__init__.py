"""The life of a run beyond its first end: its agent evaluated again, and the same numbers again.

Public names are loaded on first use, so that the shell is told the options of the commands without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic_life.comparing import Compared
    from agentic_life.differences import Difference
    from agentic_life.evaluating import evaluate
    from agentic_life.evaluation import Evaluation
    from agentic_life.reproducing import reproduce
    from agentic_life.reproduction import Reproduction

__all__ = ["Compared", "Difference", "Evaluation", "Reproduction", "evaluate", "reproduce"]
_HOMES = ("comparing", "differences", "evaluation", "evaluating", "reproduction", "reproducing")


def __getattr__(name: str) -> Any:
    for home in _HOMES if name in __all__ else ():
        module = import_module(f"agentic_life.{home}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'agentic_life' has no attribute {name!r}")
