"""The loop, and what it leaves: records, manifests, seeds."""

from agentic.runs.folder import RunFolder, create_folder, json_table, toml_table, write_whole
from agentic.runs.manifest import Manifest, annotate, describe
from agentic.runs.record import EpisodeRecord
from agentic.runs.run import Progress
from agentic.runs.seeds import environment_seed, stream
from agentic.runs.table import shapes_of

__all__ = [
    "EpisodeRecord",
    "Manifest",
    "Progress",
    "RunFolder",
    "annotate",
    "create_folder",
    "describe",
    "environment_seed",
    "json_table",
    "shapes_of",
    "stream",
    "toml_table",
    "write_whole",
]
