"""The loop, and what it leaves: records, manifests, seeds.

What needs torch is loaded on first use, so that the folders of many runs are listed without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentic.runs.files import forget_parts, is_held, is_own, json_table, sealed, toml_table, unsealed, write_whole
from agentic.runs.folder import RunFolder, create_folder, number_of

if TYPE_CHECKING:
    from agentic.runs.manifest import Manifest, annotate, describe
    from agentic.runs.record import EpisodeRecord
    from agentic.runs.run import Progress
    from agentic.runs.seeds import Phase, environment_seed, stream
    from agentic.runs.table import numpy_of, shapes_of

__all__ = [
    "EpisodeRecord",
    "Manifest",
    "Phase",
    "Progress",
    "RunFolder",
    "annotate",
    "create_folder",
    "describe",
    "environment_seed",
    "forget_parts",
    "is_held",
    "is_own",
    "json_table",
    "number_of",
    "numpy_of",
    "sealed",
    "shapes_of",
    "stream",
    "toml_table",
    "unsealed",
    "write_whole",
]

_LATER = {
    **dict.fromkeys(("Manifest", "annotate", "describe"), "manifest"),
    **dict.fromkeys(("Phase", "environment_seed", "stream"), "seeds"),
    **{"EpisodeRecord": "record", "Progress": "run", "numpy_of": "table", "shapes_of": "table"},
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'agentic.runs' has no attribute {name!r}")
    return getattr(import_module(f"agentic.runs.{_LATER[name]}"), name)
