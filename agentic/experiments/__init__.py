"""Experiment files, and the components they name made and put together."""

from agentic.experiments.agent_file import agent_path
from agentic.experiments.build import change, gymnasium_id, limited, metric_of
from agentic.experiments.examples import example
from agentic.experiments.experiment import LearnTable, Named, PlannerTable, RunTable
from agentic.experiments.toml import complaint, read, toml_lines

__all__ = [
    "LearnTable",
    "Named",
    "PlannerTable",
    "RunTable",
    "agent_path",
    "change",
    "complaint",
    "example",
    "gymnasium_id",
    "limited",
    "metric_of",
    "read",
    "toml_lines",
]
