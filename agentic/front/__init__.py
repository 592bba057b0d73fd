"""What the commands do, in one call from Python: `agentic.run`, `measure`, `bench` and `report`."""

from agentic.front.profile import Profile
from agentic.front.request import Settings, Who

__all__ = ["Profile", "Settings", "Who"]
