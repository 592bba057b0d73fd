"""Experiment files, and the components they name made and put together."""

from agentic.experiments.agent_file import agent_path
from agentic.experiments.examples import example
from agentic.experiments.experiment import (
    AgentTable,
    EnvTable,
    EvaluateTable,
    LearnTable,
    Named,
    PlannerTable,
    RunTable,
)
from agentic.experiments.toml import read, toml_lines
from agentic.experiments.worlds import change, gymnasium_id, limited
from agentic.plugins.parameters import complaint

__all__ = [
    "AgentTable",
    "EnvTable",
    "EvaluateTable",
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
    "read",
    "toml_lines",
]
