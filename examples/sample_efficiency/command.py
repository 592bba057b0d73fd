"""The command line: which runs, where they are kept, and what is shown of them."""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from agentic import UserError
from agentic.runs import json_table, write_whole

from .jobs import ROOT, Job, Row, is_row, rows
from .peers import PEERS
from .protocol import Task
from .report import line, place, table
from .tasks import ABLATED, ABLATIONS, ALL, HIDDEN, REWARD_LEARNED, TASKS

CONFIG = ROOT / "examples" / "continuous.toml"
OWNED = ("env.id", "run.seed", "run.envs", "learn.steps")  # what the protocol sets
PEERS_FILE = ROOT / "figures" / "sample_efficiency_peers.json"
ABLATIONS_FILE = ROOT / "figures" / "sample_efficiency_ablations.json"


def parser(about: str | None) -> argparse.ArgumentParser:
    """All options."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("tasks", nargs="*", help=f"of {', '.join(ALL)}")
    kinds = made.add_mutually_exclusive_group()
    kinds.add_argument("--learned", action="store_true", help="reward and end learned from experience too")
    kinds.add_argument("--hidden", action="store_true", help="the worlds that hide velocities")
    kinds.add_argument("--peers", action="store_true", help="Stable-Baselines3 with the settings of RL Baselines3 Zoo")
    kinds.add_argument("--ablations", action="store_true", help=f"one part less at a time: {', '.join(ABLATIONS)}")
    made.add_argument("--config", type=Path, default=CONFIG, help="the file of all tasks")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the file, as agentic run")
    made.add_argument("--first", type=int, help="the first seed (0; 100 of ablations)")
    made.add_argument("--seeds", type=int, help="how many (10; 5 of ablations and learned rewards, 3 of peers)")
    made.add_argument("--workers", type=int, default=2, help="processes; no number depends on it (2)")
    made.add_argument("--cache", type=Path, default=ROOT / "runs" / "sample_efficiency", help="where runs are kept")
    made.add_argument("--fresh", action="store_true", help="run all of it, whatever is kept")
    made.add_argument("--json", type=Path, help="write the rows here too (peers and ablations: into figures/)")
    return made


def main(about: str | None = None, arguments: list[str] | None = None) -> None:
    """Read the command line and do what it says."""
    options = parser(about)
    given = options.parse_args(arguments)
    _check(options, given)
    try:
        wanted = jobs(given)
        file = PEERS_FILE if given.peers else ABLATIONS_FILE if given.ablations else None
        out, kept = given.json or file, stored(file) if file else []
        peers = [] if given.peers else stored(PEERS_FILE)
    except UserError as error:
        options.error(str(error))
    found = list[Row]()
    try:
        for row in rows(wanted, given.cache, workers=given.workers, kept=kept, fresh=given.fresh):
            print(line(row), flush=True)
            found.append(row)
    except KeyboardInterrupt:
        print(f"interrupted: {len(found)} of {len(wanted)} runs are kept; the same command goes on", file=sys.stderr)
        raise SystemExit(130) from None
    except UserError as error:  # parts that do not fit one another, as is found when an agent is built
        options.error(str(error))
    finally:
        places = [(job.name, job.learner, job.variant, job.seed) for job in wanted]
        found.sort(key=lambda row: places.index((*place(row), row["seed"])))
        if out and found:
            store(out, [*others(kept, found), *found], arguments)
    worlds = {job.name.removesuffix(", learned") for job in wanted if not job.variant}
    beside = [row for row in peers if row["task"] in worlds]
    print("\n".join(["", *table([*found, *beside])]))
    print(f"\n{sum(row['seconds'] for row in found):,.0f} s of processor time in all, earlier runs included")


def _check(options: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Say what does not fit before anything runs."""
    unknown = [name for name in given.tasks if not any(_named(name, each) for each in _kind(given))]
    if unknown:
        options.error(f"unknown task {unknown[0]!r}; known: {', '.join(_kind(given))}")
    owned = [each for each in given.set if each.partition("=")[0].strip() in OWNED]
    if owned:
        options.error(f"--set {owned[0]} belongs to the protocol: seeds are --first and --seeds, worlds are tasks")
    if given.peers and (given.set or given.config != CONFIG):
        options.error("--peers runs the settings of RL Baselines3 Zoo: leave out --set and --config")
    for path in (given.cache, given.json and given.json.parent):
        if path is not None and not _folder(path):
            options.error(f"{path} is no folder, and none can be made there")
    if given.workers < 1 or (given.seeds is not None and given.seeds < 1):
        options.error(f"expected at least 1 seed and 1 worker, got {given.seeds} and {given.workers}")


def jobs(given: argparse.Namespace) -> list[Job]:
    """The runs that are asked for. Raises UserError for a configuration that does not fit."""
    few = 3 if given.peers else 5 if given.ablations or given.learned else 10
    start = (100 if given.ablations else 0) if given.first is None else given.first
    seeds = range(start, start + (given.seeds or few))
    if given.peers:
        return [
            Job.peer(name, TASKS[name], seed, learner, settings)
            for (name, learner), settings in PEERS.items()
            if not given.tasks or any(_named(each, name) for each in given.tasks)
            for seed in seeds
        ]
    variants = ABLATIONS if given.ablations else {"": ()}
    chosen = [name for name in _kind(given) if any(_named(each, name) for each in given.tasks)]
    return [
        Job.ours(name, ALL[name], seed, given.config, [*settings, *given.set], variant)
        for name in chosen or (ABLATED if given.ablations else _kind(given))
        for variant, settings in variants.items()
        for seed in seeds
    ]


def _kind(given: argparse.Namespace) -> Mapping[str, Task]:
    """The tasks that the options choose from."""
    return HIDDEN if given.hidden else REWARD_LEARNED if given.learned else TASKS


def _named(words: str, task: str) -> bool:
    """Whether a task, or the world of it, is called so."""
    return words in (task, task.partition(", ")[0])


def _folder(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def stored(file: Path) -> list[Row]:
    """The rows in a file that `store` wrote; none where it is not there. Raises UserError for another file."""
    found = json_table(file).get("rows") if file.exists() else []
    if not isinstance(found, list) or not all(isinstance(row, dict) and is_row(row) for row in found):
        raise UserError(f"{file} holds no rows of this script: mend it, or take it away, and its runs are made anew")
    return found


def others(kept: list[Row], found: list[Row]) -> list[Row]:
    """The rows that were kept of runs which were not asked for now, but those of ablations that are no more."""
    here = {(*place(row), row["seed"]) for row in found}
    return [row for row in kept if row["variant"] in ("", *ABLATIONS) and (*place(row), row["seed"]) not in here]


def store(file: Path, found: list[Row], arguments: list[str] | None) -> None:
    """Write rows, one a line, with the command that made them."""
    command = shlex.join(
        ["python", "examples/sample_efficiency.py", *(sys.argv[1:] if arguments is None else arguments)]
    )
    lines = ",\n".join(json.dumps(row) for row in found)
    write_whole(file, f'{{"command": {json.dumps(command)}, "rows": [\n{lines}\n]}}\n')
