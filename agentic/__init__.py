"""Simulate agents that perceive, act and learn by minimizing energies, and measure how much of an agent they are.

`__init__.pyi` beside this file is the one list of public names: each is loaded from its home on first use, so that
`import agentic` costs nothing, and plugin modules and the command line start without torch, Gymnasium or SciPy.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

_HOMES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES and name != "__version__":
        raise AttributeError(f"module 'agentic' has no attribute {name!r}")
    value = _version() if name == "__version__" else getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("agentic")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "0+unknown"
