"""The loop, and what it leaves: records, manifests, seeds."""

from agentic.runs.manifest import Manifest, annotate, create_folder, describe, write_whole
from agentic.runs.record import EpisodeRecord
from agentic.runs.seeds import environment_seed

__all__ = [
    "EpisodeRecord",
    "Manifest",
    "annotate",
    "create_folder",
    "describe",
    "environment_seed",
    "write_whole",
]
