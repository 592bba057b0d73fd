"""On what it was measured: without it, numbers mean nothing."""

import os
import platform
from datetime import date
from importlib.metadata import version
from typing import Any

PACKAGES = ("agentic", "torch", "gymnasium", "numpy", "pyarrow")


def describe() -> dict[str, Any]:
    """Date, cores, versions, and how busy the machine is: processes that ran or waited in the last minute."""
    return {
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def sentence(machine: dict[str, Any]) -> str:
    """The same for people."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    load = "" if machine["load"] is None else f", load {machine['load']}"
    return f"{machine['date']}, {machine['system']}, {machine['cores']} cores{load}; {versions}; one torch thread"
