"""TensorBoard's event files hold the numbers of a run, under groups, and go on where it goes on."""

import struct
from math import inf
from pathlib import Path
from typing import Any

import pytest

import agentic
from agentic import LoggedRun, Record, UserError
from agentic.cli import main
from agentic_life import reproduce
from agentic_loggers.tensorboard import FOLDER, TensorBoard
from tests.life.resuming import lived

pytest.importorskip("tensorboardX")


def events(folder: Path) -> list[Any]:
    """All events in a folder, file by file."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.glob("events*")):
        data = file.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    return [(each.step, value.tag, value.simple_value) for each in events(folder) for value in each.summary.value]


def test_the_returns_of_a_run_are_there(tmp_path: Path) -> None:
    code = main(["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "5", "--logger", "tensorboard"])
    assert code == 0
    (folder,) = Path("runs").iterdir()
    found = [value for _, tag, value in scalars(folder / FOLDER) if tag == "evaluate/return"]
    assert found == Record.open(folder).returns().tolist()
    assert agentic.Experiment.load(folder / "experiment.toml").loggers[0].name == "tensorboard"


def test_its_parameters_are_set_by_its_name(tmp_path: Path) -> None:
    Path("x.toml").write_text('loggers = ["tensorboard"]\n[env]\nid = "FrozenLake-v1"\n[agent]\nname = "random"\n')
    setting = ["--set", "loggers.tensorboard.flush_seconds=2", "--episodes", "1", "--quiet"]
    assert main(["run", "x.toml", *setting]) == 0
    assert main(["run", "--env", "FrozenLake", "--agent", "random", "--logger", "tensorboard", *setting]) == 0
    found = [agentic.Experiment.load(path).loggers for path in Path("runs").glob("*/experiment.toml")]
    assert [[each.parameters for each in loggers] for loggers in found] == [[{"flush_seconds": 2}]] * 2


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_names_make_groups_and_what_is_not_finite_is_left_out(tmp_path: Path) -> None:
    logger = TensorBoard()
    logger.start(LoggedRun(tmp_path, {}, {}))
    logger.log(3, {"evaluate.energy.free_energy": 0.5, "evaluate.return": inf})
    logger.finish("finished")
    assert scalars(tmp_path / FOLDER) == [(3, "evaluate/energy.free_energy", 0.5)]


def test_what_was_logged_after_a_checkpoint_is_hidden(tmp_path: Path) -> None:
    for step in (0, 7):
        logger = TensorBoard()
        logger.start(LoggedRun(tmp_path, {}, {}, step))
        logger.log(step + 9, {"learned.loss": 1.0})
        logger.finish("finished")
    starts = [each.step for each in events(tmp_path / FOLDER) if each.WhichOneof("what") == "session_log"]
    assert starts == [8]
    assert [step for step, _, _ in scalars(tmp_path / FOLDER)] == [9, 16]


def test_it_writes_below_the_folder_of_the_run_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="tensorboard is a link, which is not followed"):
        TensorBoard().start(LoggedRun(tmp_path, {}, {}))
    with pytest.raises(UserError, match="keep the run in one"):
        TensorBoard().start(LoggedRun(None, {}, {}))


def test_without_its_package_one_sentence_says_how(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agentic_loggers.tensorboard.find_spec", lambda _: None)
    assert main(["run", "--env", "FrozenLake", "--agent", "random", "--logger", "tensorboard"]) == 2
    assert "[[loggers]] tensorboard: TensorBoard's event files need a package: pip install" in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--logger", "tensorbord"], "unknown logger 'tensorbord', did you mean 'tensorboard'?"),
        (["--logger", "random"], "[[loggers]] random is an Agent; a Logger is wanted: tensorboard"),
        (["--logger", "tensorboard", "--set", "loggers.tensorboard.x=1"], "tensorboard has no parameter 'x'"),
        (
            ["--logger", "tensorboard", "--set", "loggers.flush_seconds=2"],
            "cannot set loggers.flush_seconds: expected loggers.NAME.KEY=VALUE, with one of these names: tensorboard",
        ),
    ],
)
def test_a_wrong_name_is_refused_before_anything_runs(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--env", "FrozenLake", "--agent", "random", *given]) == 2
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()


def test_a_resumed_run_logs_on_and_reproducing_it_logs_nothing() -> None:
    tables = {
        "env": {"id": "FrozenLake-v1"},
        "agent": {"name": "habit"},
        "learn": {"steps": 200},
        "evaluate": {"episodes": 3},
        "loggers": [{"name": "tensorboard"}],
    }
    folder = Path("run")
    assert lived(tables, ["run.checkpoint_steps=50"], folder, ticks=130) is None
    agentic.resume(folder)
    starts = [each.step for each in events(folder / FOLDER) if each.WhichOneof("what") == "session_log"]
    assert starts == [101]  # after the checkpoint of the 100th step
    logged = len(events(folder / FOLDER))
    again = reproduce(folder)
    assert again.same
    assert not [each.what for each in again.differences if "logger" in each.what]
    assert len(events(folder / FOLDER)) == logged
