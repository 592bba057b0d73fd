"""`agentic plugins new`: what is written for every kind passes its checks and its test, and runs as it is told to."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agentic import load
from agentic.cli import main
from agentic.cli.plugin_kinds import FIELD, TEMPLATES
from agentic.cli.plugins import KindOfPlugin
from agentic.plugins.contracts import contracts_of
from agentic.plugins.hookspecs import KINDS
from agentic.testing import check

QUICK = ("backup", "env", "goal", "metric")  # the default suite's share
KIND_OF = {kind: pytest.param(kind, marks=[] if kind in QUICK else [pytest.mark.slow]) for kind in TEMPLATES}


def commands(said: str) -> list[list[str]]:
    """The commands that are told after "next:"."""
    return [shlex.split(line) for line in said.partition("next:\n")[2].splitlines()]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("AGENTIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KIND_OF.values())
def test_it_passes_its_checks_and_runs(kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "my-own", "--kind", kind]) == 0
    said = capsys.readouterr()
    checked, tested, tried = commands(said.out + said.err)
    assert checked == ["agentic", "plugins", "check", "my_own.py"]
    assert tested == ["python", "-m", "pytest", "test_my_own.py"]
    registry = load(files=["my_own.py"])
    assert not registry.problems
    for component in [each for each in registry.components if each.plugin == "my_own"]:
        findings = check(component.kind, registry.resolve(component.kind, component.full_name))
        assert [str(finding) for finding in findings if not finding.passed] == []
        assert len(findings) > 10
    assert main(tried[1:]) == 0


@pytest.mark.slow
def test_the_tests_that_are_written_pass(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in TEMPLATES:
        assert main(["plugins", "new", f"my-{kind}", "--kind", kind]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(here), str(here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout


def test_there_is_a_template_for_every_contract(here: Path) -> None:
    found = set()
    for kind in TEMPLATES:
        main(["plugins", "new", f"my-{kind}", "--kind", kind])
        registry = load(files=[f"my_{kind}.py"])
        target = registry.resolve(TEMPLATES[kind], f"my-{kind}")
        found |= {each for each in contracts_of(TEMPLATES[kind]) if issubclass(target, each)}
    assert found == {contract for kind in KINDS for contract in contracts_of(kind)}


@pytest.mark.slow
def test_a_distribution_is_installed_and_passes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "my-own", "--kind", "metric", "--package"]) == 0
    said = capsys.readouterr()
    written = re.findall(r"my-own/[\w./-]+", (said.out + said.err).partition("next:")[0])
    assert {"my-own/pyproject.toml", "my-own/README.md", "my-own/.github/workflows/test.yml"} < set(written)
    _, checked, tested, tried = commands(said.out + said.err)
    site = here / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", str(site), "./my-own"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join([str(site), *[place for place in sys.path if place]])
    for command in (checked, tested, tried):
        program = [sys.executable, "-m", "agentic"] if command[0] == "agentic" else [sys.executable]
        done = subprocess.run(
            [*program, *command[1:]],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My Energy", "expected a name of lower-case letters, digits, - and _, a letter first, got 'My Energy'"),
        ("2x", "expected a name of lower-case letters, digits, - and _, a letter first, got '2x'"),
        ("class", "'class' is a keyword of Python: choose another name"),
        ("test_me", "'test_me' is what pytest takes for a test: choose another name"),
        ("conftest", "'conftest' is what pytest takes for a test: choose another name"),
        ("statistics", "there is a module 'statistics', which a file statistics.py would hide: choose another name"),
        ("torch", "there is a module 'torch', which a file torch.py would hide: choose another name"),
        ("agentic", "there is a module 'agentic', which a file agentic.py would hide: choose another name"),
        ("gaussian", "the energies have a 'gaussian' already, of agentic: choose another name"),
    ],
)
def test_a_name_that_would_not_do_is_refused(
    name: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plugins", "new", name, "--kind", "energy"]) == 2
    assert capsys.readouterr().err == f"agentic: {said}\n"
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["none", "energy", "tensor", "a", "x2-y_3", "decision"])
def test_a_name_that_means_something_in_python_still_does(name: str, here: Path) -> None:
    """The class is called otherwise where its name is taken."""
    assert main(["plugins", "new", name, "--kind", "energy"]) == 0
    registry = load(files=[f"{name.replace('-', '_')}.py"])
    assert not registry.problems
    assert all(finding.passed for finding in check("energies", registry.resolve("energies", name)))


@pytest.mark.parametrize(("word", "kind"), FIELD.items())
def test_a_kind_has_the_words_of_the_field(word: str, kind: str) -> None:
    assert kind in TEMPLATES
    assert KindOfPlugin(TEMPLATES).convert(word.title(), None, None) == kind


def test_nothing_is_written_where_one_file_exists(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.toml").write_text("kept")
    assert main(["plugins", "new", "mine", "--kind", "goal"]) == 2
    assert capsys.readouterr().err.startswith("agentic: mine.toml exists and is left as it is")
    assert [each.name for each in here.iterdir()] == ["mine.toml"]


def test_a_folder_that_does_not_exist_is_made(here: Path) -> None:
    assert main(["plugins", "new", "mine", "--kind", "goal", "--to", "deep/below"]) == 0
    assert sorted(each.name for each in (here / "deep/below").iterdir()) == ["mine.py", "mine.toml", "test_mine.py"]
