"""What solvers and losses say when a setting or an objective does not fit them, in one form of words."""

from torch import nn

from agentic import Objective


def modules_in(f: Objective) -> str:
    """The classes of the modules that an objective holds, as a message lists them."""
    return ", ".join(type(part).__name__ for part in vars(f).values() if isinstance(part, nn.Module)) or "no module"
