"""Experiment files, and agents in worlds built from them."""

from agentic.experiments.again import learned, recorded
from agentic.experiments.agent_file import agent_path
from agentic.experiments.agent_parts import places
from agentic.experiments.build import Built
from agentic.experiments.examples import example
from agentic.experiments.experiment import (
    TOP,
    AgentTable,
    Count,
    EnvTable,
    EvaluateTable,
    LearnTable,
    Named,
    PlannerTable,
    Positive,
    RunTable,
    Seeds,
    Table,
    Wrapping,
    originated,
    seeds_of,
)
from agentic.experiments.reliving import relived, world_again
from agentic.experiments.toml import read, sentence, toml_text
from agentic.experiments.trust import untrusted
from agentic.experiments.worlds import change, gymnasium_id, limited, world_of

__all__ = [
    "TOP",
    "AgentTable",
    "Built",
    "Count",
    "EnvTable",
    "EvaluateTable",
    "LearnTable",
    "Named",
    "PlannerTable",
    "Positive",
    "RunTable",
    "Seeds",
    "Table",
    "Wrapping",
    "agent_path",
    "change",
    "example",
    "gymnasium_id",
    "learned",
    "limited",
    "originated",
    "places",
    "read",
    "recorded",
    "relived",
    "seeds_of",
    "sentence",
    "toml_text",
    "untrusted",
    "world_again",
    "world_of",
]
