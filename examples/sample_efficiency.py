"""How few steps of experience it takes: our agent in stock Gymnasium worlds, by the protocol of the RL libraries.

python examples/sample_efficiency.py           # four worlds, seeds 0 to 4, two at a time
python examples/sample_efficiency.py pendulum "pendulum, reward" --seeds 1
python examples/sample_efficiency.py --hidden  # velocities hidden, with memory and without

While it learns, the agent is sealed after every so many environment steps and plays 10 episodes, always on the same
seeds, which learning never sees. The figure is the first step at which their mean return reaches the threshold; then
the next three evaluations are made too. Warm-up steps of random actions count.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import agentic
from agentic import Experiment, Schedule, run
from agentic.cli import keep_freed_memory
from agentic.experiments.build import build

HERE = Path(__file__).parent
HELD_OUT = 1_000_000  # the seed of all evaluations
AFTERWARDS = 3  # evaluations after the first that reaches the threshold
REWARD = ("goal.name=predicted_reward", "model.reward=true")


@dataclass(frozen=True)
class Task:
    """A world, what counts as solved, the most steps to learn from, and how often to look."""

    file: str
    threshold: float
    budget: int
    every: int
    settings: tuple[str, ...] = ()


TASKS = {
    "pendulum": Task("pendulum.toml", -200, 500, 50),
    "pendulum, reward": Task("pendulum.toml", -200, 500, 50, REWARD),
    "cartpole": Task("cartpole-ensemble.toml", 475, 350, 50),
    "cartpole, reward": Task("cartpole-ensemble.toml", 475, 350, 50, (*REWARD, "model.mortal=true")),
    "mountaincar": Task("mountaincar.toml", 90, 800, 100),
    "acrobot": Task("acrobot.toml", -100, 1500, 100),
}
HIDDEN = {
    f"{world}, {name}": Task(f"{world}-hidden.toml", threshold, budget, budget, (f"model.memory={memory}",))
    for world, threshold, budget in (("pendulum", -200, 500), ("cartpole", 475, 400))
    for name, memory in (("memory", 1), ("no memory", 0))
}


class Solved(BaseException):
    """Enough was seen; nothing is wrong."""


def curve(task: Task, seed: int) -> list[tuple[int, float]]:
    """Environment steps and the mean return of the 10 evaluation episodes then, until it stayed solved."""
    torch.set_num_threads(1)
    keep_freed_memory()
    registry = agentic.load()
    settings = [*task.settings, f"run.seed={seed}", f"learn.steps={task.budget}"]
    built = build(Experiment.load(HERE / task.file, settings), registry)
    found: list[tuple[int, float]] = []

    def look(progress: Any) -> None:
        if progress.phase != "learn" or progress.steps % task.every:
            return
        rows = build(Experiment.load(HERE / task.file, [*settings, "run.envs=10"]), registry).environment
        record = run(built.agent.sealed(), rows, Schedule(episodes=10), seed=HELD_OUT)
        rows.close()
        found.append((progress.steps, float(record.returns().mean())))
        first = next((i for i, (_, mean) in enumerate(found) if mean >= task.threshold), len(found))
        if len(found) > first + AFTERWARDS:
            raise Solved

    with suppress(Solved):
        run(
            built.agent,
            built.environment,
            Schedule(
                learn_steps=task.budget,
                warmup=built.experiment.learn.warmup,
                hold=built.experiment.learn.hold,
                episodes=0,
            ),
            seed=seed,
            observer=look,
        )
    built.environment.close()
    return found


def report(name: str, task: Task, seed: int, found: list[tuple[int, float]]) -> dict[str, Any]:
    """One line for people, one row for programs."""
    first = next((i for i, (_, mean) in enumerate(found) if mean >= task.threshold), None)
    after = [] if first is None else [mean for _, mean in found[first + 1 :]]
    solved = None if first is None else found[first][0]
    looked = len(after) == AFTERWARDS  # fewer where the budget ends before
    stays = min(after) >= task.threshold if looked else None
    shown = "  ".join(f"{steps}: {mean:.1f}" for steps, mean in found)
    print(f"{name:20} seed {seed}  solved at {solved}  stays {stays}   {shown}", flush=True)
    return {"task": name, "seed": seed, "threshold": task.threshold, "solved": solved, "stays": stays, "curve": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS | HIDDEN)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--hidden", action="store_true", help="the worlds that hide velocities")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    given = parser.parse_args()
    known = TASKS | HIDDEN
    names = given.tasks or list(HIDDEN if given.hidden else TASKS)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"unknown task {unknown[0]!r}; known: {', '.join(known)}")
    cases = [(name, seed) for name in names for seed in range(given.first, given.first + given.seeds)]
    with ProcessPoolExecutor(given.workers) as pool:
        pending = [(name, seed, pool.submit(curve, known[name], seed)) for name, seed in cases]
        rows = [report(name, known[name], seed, future.result()) for name, seed, future in pending]
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
