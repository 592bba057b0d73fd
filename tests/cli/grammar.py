"""What the fuzzers of experiment files, bench files, command lines and folders draw from."""

import json
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

WORDS = st.sampled_from(
    ["", " ", "random", "energy", "CartPole-v1", "a.py", "a:B", "../x", "\x1b[2J", "\udcff", "é", "a" * 3000]
)
NUMBERS = st.sampled_from(
    [
        "0",
        "-1",
        "1",
        "10",
        "1e400",
        "nan",
        "-inf",
        "0.5",
        str(2**63),
        str(2**64 - 1),
        "9" * 30,
        "9" * 5000,
        "0x_",
        "true",
        "1979-05-27",
    ]
)
DEEP = st.sampled_from([20, 200, 3000]).map(lambda depth: "[" * depth + "]" * depth)
TABLE = st.sampled_from([20, 200, 3000]).map(lambda depth: "{name = 'x', a = " * depth + "1" + "}" * depth)
QUOTED = WORDS.map(lambda word: json.dumps(word.replace("\udcff", "")))
NAMES = st.sampled_from(["random", "energy", "clone", "saved", "lookup", "categorical", "tree"]).map(
    lambda n: f'{{name = "{n}"}}'
)
VALUES = st.one_of(NUMBERS, DEEP, TABLE, QUOTED, NAMES, QUOTED.map(lambda word: f"[{word}, 1, []]"))
TABLES = st.sampled_from(
    "run env env.kwargs agent agent.selection model goal inference planner learner learn evaluate x".split()
)
KEYS = st.sampled_from(
    "name id kwargs changes seed dtype threads candidates steps episodes horizon of path selection a.b x".split()
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda line: f"{line[0]} = {line[1]}"),
    TABLES.map(lambda name: f"[{name}]"),
    TABLES.map(lambda name: f"[[{name}]]"),
    st.text(max_size=8),
)
BASE = '[env]\nid = "CartPole-v1"\n[agent]\nname = "random"\n'


BENCH = (
    '[[worlds]]\nname = "a"\nid = "CartPole-v1"\n[[agents]]\nname = "random"\n[[metrics]]\nname = "episode_return"\n'
)
HEADS = st.sampled_from("worlds agents metrics interventions bench run agents.model".split()).flatmap(
    lambda name: st.sampled_from([f"[{name}]", f"[[{name}]]"])
)
BENCH_KEYS = st.sampled_from(
    "seeds time_limit candidates label worlds under informed learn practice warmup of name id episodes".split()
)
BENCH_LINES = st.one_of(LINES, HEADS, st.tuples(BENCH_KEYS, VALUES).map(lambda line: f"{line[0]} = {line[1]}"))
EXPERIMENT_FILES = st.tuples(st.booleans(), st.lists(LINES, max_size=6))
BENCH_FILES = st.tuples(st.booleans(), st.lists(BENCH_LINES, max_size=6))

# Every command with what keeps it from doing minutes of work where the rest is empty.
COMMANDS = st.sampled_from(
    [
        *[(name,) for name in "run show measure metrics envs plugins report x --help --version --no-plugins".split()],
        ("bench", "missing.toml"),
        ("demo", "--out"),
        ("plugins", "check", "a.py"),
        ("plugins", "new"),
        ("plugins", "why"),
        ("agentic/bench", "missing.toml"),
    ]
)
OPTIONS = (
    "--env --agent --seed --envs --episodes --steps --set --out --metric --seeds --against --plugin --plugins-dir "
    "--trust --json --quiet --no-references --workers --fresh --kind --to --all --provides --no-plugins --help --"
)
KIND_WORDS = st.sampled_from(["energy", "metrics", "minari:x", "minari:", "episode_return", "CartPole-v1"])
SETTINGS = st.tuples(TABLES, KEYS, VALUES).map(lambda part: f"{part[0]}.{part[1]}={part[2]}")
SMALL = st.sampled_from(["-1", "0", "1", "9" * 30, str(2**63), "1e5", "1e400", "nan", "0x1"])
PARTS = st.one_of(st.sampled_from(OPTIONS.split()), WORDS, KIND_WORDS, SMALL, SETTINGS, st.text(max_size=5))
COMMAND_LINES = st.tuples(COMMANDS, st.lists(PARTS, max_size=5)).map(lambda line: (*line[0], *line[1]))

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("\ud800"), st.just(10**400)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
MANIFEST = st.sampled_from("status components seed versions git started seconds environment steps chunks x".split())
OURS = st.sampled_from(
    "manifest.json experiment.toml measurements.json ticks-000000.parquet ticks-000001.parquet ticks-partial.parquet "
    "candidates-000000.parquet ticks/ticks-000000.parquet ticks candidates error.txt cells.json battery.toml units "
    "report.html .report.html.part "
    f"ticks-{'9' * 200}.parquet".split()
)
LINKS = {"nowhere": "/nowhere/at/all", "itself": "", "zero": "/dev/zero", "outside": "../../outside.txt", "up": ".."}


def removed(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    file.unlink(missing_ok=True)


def replaced(folder: Path, name: str, kind: str, content: Any) -> None:
    """One file of a folder, replaced by something else."""
    file = folder / name
    if kind == "entry":
        with suppress(OSError, ValueError, RecursionError, TypeError):  # an earlier change may have left no table there
            manifest = json.loads((folder / "manifest.json").read_text())
            (folder / "manifest.json").write_text(json.dumps(manifest | content))
        return
    if not file.parent.is_dir():  # an earlier change took it away
        return
    removed(file)
    if kind == "json":
        file.write_text(json.dumps(content))
    elif kind == "deep":
        file.write_text("[" * 100_000 + "]" * 100_000)
    elif kind == "bytes":
        file.write_bytes(bytes(range(256)))
    elif kind == "folder":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "socket":
        with chdir(folder), socket.socket(socket.AF_UNIX) as listening, suppress(OSError):  # longer names are too long
            listening.bind(name)
    elif kind in LINKS:
        file.symlink_to(LINKS[kind] or file)


HOSTILE = st.one_of(
    st.tuples(OURS, st.just("json"), JSON),
    st.tuples(OURS, st.sampled_from("deep bytes folder fifo socket".split() + list(LINKS)), st.none()),
    st.tuples(OURS, st.just("entry"), st.dictionaries(MANIFEST, JSON, min_size=1, max_size=3)),
)


FOLDERS = st.tuples(st.sampled_from(["show", "measure", "report"]), st.lists(HOSTILE, min_size=1, max_size=2))


def fuzzed(examples: int, strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Check so many examples, the same each time."""
    quick = settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    quick(given(strategy)(check))()
