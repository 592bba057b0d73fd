"""The loop, and what it leaves: records, manifests, seeds."""

from agentic.runs.files import forget_parts, is_own, json_table, sealed, toml_table, unsealed, write_whole
from agentic.runs.folder import RunFolder, create_folder, number_of
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
    "forget_parts",
    "is_own",
    "json_table",
    "number_of",
    "sealed",
    "shapes_of",
    "stream",
    "toml_table",
    "unsealed",
    "write_whole",
]
