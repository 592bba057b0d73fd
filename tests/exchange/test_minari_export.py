"""A record that was exported to Minari and read back is the same record: returns, columns and measurements."""

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import agentic
from agentic import Record, Schedule, UserError, subject_of
from agentic.cli import main
from agentic.runs import RunFolder, annotate
from agentic_exchange import to_minari
from tests.agentic.worlds import Echo

minari = pytest.importorskip("minari")

SPACES: dict[str, spaces.Space[Any]] = {
    "box": spaces.Box(-1, 1, (2, 3), np.float32),
    "discrete": spaces.Discrete(3, start=2),
    "several": spaces.MultiDiscrete([2, 5]),
    "flags": spaces.MultiBinary(3),
    "pictures": spaces.Box(0, 255, (8, 6, 3), np.uint8),
    "dict": spaces.Dict({"eye": spaces.Box(0, 255, (4, 4, 3), np.uint8), "place": spaces.Discrete(4)}),
    "tuple": spaces.Tuple((spaces.Discrete(2), spaces.Box(-3, 3, (2,), np.float64))),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
    monkeypatch.chdir(tmp_path)


def same(one: Record, other: Record) -> None:
    """Every column that Minari keeps, episode by episode."""
    pairs = zip(one.episodes("evaluate"), other.episodes("evaluate"), strict=True)
    for first, second in pairs:
        for name, array in second.arrays.items():
            assert np.array_equal(first.arrays[name], array), name
            assert first.arrays[name].dtype == array.dtype, name


@pytest.mark.parametrize("seen", SPACES)
def test_what_was_seen_is_read_back_to_the_bit(seen: str) -> None:
    action: Any = SPACES[seen] if seen != "pictures" else spaces.Discrete(2)
    world = agentic.make(Echo(SPACES[seen], action))
    random = agentic.PolicyAgent(lambda _: action.sample(), world.observation_layout, world.action_layout)
    record = agentic.run(random, world, Schedule(episodes=3))
    made = to_minari(record, f"mine/{seen}-v0", world)
    assert (made.episodes, made.steps) == (3, 12)
    assert made.lost == ("the environment's spec, which has parts that no text can say",)
    same(record, subject_of(f"minari:{made.name}").record)


def lived(*more: str) -> Path:
    code = main(["run", "--env", "agentic/TMaze-v0", "--episodes", "6", "--quiet", *more])
    assert code == 0
    return next(Path("runs").iterdir())


def test_a_run_is_exported_and_measured_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    folder = lived("--envs", "2")
    assert main(["export", str(folder), "--minari", "mine/tmaze-v0"]) == 0
    said = capsys.readouterr().out
    assert "mine/tmaze-v0: 6 episodes, " in said
    assert "Minari has no place for: energy (" in said
    assert "belief (" in said
    before, after = Record.open(folder), subject_of("minari:mine/tmaze-v0").record
    assert after.returns().tolist() == before.returns().tolist()
    same(before, after)
    metrics = ["episode_return", "transfer_entropy"]
    first, second = (agentic.measure(metrics, str(what)) for what in (folder, "minari:mine/tmaze-v0"))
    for name in first:
        assert first[name].value == second[name].value


def test_spec_and_seeds_are_kept() -> None:
    folder = lived("--agent", "random")
    assert main(["export", str(folder), "--minari", "mine/seeded-v0"]) == 0
    dataset = minari.load_dataset("mine/seeded-v0")
    assert dataset.env_spec.id == "agentic/TMaze-v0"
    seed = next(dataset.storage.get_episode_metadata([0]))["seed"]
    env = dataset.recover_environment()
    first, _ = env.reset(seed=int(seed))
    assert np.array_equal(first, Record.open(folder).episodes("evaluate")[0].arrays["obs"][0])


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(lived("--agent", "random"))
    for given, said in (
        (["--minari", "no name!"], "expected a name as namespace/name-v0 for the data set, got 'no name!'\n"),
        (["--minari", "lake"], "expected a name as namespace/name-v0 for the data set, got 'lake'\n"),
        (["--minari", "mine/none-v0", "--phase", "learn"], "no completed episode of the phase learn"),
    ):
        assert main(["export", folder, *given]) == 2
        assert said in capsys.readouterr().err
    assert main(["export", folder, "--minari", "mine/twice-v0"]) == 0
    assert main(["export", folder, "--minari", "mine/twice-v0"]) == 2
    assert "there is a data set mine/twice-v0 already" in capsys.readouterr().err
    other = agentic.make("CartPole-v1")
    with pytest.raises(UserError, match="it is of another world"):
        to_minari(Record.open(folder), "mine/other-v0", other)


def test_what_only_the_folder_names_needs_trust(capsys: pytest.CaptureFixture[str]) -> None:
    folder = lived("--agent", "random")
    file = folder / "experiment.toml"
    text = file.read_text().replace('id = "agentic/TMaze-v0"', 'id = "theirs:World-v0"')
    file.write_text(text)
    annotate(RunFolder(folder), experiment=sha256(file.read_bytes()).hexdigest())
    assert main(["export", str(folder), "--minari", "mine/theirs-v0"]) == 2
    assert "only with --trust" in capsys.readouterr().err


def test_without_minari(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lived("--agent", "random")
    monkeypatch.setitem(sys.modules, "minari.data_collector", None)
    assert main(["export", str(folder), "--minari", "mine/none-v0"]) == 2
    assert "pip install 'agentic[minari]'" in capsys.readouterr().err
