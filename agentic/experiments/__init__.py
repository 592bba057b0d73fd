"""Experiment files, and the components they name made and put together."""

from agentic.experiments.agent_file import agent_path
from agentic.experiments.examples import example
from agentic.experiments.experiment import TOP, Count, LearnTable, Named, PlannerTable, Positive, RunTable, Table
from agentic.experiments.toml import read, sentence, toml_lines
from agentic.experiments.worlds import change, gymnasium_id, limited

__all__ = [
    "TOP",
    "Count",
    "LearnTable",
    "Named",
    "PlannerTable",
    "Positive",
    "RunTable",
    "Table",
    "agent_path",
    "change",
    "example",
    "gymnasium_id",
    "limited",
    "read",
    "sentence",
    "toml_lines",
]
