"""Whatever an experiment file, a command line or a folder holds: one sentence, no traceback, and nothing written."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agentic import RunError
from agentic.cli import main
from agentic.experiments.build import Built
from agentic_bench import running

TIERS = [
    pytest.param(100, id="sample"),
    pytest.param(1000, id="many", marks=pytest.mark.slow),
    pytest.param(4000, id="long", marks=pytest.mark.soak),
]
WORDS = st.sampled_from(
    ["", " ", "random", "energy", "CartPole-v1", "a.py", "a:B", "../x", "\x1b[2J", "\udcff", "é", "a" * 3000]
)
NUMBERS = st.sampled_from(
    ["0", "-1", "1", "10", "1e400", "nan", "-inf", "0.5", "9" * 30, "9" * 5000, "0x_", "true", "1979-05-27"]
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


def fuzzed(examples: int, strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Check so many examples, the same each time."""
    quick = settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    quick(given(strategy)(check))()


def said_by(*arguments: str) -> tuple[int, str, str]:
    """The exit code and what is said; anything but an exit code is a traceback."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    assert code in (0, 1, 2), code
    assert not re.search("[\x00-\x08\x0b-\x1f]", out.getvalue() + err.getvalue()), "a control character"
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def not_run(*_: Any, **__: Any) -> Any:
        raise RunError("it was to be run")

    monkeypatch.setattr(Built, "run", not_run)
    monkeypatch.setattr(running, "carried_out", not_run)
    with chdir(tmp_path):
        yield tmp_path


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_experiment_files(examples: int, place: Path) -> None:
    def check(content: tuple[bool, list[str]]) -> None:
        based, lines = content
        Path("fuzzed.toml").write_text((BASE if based else "") + "\n".join(lines), encoding="utf-8", errors="replace")
        code, out, err = said_by("run", "fuzzed.toml", "--quiet")
        assert (code != 0, out) == (True, "")
        assert err.count("\n") == 1, err

    fuzzed(examples, st.tuples(st.booleans(), st.lists(LINES, max_size=6)), check)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_bench_files(examples: int, place: Path) -> None:
    from agentic import UserError
    from agentic_bench import Battery

    tables = "worlds agents metrics interventions bench run agents.model".split()
    bench = '[[worlds]]\nname = "a"\nid = "CartPole-v1"\n[[agents]]\nname = "random"\n'
    bench += '[[metrics]]\nname = "episode_return"\n'
    heads = st.sampled_from(tables).flatmap(lambda name: st.sampled_from([f"[{name}]", f"[[{name}]]"]))

    def check(content: tuple[bool, list[str]]) -> None:
        based, lines = content
        Path("fuzzed.toml").write_text((bench if based else "") + "\n".join(lines), encoding="utf-8", errors="replace")
        with suppress(UserError):
            Battery.load("fuzzed.toml").tasks()

    fuzzed(examples, st.tuples(st.booleans(), st.lists(st.one_of(LINES, heads), max_size=6)), check)


COMMANDS = st.sampled_from("run show measure metrics envs plugins report bench x --help --version".split())
OPTIONS = (
    "--env --agent --seed --envs --episodes --steps --set --out --metric --seeds --against --plugin --trust --json"
)
SETTINGS = st.tuples(TABLES, KEYS, VALUES).map(lambda part: f"{part[0]}.{part[1]}={part[2]}")
SMALL = st.sampled_from(["-1", "0", "1", "9" * 30, "1e5", "nan", "0x1"])
PARTS = st.one_of(st.sampled_from(OPTIONS.split()), WORDS, SMALL, SETTINGS, st.text(max_size=5))


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_command_lines(examples: int, place: Path) -> None:
    def check(line: tuple[str, list[str]]) -> None:
        said_by(line[0], *line[1])

    fuzzed(examples, st.tuples(COMMANDS, st.lists(PARTS, max_size=5)), check)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("\ud800"), st.just(10**400)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
MANIFEST = st.sampled_from("status components seed versions git started seconds environment x".split())
OURS = st.sampled_from(
    "manifest.json experiment.toml measurements.json ticks-000000.parquet error.txt cells.json battery.toml "
    f"ticks-partial.parquet candidates-000000.parquet ticks-{'9' * 200}.parquet".split()
)


def _replaced(folder: Path, name: str, kind: str, content: Any) -> None:
    """One file of a folder, replaced by something else."""
    file = folder / name
    if kind == "entry":
        with suppress(OSError, ValueError, RecursionError, TypeError):  # an earlier change may have left no table there
            manifest = json.loads((folder / "manifest.json").read_text())
            (folder / "manifest.json").write_text(json.dumps(manifest | content))
        return
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    file.unlink(missing_ok=True)
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
    else:
        file.symlink_to({"itself": str(file), "device": "/dev/zero", "nowhere": "/nowhere/at/all"}[kind])


HOSTILE = st.one_of(
    st.tuples(OURS, st.just("json"), JSON),
    st.tuples(OURS, st.sampled_from("deep bytes folder fifo nowhere itself device".split()), st.none()),
    st.tuples(OURS, st.just("entry"), st.dictionaries(MANIFEST, JSON, min_size=1, max_size=3)),
)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_folders(examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said_by("run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--quiet")[0] == 0
    assert said_by("measure", "runs/0001-cartpole-v1-random", "--metric", "episode_return", "--no-references")[0] == 0

    def check(content: tuple[str, list[tuple[str, str, Any]]]) -> None:
        command, changes = content
        with TemporaryDirectory() as parent:
            folder = copytree("runs/0001-cartpole-v1-random", Path(parent, "run"))
            for change in changes:
                if not (folder / "manifest.json").is_file() and change[1] == "entry":
                    continue
                _replaced(folder, *change)
            options = ["--metric", "episode_return", "--no-references"] if command == "measure" else []
            said_by(command, str(folder), *options)
            if command == "report":
                said_by("report", parent)

    fuzzed(
        examples,
        st.tuples(st.sampled_from(["show", "measure", "report"]), st.lists(HOSTILE, min_size=1, max_size=2)),
        check,
    )
