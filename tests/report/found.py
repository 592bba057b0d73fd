"""What was discovered in a recording, written by hand: five columns, one object."""

import json
from pathlib import Path
from typing import Any

from agentic import report
from agentic.runs import RunFolder
from tests.report.made_runs import made_run

ROLES = ("world", "sensor", "inside", "actuator", "world")
NAMES = ("sky", "eye", "mind", "<b>hand</b>", "a name that is long")
COUPLINGS = [
    [0.0, 20.5, 1.25, 0.0, 0.0],
    [0.0, 0.0, 30.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 40.0, 0.0],
    [2.0, 0.0, 0.0, 0.0, 8.0],
    [0.0, 0.0, 0.0, 0.0, 9.0],
]


def found(**more: Any) -> dict[str, Any]:
    roles = [
        {"column": name, "object": int(role != "world"), "role": role, "probability": 0.75, "part": 1}
        for name, role in zip(NAMES, ROLES, strict=True)
    ]
    table: dict[str, Any] = {"detected": True, "reasons": [], "cautions": ["sides could be exchanged"], "object": 1}
    table |= {"roles": roles, "couplings": COUPLINGS, "boundary_evidence": 43.21, "leak": 0.002, "agreement": 1.0}
    table |= {"alternatives": [{"roles": ["world", "inside", "inside", "actuator", "inside"], "more": 3.5}]}
    table |= {"windows": [{"first": 0, "last": 50, "roles": ROLES, "evidence": 9.0}], "source": "rec.csv"}
    return {**table, "settings": {"lag": 1, "order": None}, "frame": {"boundary": "all of one moment"}, **more}


def page(folder: Path, table: dict[str, Any]) -> Path:
    """The page of a run with that discovery in its folder."""
    made_run(folder, (0.0,))
    RunFolder(folder).discovery_file.write_text(json.dumps(table), encoding="utf-8")
    return report(folder)
