"""Metrics that come with agentic."""

from agentic import hookimpl


@hookimpl
def agentic_metrics() -> dict[str, str]:
    """Metrics by short name."""
    return {"episode_return": "agentic_metrics.episode_return:EpisodeReturn"}
