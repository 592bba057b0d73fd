"""What is learned from ticks or data: learners, losses, replay."""

from agentic.learning.fit import Fit
from agentic.learning.replay import Experience

__all__ = ["Experience", "Fit"]
