"""The core stands alone: its tests import no plugin, mirror its rooms, and pass where no plugin is installed."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest

from tests.house.repository import PLUGINS, ROOT

TESTS = ROOT / "tests" / "agentic"
FILES = sorted(TESTS.rglob("*.py"))
OWN = ("tests.agentic", "tests.third_parties")
WHOLE = {"test_public.py": "agentic/__init__.py", "test_testing.py": "agentic/testing/__init__.py"}
"""Tests of no single module."""


def short(path: Path) -> str:
    return path.relative_to(TESTS).as_posix()


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_test_of_the_core_names_a_plugin(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    imported = {name for node in ast.walk(ast.parse(source)) for name in imports(node)}
    imported |= set(re.findall(r"^\s*(?:from|import)\s+([\w.]+)", source, re.MULTILINE))  # in scripts it starts, too
    others = {name for name in imported if name.startswith("tests.") and not name.startswith(OWN)}
    plugins = {name for name in imported if name.partition(".")[0] in PLUGINS}
    assert not plugins | others, "the core is tried with stand-ins (tests/agentic/standins.py); see tests/together"
    known = re.findall(r"agentic/[A-Z]\w*-v\d+", source)
    assert not known, "worlds of agentic_envs are not the core's: take one of agentic.testing.worlds"


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("test_")], ids=short)
def test_tests_mirror_the_rooms(path: Path) -> None:
    """tests/agentic/<room>/test_<module>.py is about agentic/<room>/<module>.py, or about the whole room it names."""
    room, name = path.parent.relative_to(TESTS), path.stem.removeprefix("test_")
    about = ROOT / "agentic" / room / f"{name}.py"
    whole = ROOT / WHOLE[path.name] if short(path) in WHOLE else ROOT / "agentic" / name / "__init__.py"
    assert about.is_file() or (whole.is_file() and room.name in ("", name)), f"there is no {about.relative_to(ROOT)}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_core_passes_its_tests_where_no_plugin_is_installed(tmp_path: Path) -> None:
    python = without_agentic(tmp_path / "python")
    checkout = tmp_path / "checkout"
    waste = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "agentic", checkout / "agentic", ignore=waste)
    for name in ("agentic", "third_parties"):
        shutil.copytree(ROOT / "tests" / name, checkout / "tests" / name, ignore=waste)
    (checkout / "examples").mkdir()
    own = [ROOT / "tests" / name for name in ("__init__.py", "conftest.py")]  # else another's package `tests` is found
    files = [ROOT / "pyproject.toml", *own, *(ROOT / "examples").glob("*.toml")]
    for file in files:  # the examples' files come with the core, as what `agentic run` starts from
        shutil.copyfile(file, checkout / file.relative_to(ROOT))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "AGENTIC"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), *arguments]
        environ = {**clean, "PYTHONPATH": str(checkout)}
        return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False)

    found = run("-c", f"from importlib.util import find_spec; print([n for n in {PLUGINS} if find_spec(n)])")
    assert found.stdout == "[]\n", f"this place is not without plugins: {found.stdout}{found.stderr}"
    tests = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/agentic")
    assert tests.returncode == 0, tests.stdout[-8000:] + tests.stderr[-2000:]


def imports(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []


def without_agentic(folder: Path) -> Path:
    """The Python of a new virtual environment with all that is installed here, but for agentic itself."""
    system = "include-system-site-packages = true" in configuration()
    venv.EnvBuilder(symlinks=True, system_site_packages=system).create(folder)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    for home in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
        for each in home.iterdir():
            if each.name not in ours() and not (site / each.name).exists():
                (site / each.name).symlink_to(each)
    return folder / "bin" / "python"


def ours() -> set[str]:
    """What installing agentic put at the top of site-packages: packages, or the line that leads to them; metadata."""
    try:
        files = metadata.distribution("agentic").files or []
    except metadata.PackageNotFoundError:
        return set()
    return {file.parts[0] for file in files}


def configuration() -> str:
    file = Path(sys.prefix, "pyvenv.cfg")
    return file.read_text(encoding="utf-8") if file.is_file() else ""
