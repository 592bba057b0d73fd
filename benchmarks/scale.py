"""Many runs at once: what a run and a table cost, and what a second worker gains; `python -m benchmarks.scale`.

A sweep of long runs and one of short ones, by one process, by two, and by Ray on this machine where it is installed;
tables are checked equal before times count. Nothing else should be at work here.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from agentic.jobs import Executor, Processes
from agentic_sweep import sweep

SHORT, LONG = (40, 1), (8, 400)  # runs and episodes of each


def tables(runs: int, episodes: int) -> dict[str, Any]:
    """A sweep of so many runs of the random agent."""
    world = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}
    return {"sweep": {"seeds": runs}, "evaluate": {"episodes": episodes}, **world}


def timed(what: dict[str, Any], executor: Executor) -> tuple[float, bytes]:
    """Seconds by the clock of a sweep, and its table."""
    with TemporaryDirectory() as place:
        begin = perf_counter()
        sweep(what, place, executor=executor)
        return perf_counter() - begin, (Path(place) / "runs.csv").read_bytes()


def measured(name: str, executors: dict[str, Executor]) -> None:
    """Print a line for each number of runs and each executor."""
    for runs, episodes in (SHORT, LONG):
        what, before = tables(runs, episodes), None
        none = timed(tables(1, 1), executors["1 process"])[0]
        for label, executor in executors.items():
            seconds, table = timed(what, executor)
            assert before in (None, table), "another executor, another table"
            before = table
            print(f"| {name} | {runs} runs of {episodes} episodes | {label} | {seconds:.1f} | {none:.1f} |", flush=True)


def main() -> int:
    """Measure all of it."""
    executors: dict[str, Executor] = {"1 process": Processes(1), "2 processes": Processes(2)}
    if find_spec("ray"):
        from agentic_ray import RayExecutor

        executors |= {"Ray, 2 workers": RayExecutor(2)}
    print("| sweep | of | by | s | s of one run of 1 episode alone |\n| --- | --- | --- | --: | --: |")
    measured("CartPole-v1, random", executors)
    return 0


if __name__ == "__main__":
    sys.exit(main())
