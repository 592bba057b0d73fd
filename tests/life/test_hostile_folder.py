"""Run folders that somebody changed: one sentence, nothing run, and the folder as it was."""

import json
import os
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import agentic
from agentic import UserError
from agentic.cli import main
from agentic.runs import sealed
from tests.life.resuming import lived
from tests.life.test_resume import HABIT


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after its first chunk, with one checkpoint."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    assert lived(HABIT, ["learn.steps=400", "run.checkpoint_steps=300"], folder, ticks=330) is None
    return folder


def point(folder: Path) -> Path:
    (found,) = folder.glob("checkpoint-*")
    return found


def seal(folder: Path, **about: Any) -> None:
    """Make what is said of a checkpoint, and its files, hold together again."""
    path = point(folder)
    found = json.loads((path / "checkpoint.json").read_text())
    del found["checksum"]
    files = {each: sha256((path / each).read_bytes()).hexdigest() for each in ("state.json", "tensors.safetensors")}
    (path / "checkpoint.json").write_text(json.dumps(sealed({**found, "files": files, **about})))


def bytes_of(name: str) -> Callable[[Path], Any]:
    def change(folder: Path) -> None:
        (point(folder) / name).write_bytes(pickle.dumps(Evil()))
        if name != "checkpoint.json":
            seal(folder)

    return change


def state(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        file = point(folder) / "state.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))
        seal(folder)

    return put


def has(**more: Any) -> Callable[[Path], None]:
    """What a run has, changed."""

    def change(tree: Any) -> Any:
        tree["run"]["has"] |= more
        return tree

    return state(change)


def about(**more: Any) -> Callable[[Path], None]:
    return lambda folder: seal(folder, **more)


def large(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with open(folder / name, "ab") as file:
            file.truncate(2**31)

    return change


def moved(name: str) -> Callable[[Path], None]:
    """A link that leads out of the folder, to what was there."""

    def change(folder: Path) -> None:
        path = folder / name if name != "checkpoint" else point(folder)
        path = point(folder) / path.name if not path.exists() else path
        other = folder.parent / f"other-{path.name}"
        path.rename(other)
        path.symlink_to(other)

    return change


def write(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(data)


def deep(folder: Path) -> None:
    (point(folder) / "state.json").write_text('{"list":[' * 100_000 + "]}" * 100_000)
    seal(folder)


def foreign(folder: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), folder / "ticks-000000.parquet")


def truncated(folder: Path) -> None:
    file = folder / "ticks-000000.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def gone(folder: Path) -> None:
    (folder / "ticks-000000.parquet").unlink()


def experiment(folder: Path) -> None:
    file = folder / "experiment.toml"
    file.write_text(file.read_text().replace("steps = 400", "steps = 500"))


def agent(name: str, **more: Any) -> Callable[[Path], None]:
    return has(agent={"object": name, "has": more})


def recorder(tree: Any) -> Any:
    bare = {"object": "agentic.runs.recorder:Recorder", "has": {"_folder": None, "_block": None}, "id": 10**7}
    tree["run"]["has"] = {"before": bare, **tree["run"]["has"], "recorder": {"see": 10**7}}
    return tree


def block(**more: Any) -> Callable[[Path], None]:
    def change(tree: Any) -> Any:
        counts = dict(tree["run"]["has"]["recorder"]["has"]["_block"]["state"]["dict"])["counts"]["tuple"]
        for name, part in more.items():
            counts[("index", "first", "ticks", "rows", "room").index(name)] = part
        return tree

    return state(change)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "a pickle as what is said": bytes_of("checkpoint.json"),
    "a pickle as state": bytes_of("state.json"),
    "a pickle as tensors": bytes_of("tensors.safetensors"),
    "other files": about(files={"../../evil": "0", "state.json": "0"}),
    "no files": about(files=[]),
    "ticks as text": about(ticks="300"),
    "ticks as truth": about(ticks=True),
    "ticks before the first": about(ticks=-1),
    "more ticks than there are": about(ticks=10**6),
    "more ticks than numbers": about(ticks=10**30),
    "steps as text": about(steps="../.."),
    "seconds without end": about(seconds="nan"),
    "another phase": about(phase="../x"),
    "another run's": about(started=1.0),
    "steps to learn as text": about(learn_steps="many"),
    "2 GB manifest": large("manifest.json"),
    "a manifest that is deep": write("manifest.json", b"[" * 100_000),
    "a manifest that is a pickle": write("manifest.json", pickle.dumps(Evil())),
    "deep state": deep,
    "a checkpoint elsewhere": moved("checkpoint"),
    "its tensors elsewhere": moved("tensors.safetensors"),
    "its state elsewhere": moved("state.json"),
    "what is said of it elsewhere": moved("checkpoint.json"),
    "a manifest elsewhere": moved("manifest.json"),
    "an experiment elsewhere": moved("experiment.toml"),
    "an experiment that is another": experiment,
    "another agent": agent("agentic_agents.habit:Temporal"),
    "a process": agent("subprocess:Popen", args="touch ran"),
    "no run": state(lambda tree: []),
    "no tree": state(lambda tree: {"run": {"has": 3}}),
    "ticks of another": has(ticks=7),
    "a recorder of somebody": state(recorder),
    "a chunk of texts": block(index="../../x"),
    "a chunk far away": block(index=10**9),
    "a chunk before the first": block(index=-1),
    "a chunk with room for all": block(room=10**15),
    "a chunk with rows that are not there": block(rows=10**6),
}
CHUNKS = {"foreign": foreign, "truncated": truncated, "gone": gone, "elsewhere": moved("ticks-000000.parquet")}


def listing(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    every = {path: path.lstat() for path in sorted(folder.rglob("*"))}
    return {
        str(path): (
            stat.st_size,
            stat.st_mtime_ns,
            path.read_bytes() if path.is_file() and stat.st_size < 2**24 else b"",
        )
        for path, stat in every.items()
    }


@pytest.mark.filterwarnings("ignore::agentic.errors.ThirdPartyWarning")
@pytest.mark.parametrize("name", [*DAMAGE, *CHUNKS])
def test_hostile_folders_are_refused_in_a_sentence_and_stay(
    name: str, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "inside/run"
    copytree(stopped, folder)
    {**DAMAGE, **CHUNKS}[name](folder)
    before = listing(tmp_path)
    assert main(["run", "--resume", str(folder), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len([line for line in said.splitlines() if "error" in line.lower() or line.startswith("agentic")]) <= 2, said
    with pytest.raises(UserError):
        agentic.resume(folder)
    if name in DAMAGE and name not in HARMLESS:
        with pytest.raises(UserError):
            agentic.load_agent(folder)
    assert listing(tmp_path) == before
    rmtree(folder)


HARMLESS = {  # for the agent alone: the rest of the run is not looked at
    "ticks of another",
    "a recorder of somebody",
    *(each for each in DAMAGE if each.startswith("a chunk")),
    "more ticks than there are",
}
