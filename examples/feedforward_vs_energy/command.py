"""The command: run everything and write the page; or a small part of it; or search for settings."""

import argparse
import json
from pathlib import Path
from time import perf_counter

import torch

from . import page
from .questions import SHARED, chosen, questions
from .runs import Job, Row, spread
from .search import search

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description="Feedforward regression against energies that are settled: the study.")
    parser.add_argument("--seeds", type=int, default=10, help="seeds 0 to this, exclusive; at least 2 (10)")
    parser.add_argument("--workers", type=int, default=2, help="processes; no number depends on it (2)")
    parser.add_argument("--quick", action="store_true", help="two seeds, few data, hardly any learning: a smoke test")
    parser.add_argument("--out", type=Path, help="where the page goes (docs; runs/study with --quick)")
    parser.add_argument("--rows", type=Path, help="every measured number as JSON: written there, or read if it exists")
    tuned = [name for name in questions() if name not in SHARED]
    names = ", ".join(tuned)
    parser.add_argument(
        "--search", nargs="*", choices=tuned, metavar="QUESTION", help=f"choose settings anew ({names})"
    )
    given = parser.parse_args()
    if given.seeds < 2 or given.workers < 1:
        parser.error(f"expected at least 2 seeds and 1 worker, got {given.seeds} and {given.workers}")
    torch.set_num_threads(1)
    if given.search is not None:
        search(given.search or tuned, given.workers)
        return
    begin = perf_counter()
    if given.rows and given.rows.exists():
        rows: list[Row] = json.loads(given.rows.read_text())
    else:
        rows = everything(2 if given.quick else given.seeds, given.workers, quick=given.quick)
    if given.rows:
        given.rows.write_text(json.dumps(rows, indent=0))
    written = page.write(rows, given.out or ROOT / ("runs/study" if given.quick else "docs"))
    print(f"{written} after {perf_counter() - begin:.0f} s")


def everything(seeds: int, workers: int, *, quick: bool = False) -> list[Row]:
    """Every row of the study."""
    settings = chosen(quick=quick)
    jobs = [
        Job(name, learner.name, size, seed, settings[name][learner.name])
        for name, question in questions(quick=quick).items()
        for learner in question.learners
        for size in question.sizes
        for seed in range(seeds)
    ]
    return [row for found in spread([job.run for job in jobs], workers, "study") for row in found]
