"""The record of an object that was discovered: its sensors are what it observes, its actuators what it does."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agentic import Record
from agentic.runs import Manifest, RunFolder, describe, sealed, write_whole

if TYPE_CHECKING:
    from agentic_discovery.discovery import Discovery


def record_of(found: "Discovery", object: int) -> Record:
    """The record in memory: `obs` are the object's sensors, `action` its actuators, (n, columns) each.

    `belief.internal` are the columns inside, `belief.external` all others. The last step of each episode is left out, as
    what is seen after it is not known. Rewards are 0.
    """
    return Record(tables=[table(found, object)], manifest=content(found, object))


def save(found: "Discovery", object: int, folder: str | Path) -> Path:
    """The path of a new run folder with that record. Raises UserError where it has one already."""
    place = RunFolder.new(folder)
    rows = table(found, object)
    manifest = Manifest(place, {**describe(), **content(found, object), "chunks": {}})
    write_whole(place.discovery_file, json.dumps(sealed({**found.to_dict(), "object": object})) + "\n")
    chunk = place.chunk("ticks", 0)
    pq.write_table(rows, chunk)
    manifest.enter(chunk, ticks=len(rows), rows=len(rows))
    manifest.finish("finished", steps=0, evaluation_steps=len(rows))
    return place.path


def content(found: "Discovery", object: int) -> dict[str, Any]:
    """What the manifest says: where the columns come from, and which are which."""
    names = found.recording.names
    columns = {role: [names[place] for place in places] for role, places in found.columns(object).items() if places}
    components = [
        {"kind": "agents", "name": f"object {object}", "plugin": "agentic_discovery"},
        {"kind": "envs", "name": found.recording.source, "plugin": "agentic_discovery"},
    ]
    told = {"object": object, "columns": columns, "evidence": found.boundary_evidence, "frame": str(found.frame)}
    return {"components": components, "discovered": told}


def table(found: "Discovery", object: int) -> pa.Table:
    """The ticks as an Arrow table."""
    recording, places = found.recording, found.columns(object)
    lengths = np.array(recording.episodes)
    ends = np.cumsum(lengths)
    last = np.zeros(len(recording.values), bool)
    last[ends - 1] = True
    keep = np.flatnonzero(~last)
    episode = np.repeat(np.arange(len(lengths)), lengths)
    t = np.arange(len(last)) - np.repeat(ends - lengths, lengths)
    boundary = places["sensor"], places["actuator"], places["inside"], places["world"]
    sensors, actuators, inside, world = (recording.values[:, chosen] for chosen in boundary)
    ended = np.zeros(len(last), bool)
    ended[:-1] = last[1:]
    columns: dict[str, NDArray[Any]] = {
        "episode": episode[keep],
        "row": np.zeros(len(keep), np.int64),
        "t": t[keep],
        "obs": sensors[keep],
        "next_obs": sensors[keep + 1],
        "action": actuators[keep],
        "reward": np.zeros(len(keep)),
        "terminated": np.zeros(len(keep), bool),
        "truncated": ended[keep],
        "belief.internal": inside[keep],
        "belief.external": world[keep],
    }
    shapes = {name: list(column.shape[1:]) for name, column in columns.items() if column.ndim > 1}
    arrays = {"phase": pa.array(["evaluate"] * len(keep)), **{name: _arrow(column) for name, column in columns.items()}}
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {"shapes": json.dumps(shapes)})
    return pa.Table.from_arrays(list(arrays.values()), schema=schema)


def _arrow(column: NDArray[Any]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(column).reshape(-1))
    return flat if column.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, column.shape[1])
