"""Starting the command line: nothing heavy and no third party is imported for help, and no broken plugin stops it."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path

import pytest

import agentic
from agentic.cli import main
from agentic.errors import RunError, UserError
from agentic.plugins import load
from tests.third_parties import build

ROOT = Path(agentic.__file__).parents[1]
THIRD_PARTIES = ("good-plugin", "import-error", "unknown-hook", "bad-signature", "rival", "twin-a", "twin-b", "slow")
HEAVY = ("torch", "numpy", "gymnasium", "scipy", "pydantic", "rich", "pyarrow", "plotly")
MODULES = ("good_plugin", "broken_import_error", "broken_unknown_hook", "rival", "twin_a", "twin_b", "slow_plugin")


@dataclass(frozen=True)
class Machine:
    """A place where all third parties are installed; `built_in` is a built-in energy that one of them offers too."""

    folder: Path
    built_in: str

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIC_")}
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        environment = {**clean, "PYTHONPATH": path, **environ}
        return subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def agentic(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """One command in this process, which has imported torch already."""
        out, err, before = StringIO(), StringIO(), set(sys.modules)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in [name for name in os.environ if name.startswith("AGENTIC_")]:
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.syspath_prepend(self.folder)
            patch.chdir(self.folder)
            code = main(arguments)
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(self.folder)):
                del sys.modules[name]
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    try:
        metadata.distribution("agentic")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AGENTIC_LOAD_PLUGINS", "")
            built_in = load().names("energies")[0]
    except metadata.PackageNotFoundError:
        build.built_in(folder)
        built_in = "gaussian"
    build.third_parties(folder, built_in)
    return Machine(folder, built_in)


@pytest.mark.parametrize("arguments", [["--help"], ["plugins"], ["plugins", "--json"], ["plugins", "--all"], []])
def test_help_and_plugins_import_nothing_heavy_and_no_third_party(machine: Machine, arguments: list[str]) -> None:
    script = (
        "import sys; from agentic.cli import main; code = main(sys.argv[2:]);"
        "print([m for m in sys.argv[1].split() if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    result = machine.run("-c", script, " ".join([*HEAVY, *MODULES]), *arguments)
    assert (result.returncode, result.stderr) == (0, "[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["plugins"],
        ["plugins", "--json"],
        ["plugins", "--provides"],
        ["plugins", "why", "spring"],
        ["plugins", "check", "good-plugin"],
        ["hello"],
        ["run", "--env", "CartPole-v1", "--agent", "still", "--episodes", "2", "--json", "--out", "{folder}"],
    ],
)
def test_every_command_works_beside_broken_plugins(machine: Machine, arguments: list[str]) -> None:
    result = machine.agentic(*(argument.format(folder=machine.folder / "runs") for argument in arguments))
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr


def test_each_bad_plugin_is_one_line_and_the_good_one_is_listed(machine: Machine) -> None:
    result = machine.run("-m", "agentic", "plugins", "--provides", "--json")
    rows = {row["id"]: row for row in json.loads(result.stdout)}
    assert rows["good-plugin"]["provides"] == {"energies": ["spring"], "agents": ["still"]}
    assert rows["slow"]["status"] == "loaded"
    lines = result.stderr.splitlines()
    for name in ("import-error", "unknown-hook", "bad-signature"):
        assert rows[name]["status"] == "failed"
        (line,) = [line for line in lines if line.startswith(f"plugin {name} 1.0: ")]
        assert build.BROKEN[name][1] in line
        assert build.BROKEN[name][2] in line
    for name, full in (("rival", f"rival/{machine.built_in}"), ("twin-a", "twin-a/twin"), ("twin-b", "twin-b/twin")):
        (line,) = [line for line in lines if line.startswith(f"plugin {name} 1.0: ")]
        assert f"write '{full}'" in line
    assert not [line for line in lines if "good-plugin" in line or "plugin slow" in line]


def test_plugins_lists_metadata(machine: Machine) -> None:
    rows = {row["id"]: row for row in json.loads(machine.agentic("plugins", "--json").stdout)}
    assert {*THIRD_PARTIES, "agentic"} <= set(rows)
    assert rows["agentic"]["source"] == "built-in"
    assert {rows[name]["status"] for name in THIRD_PARTIES} == {"not loaded"}
    table = machine.agentic("plugins").stdout
    assert all(name in table for name in THIRD_PARTIES)


def test_kind_keeps_the_plugins_that_offer_it(machine: Machine) -> None:
    result = machine.agentic("plugins", "--kind", "agent", "--json", AGENTIC_LOAD_PLUGINS="good-plugin")
    row = next(row for row in json.loads(result.stdout) if row["id"] == "good-plugin")
    assert row["provides"] == {"agents": ["still"]}


def test_no_plugins_is_read_before_the_parser(machine: Machine) -> None:
    for arguments in (["--no-plugins", "plugins", "--json"], ["plugins", "--json", "--no-plugins"]):
        rows = {row["id"]: row["status"] for row in json.loads(machine.agentic(*arguments).stdout)}
        assert {rows[name] for name in THIRD_PARTIES} == {"disabled"}
        assert rows["agentic"] == "not loaded"
    assert "hello" in machine.agentic("--help").stdout
    assert "hello" not in machine.agentic("--no-plugins", "--help").stdout


def test_strict_trace_and_disabled(machine: Machine) -> None:
    strict = machine.run(
        "-m", "agentic", "plugins", "--provides", AGENTIC_STRICT_PLUGINS="1", AGENTIC_DISABLED_PLUGINS="slow"
    )
    assert (strict.returncode, strict.stdout) == (2, "")
    assert "Traceback" not in strict.stderr
    only = {"AGENTIC_LOAD_PLUGINS": "good-plugin,twin-a", "AGENTIC_DISABLED_PLUGINS": "twin-a"}
    traced = machine.run("-m", "agentic", "plugins", "--provides", AGENTIC_TRACE_PLUGINS="1", **only)
    assert traced.returncode == 0
    assert "plugins: good-plugin: agentic_energies gave spring in " in traced.stderr
    assert "twin-a" not in traced.stderr


def test_check_shows_the_traceback_and_torch_at_top_level(machine: Machine) -> None:
    broken = machine.agentic("plugins", "check", "import-error")
    assert broken.returncode == 1
    assert 'broken_import_error.py", line 1' in broken.stdout
    slow = machine.agentic("plugins", "check", "slow")
    assert "imports torch at top level" in slow.stdout
    assert "energies 'slow'" in slow.stdout
    assert machine.agentic("plugins", "check", "god-plugin").returncode == 2


def test_why_explains_who_wins(machine: Machine) -> None:
    quick = {"AGENTIC_DISABLED_PLUGINS": "slow"}
    built_in = machine.agentic("plugins", "why", machine.built_in, **quick).stdout
    assert f"agentic/{machine.built_in} wins: a built-in keeps its short name" in built_in
    assert "nobody wins" in machine.agentic("plugins", "why", "twin", **quick).stdout
    unknown = machine.agentic("plugins", "why", "sprung", **quick)
    assert unknown.returncode == 2
    assert "did you mean 'spring'?" in unknown.stderr


def test_a_third_partys_command_fails_only_when_called(machine: Machine) -> None:
    assert machine.agentic("hello").stdout == "hello from a third party\n"
    assert machine.agentic("good-plugin/hello").stdout == "hello from a third party\n"
    result = machine.agentic("absent")
    assert result.returncode == 2
    assert result.stderr.startswith("agentic: plugin good-plugin 1.0: its command absent failed to load")
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_new_plugins_pass_their_own_tests(machine: Machine, tmp_path: Path) -> None:
    for kind in ("energy", "optimizer", "metric", "agent", "env"):
        result = machine.agentic("plugins", "new", f"my-{kind}", "--kind", kind, "--to", str(tmp_path))
        assert result.returncode == 0, result.stderr
    checked = machine.agentic("plugins", "check", str(tmp_path / "my_energy.py"))
    assert "energies 'my-energy'" in checked.stdout
    tests = machine.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path))
    assert tests.returncode == 0, tests.stdout


def test_new_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plugins", "new", "mine", "--kind", "energy", "--to", str(tmp_path)]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["plugins", "new", "My Energy", "--kind", "energy"]) == 2


@pytest.mark.parametrize("place", ["file", "file/below", "a" * 300, "itself"])
def test_new_into_what_is_no_folder_is_one_sentence(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "itself").symlink_to("itself")
    assert main(["plugins", "new", "mine", "--kind", "energy", "--to", str(tmp_path / place)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("agentic: cannot write into ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("arguments", "said"), [(["rnu"], "did you mean 'run'?"), (["plugins", "--nope"], "--nope")])
def test_usage_errors_exit_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_errors_become_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(error: BaseException) -> int:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("agentic.cli.plugins.installed", fail)
        return main(["plugins"])

    assert failing(UserError("wrong")) == 2
    assert failing(RunError("broke")) == 1
    assert failing(KeyboardInterrupt()) == 130
    assert "agentic: wrong\nagentic: broke\n" in capsys.readouterr().err
    with pytest.raises(KeyError):
        failing(KeyError("a bug"))


def test_a_command_that_is_missing_fails_only_when_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules["agentic.cli.main"].COMMANDS, "later", ("agentic.cli.later:later", "Not yet."))
    assert main(["--help"]) == 0
    assert main(["later"]) == 1
    assert "reinstall agentic" in capsys.readouterr().err


def test_ctrl_c_while_the_program_is_imported_is_obeyed(machine: Machine, tmp_path: Path) -> None:
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # also where whoever runs this test ignores it
    stop = f"import os, signal, time\n{heard}\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    (tmp_path / "click.py").write_text(stop)
    result = machine.run("-m", "agentic", "--help", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (result.returncode, result.stderr) == (130, "agentic: stopped by Ctrl-C\n")
