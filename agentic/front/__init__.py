"""What the commands do, in one call from Python: `agentic.run`, `measure`, `sweep`, `bench`, `compare` and `report`."""

from agentic.front.installed import Kept
from agentic.front.profile import Profile
from agentic.front.request import Settings, Who, assignments, experiment_file, experiment_of, paths

__all__ = ["Kept", "Profile", "Settings", "Who", "assignments", "experiment_file", "experiment_of", "paths"]
