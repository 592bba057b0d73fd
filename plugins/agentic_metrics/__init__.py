"""Metrics of agency, each a plugin and a plain function on arrays.

The functions are named here and loaded on first use, so that listing plugins imports neither SciPy nor torch.
"""

from importlib import import_module
from typing import Any

from agentic import hookimpl

_METRICS = {  # short name: module:Class
    "episode_return": "episode_return:EpisodeReturn",
}
_HOMES = {  # module: the public names it has; no module may be named like one of them
    "estimate": "Estimate",
    "finite.world": "World action_values expected_return greedy optimal_return planner visits",
    "finite.query": "query",
    "sampling.series": "Series",
    "sampling.information": "Estimator Information",
    "sampling.plugin": "Plugin",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


@hookimpl
def agentic_metrics() -> dict[str, str]:
    """Metrics by short name."""
    return {name: f"agentic_metrics.{target}" for name, target in _METRICS.items()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agentic_metrics' has no attribute {name!r}")
    value = getattr(import_module(f"agentic_metrics.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
