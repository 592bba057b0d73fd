"""Loggers that come with agentic: where the numbers of a run go, beside the progress in its folder."""

from agentic import hookimpl


@hookimpl
def agentic_loggers() -> dict[str, str]:
    """Loggers by short name."""
    return {"tensorboard": "agentic_loggers.tensorboard:TensorBoard"}
