"""What the commands do, in one call from Python: `agentic.run`, `measure`, `bench` and `report`."""

from agentic.front.profile import Profile
from agentic.front.request import Settings, Who, experiment_file, experiment_of

__all__ = ["Profile", "Settings", "Who", "experiment_file", "experiment_of"]
