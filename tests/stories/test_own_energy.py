"""Your own energy: what the README shows is copied out of it and run."""

import json
import re
from pathlib import Path

import pytest

from agentic.cli import main

ROOT = Path(__file__).parents[2]


def test_the_eight_lines_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (energy,) = [block for block in blocks if "left_is_better.py" in block]
    written = [
        line for line in energy.splitlines() if line and not line.startswith(("#", "import", "from", " " * 4 + '"'))
    ]
    assert len(written) <= 8

    monkeypatch.chdir(tmp_path)
    (tmp_path / "left_is_better.py").write_text(energy, encoding="utf-8")
    shown = ["--plugin", "left_is_better.py", "--set", "goal.name=left_is_better"]
    short = ["--episodes", "1", "--steps", "20", "--set", "env.kwargs.max_episode_steps=5", "--json"]
    code = main(["run", str(ROOT / "examples" / "continuous.toml"), *shown, *short])
    out, err = capsys.readouterr()
    assert code == 0, err
    message = json.loads(out)
    used = {row["name"]: row for row in message["components"]}
    assert used["left_is_better"]["plugin"] == "left_is_better"
    assert "quadratic" not in used
    assert (message["steps"], message["evaluation_steps"]) == (20, 5)
