"""Words of the messages of solvers whose objective does not fit them."""

from torch import nn

from agentic import Objective


def modules_in(f: Objective) -> str:
    """The classes of the modules that an objective holds, as a message lists them."""
    return ", ".join(type(part).__name__ for part in vars(f).values() if isinstance(part, nn.Module)) or "no module"
