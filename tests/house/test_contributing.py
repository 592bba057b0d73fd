"""What CONTRIBUTING.md says to do can be done: its files are there, its commands exist, its examples run."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import agentic.cli
import agentic_metrics
from agentic import Metric, load, testing
from agentic.cli import main
from agentic.cli.main import COMMANDS
from agentic.cli.plugins import SINGULAR
from agentic.plugins import KINDS
from agentic.plugins.contracts import contracts_of
from calibration import lives
from calibration.case import LOOKS
from tests.house.repository import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, re.DOTALL))
ENTRIES = [ast.literal_eval(f"{{{line}}}") for line in re.findall(r"```python\n    (\".*?)```", PAGE, re.DOTALL)]
HOMES = {"plugins/agentic_metrics": agentic_metrics, "agentic/cli": agentic.cli}
MODULES = ("agentic_metrics.switching", "agentic.cli.kinds")


@pytest.fixture
def added(tmp_path: Path) -> Iterator[None]:
    """The metric and the command of the page, where it says that they belong."""
    metric, command = ENTRIES
    with pytest.MonkeyPatch.context() as patch:
        for home, package in HOMES.items():
            (tmp_path / home).mkdir(parents=True)
            patch.setattr(package, "__path__", [*package.__path__, str(tmp_path / home)])
        for path, code in BLOCKS.items():
            if path.startswith(tuple(HOMES)):
                (tmp_path / path).write_text(code, encoding="utf-8")
        patch.setitem(agentic_metrics._METRICS, *next(iter(metric.items())))
        module, _, name = next(iter(metric.values())).partition(":")
        patch.setitem(agentic_metrics._HOME, name, module)
        patch.setitem(COMMANDS, *next(iter(command.items())))
        yield
    for module in MODULES:
        sys.modules.pop(module, None)
    vars(agentic_metrics).pop(name, None)


def functions(path: str, **names: Any) -> dict[str, Any]:
    """What the block for a file defines."""
    given: dict[str, Any] = {"__name__": path, **names}
    exec(compile(BLOCKS[path], path, "exec"), given)
    return given


@pytest.mark.usefixtures("added")
def test_the_metric_of_the_page_passes_its_tests_and_the_kit() -> None:
    tests = [each for name, each in functions("tests/metrics/test_switching.py").items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()
    _, target = load().find(Metric, "switching_rate")
    findings = testing.check("metrics", target)
    assert findings
    assert not [str(each) for each in findings if not each.passed]


@pytest.mark.usefixtures("added")
def test_its_interval_holds_the_truth_as_often_as_it_says() -> None:
    names = {**vars(lives), "SwitchingRate": agentic_metrics.SwitchingRate}
    case = functions("calibration/lives.py", **names)["CASE"]
    assert case.p_value(case.hits(range(LOOKS[-1])), LOOKS[-1]) > 0.001


@pytest.mark.usefixtures("added")
def test_the_command_of_the_page_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    functions("tests/agentic/cli/test_kinds.py")["test_components_of_a_file_are_counted"](tmp_path, capsys)
    assert str(import_module("agentic.cli.kinds").__doc__).startswith("`agentic kinds`: ")
    assert main(["--help"]) == 0
    assert "Count the components of each kind." in capsys.readouterr().out


def test_a_plugin_of_each_kind_is_written_and_passes_the_kit(tmp_path: Path) -> None:
    listed = re.findall(r"^\| `(\w+)` \| (?:a|the|does|gradient)", PAGE, re.MULTILINE)
    assert listed == list(SINGULAR)
    for kind in listed:
        files = ["spring.py", *(["spring.toml"] if kind != "metric" else []), "test_spring.py"]
        assert main(["plugins", "new", "spring", "--kind", kind, "--to", str(tmp_path / kind)]) == 0
        assert sorted(path.name for path in (tmp_path / kind).iterdir()) == files
        target = load([tmp_path / kind / "spring.py"]).resolve(SINGULAR[kind], "spring")
        assert not [str(each) for each in testing.check(SINGULAR[kind], target) if not each.passed]


def test_every_contract_has_a_line() -> None:
    table = PAGE.partition("## A component that comes with agentic")[2].partition("## A metric")[0]
    named = {contract.__name__ for kind in KINDS for contract in contracts_of(kind)}
    assert not [name for name in named if not re.search(rf"`(gymnasium\.)?{name}`", table)]


def test_targets_files_and_folders_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`(?:CI=true )?make (\w+)", PAGE))
    assert len(targets) > 10
    assert not [target for target in targets if f"\n{target}:" not in makefile]
    named = set(re.findall(r"`((?:agentic|plugins|envs|tests|docs|calibration|\.ci)/[\w./]+)`", PAGE))
    lost = [path for path in named - set(BLOCKS) if not (ROOT / path).exists()]
    assert not lost, f"CONTRIBUTING.md names what is not there: {lost}"
