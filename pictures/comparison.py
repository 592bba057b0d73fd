"""`python -m pictures.comparison [RUNS]`: the picture of three agents on five seeds, compared.

Without RUNS they are run first. A slippery lake is learned from nothing: with curiosity, without any, and with actions
drawn at random by their worth.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

import agentic
from agentic_report import compare
from agentic_report.comparing.page import write_page
from pictures.report import taken

ROOT = Path(__file__).parents[1]
SIZE = (1000, 1200)
SEEDS = 5
LAKE: dict[str, Any] = {
    "run": {"envs": 8},
    "env": {"id": "FrozenLake-v1", "kwargs": {"map_name": "4x4", "is_slippery": True}},
    "agent": {"name": "energy", "selection": {"name": "greedy"}},
    "model": {"name": "categorical", "learn": ["B", "rewards", "ends"]},
    "goal": {"name": "reward", "scale": 1.0},
    "inference": {"name": "exact"},
    "planner": {
        "name": "value_iteration",
        "horizon": 1,
        "discount": 0.95,
        "gain": {"name": "summed", "target": "weights"},
    },
    "learner": {"name": "conjugate", "settles": True},
    "learn": {"steps": 4000},
    "evaluate": {"episodes": 24},
}
INDIFFERENT = {**LAKE, "planner": {key: value for key, value in LAKE["planner"].items() if key != "gain"}}
AGENTS = {
    "curious": LAKE,
    "indifferent": INDIFFERENT,
    "random by worth": {**LAKE, "agent": {"name": "energy", "selection": {"name": "softmax", "precision": 4.0}}},
}
PART = """
[document.querySelector("#h-curves"), document.querySelector("#outcome .box")]
  .map((part) => part.getBoundingClientRect())
"""


def run(folder: Path) -> None:
    """Let every agent learn on every seed; about five minutes."""
    for seed in range(SEEDS):
        for tables in AGENTS.values():
            agentic.run(tables, seed=seed, out=folder)


def draw(runs: Path, path: Path) -> Path:
    """Curves and the table of a comparison in light colors."""
    words = "agentic compare runs"
    return taken(lambda folder: write_page(compare(runs), folder / "comparison.html", words), PART, SIZE, path)


@click.command()
@click.argument("runs", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=ROOT / "docs" / "pictures" / "compare.png", type=click.Path(path_type=Path))
def main(runs: Path | None, out: Path) -> None:
    """Draw the comparison of RUNS; without them, let the agents learn first."""
    with TemporaryDirectory() as folder:
        if runs is None:
            run(Path(folder))
        click.echo(draw(runs or Path(folder), out))


if __name__ == "__main__":
    main()
