"""What is printed of a received folder: a terminal obeys none of it, and a shell finds words in commands."""

import json
from pathlib import Path

import pytest

from agentic.cli import main

EVIL = "\x1b]0;taken\x07\x1b[2J\u202e\ud800"


@pytest.mark.parametrize("command", ["show", "measure"])
def test_of_received_folders(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--out", "my runs"]) == 0
    folder = tmp_path / "my runs/0001-cartpole-v1-random"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["components"][0] |= {"plugin": EVIL, "sha256": EVIL, "parameters": {"a": EVIL}}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"status": EVIL}))
    experiment = folder / "experiment.toml"
    experiment.write_text(experiment.read_text().replace("CartPole-v1", "evil\\u001b:Evil-v0"))
    capfd.readouterr()
    main([command, str(folder), *(["--metric", "episode_return"] if command == "measure" else [])])
    out, err = capfd.readouterr()
    assert "\x1b" not in out + err
    if command == "show":
        assert f"agentic run '{experiment}'" in out
