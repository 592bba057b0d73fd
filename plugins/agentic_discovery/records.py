"""The record of an object that was discovered: its sensors are what it observes, its actuators what it does."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agentic import Record
from agentic.runs import PHASES, Manifest, RunFolder, describe, sealed, table_of, write_whole

Floats = NDArray[np.floating[Any]]

if TYPE_CHECKING:
    from agentic_discovery.discovery import Discovery


def record_of(found: "Discovery", object: int) -> Record:
    """The record in memory: `obs` are the object's sensors, `action` its actuators, (n, columns) each.

    `belief.internal` are the columns inside, `belief.external` all others. The last step of each episode is left out,
    as what is seen after it is not known. Rewards are 0.
    """
    return Record(tables=[table(found, object)], manifest=content(found, object))


def save(found: "Discovery", object: int, folder: str | Path) -> Path:
    """The path of a new run folder with that record. Raises UserError where it has one already."""
    place = RunFolder.new(folder)
    rows = table(found, object)
    manifest = Manifest(place, {**describe(), **content(found, object), "chunks": {}})
    write_whole(place.discovery_file, json.dumps(sealed({**found.to_dict(), "object": object})) + "\n")
    chunk = place.chunk("ticks", 0)
    part = chunk.with_name(f".{chunk.name}.{token_hex(8)}.part")
    pq.write_table(rows, part)
    part.replace(chunk)  # whole or not there
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
    ordered = found.settings.get("order") is not None
    facts = {"object": object, "columns": columns, "ordered": ordered, "evidence": found.boundary_evidence}
    return {"components": components, "discovered": facts}


def table(found: "Discovery", object: int) -> pa.Table:
    """The ticks as an Arrow table."""
    values, places = found.recording.values, found.columns(object)
    sides = {"obs": "sensor", "action": "actuator", "belief.internal": "inside", "belief.external": "world"}
    return ticks({name: values[:, places[role]] for name, role in sides.items()}, found.recording.episodes)


def made_up(columns: Mapping[str, Floats]) -> Record:
    """A record of one episode with these columns (steps, width) of one moment, for known answers."""
    steps = len(next(iter(columns.values())))
    return Record(tables=[ticks(columns, (steps,))], manifest={"discovered": {"ordered": False}})


def ring(back: float = 0.0, leak: float = 0.0, *, steps: int = 2000, seed: int = 0) -> dict[str, Floats]:
    """World, sensor, inside and actuator, each heard by the next; the world, as loud as `leak`, by the inside as well.

    `back` is how loud the actuator is to the world. Columns (steps, 1) for `made_up`; all noise is standard normal.
    """
    noise = np.random.default_rng(seed).standard_normal((steps, 4))
    values = np.zeros_like(noise)
    for step in range(1, len(noise)):
        world, sensor, inside, actuator = values[step - 1]
        values[step] = noise[step] + [back * actuator, 0.9 * world, 0.9 * sensor + leak * world, 0.5 * inside]
    names = ("belief.external", "obs", "belief.internal", "action")
    return {name: values[:, [place]] for place, name in enumerate(names)}


def ticks(columns: Mapping[str, Floats], episodes: Sequence[int]) -> pa.Table:
    """Columns (steps, width), one episode after another, as the ticks of evaluated episodes.

    The last step of each episode is left out, as what is seen after it is not known.
    """
    lengths = np.array(episodes)
    ends = np.cumsum(lengths)
    last = np.zeros(lengths.sum(), bool)
    last[ends - 1] = True
    keep = np.flatnonzero(~last)
    ended = np.zeros(len(last), bool)
    ended[:-1] = last[1:]
    every: dict[str, NDArray[Any]] = {
        "episode": np.repeat(np.arange(len(lengths)), lengths)[keep],
        "row": np.zeros(len(keep), np.int64),
        "t": (np.arange(len(last)) - np.repeat(ends - lengths, lengths))[keep],
        "obs": columns["obs"][keep],
        "next_obs": columns["obs"][keep + 1],
        "action": columns["action"][keep],
        "reward": np.zeros(len(keep)),
        "terminated": np.zeros(len(keep), bool),
        "truncated": ended[keep],
        **{name: column[keep] for name, column in columns.items() if name not in ("obs", "action")},
    }
    return table_of(np.full(len(keep), PHASES.index("evaluate")), every)
