"""Example files: listed with what they are for, and copied with what they name, never over another file."""

import json
from pathlib import Path

import pytest

from agentic import Experiment, UserError
from agentic.cli import example_names
from agentic.experiments import example
from agentic_bench import Battery
from agentic_catalog.examples import examples as command
from agentic_catalog.files import about, copy_example, found


@pytest.mark.parametrize("name", example_names())
def test_each_says_what_it_is_for_and_can_be_copied(name: str, tmp_path: Path) -> None:
    assert about(example(name))[-1:] in ".?!"
    copy, *others = copy_example(name, tmp_path / "new")
    load = Battery.load if name.startswith("bench/") else Experiment.load
    assert load(copy)
    assert all(each.is_file() for each in others)
    assert copy_example(name, tmp_path / "new") == [copy, *others], "what is there already is the same"


def test_a_bench_is_copied_with_its_policies(tmp_path: Path) -> None:
    copies = [each.relative_to(tmp_path).as_posix() for each in copy_example("bench/battery", tmp_path)]
    assert copies == ["battery.toml", *(f"policies/ppo-{seed}.zip" for seed in range(5))]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "ppo-3.zip").write_text("mine")
    with pytest.raises(UserError, match="is there already and is another"):
        copy_example("battery", tmp_path)
    assert not (tmp_path / "battery.toml").exists()
    (tmp_path / "tmaze.toml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="cannot copy to"):
        copy_example("tmaze", tmp_path)
    with pytest.raises(UserError, match="cannot copy to"):
        copy_example("tiger", tmp_path / "policies" / "ppo-3.zip")


def test_names_are_as_short_as_they_can_be() -> None:
    assert found("battery") == found("bench/battery") == found("examples/bench/battery.toml")
    with pytest.raises(UserError, match="did you mean 'tmaze'"):
        found("tmzae")


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command.main([], standalone_mode=False)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert all(name in out for name in example_names())
    command.main(["--json"], standalone_mode=False)
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == example_names()
    command.main(["tmaze"], standalone_mode=False)
    assert example("tmaze").read_text().rstrip() in capsys.readouterr().out
    command.main(["tmaze", "--to", str(tmp_path)], standalone_mode=False)
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'tmaze.toml'}\n"
    assert said.err == f"next: agentic run {tmp_path / 'tmaze.toml'}\n"
    with pytest.raises(UserError, match="--to copies one example"):
        command.main(["--to", str(tmp_path)], standalone_mode=False)
