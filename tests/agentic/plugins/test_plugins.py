"""Finding, checking and naming plugins: one broken plugin costs one plugin, and is told in one line."""

import doctest
import hashlib
import logging
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from textwrap import dedent

import pytest

from agentic import Model
from agentic.errors import UserError
from agentic.plugins import PluginError, Registry, hookspecs, installed, load
from tests.third_parties import build


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where distributions are installed for one test: it sees them, a stand-in for the built-ins, and nothing else."""
    site = tmp_path / "site"
    build.built_in(site)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr("agentic.plugins.discover.distributions", lambda: metadata.distributions(path=[str(site)]))
    for name in ("LOAD_PLUGINS", "DISABLED_PLUGINS", "STRICT_PLUGINS", "PLUGINS_DIR"):
        monkeypatch.delenv(f"AGENTIC_{name}", raising=False)
    before = set(sys.modules)
    yield site
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def plugin_file(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(source))
    return path


def status(registry: Registry) -> dict[str, str]:
    return {row.id: row.status for row in registry.rows}


def test_the_hook_examples_run() -> None:
    assert doctest.testmod(hookspecs).failed == 0


def test_installed_reads_metadata_only(folder: Path) -> None:
    build.good(folder)
    build.broken(folder, "import-error")
    rows = installed()
    assert [(r.id, r.version, r.source, r.status) for r in rows] == [
        ("agentic", "0.0", "built-in", "not loaded"),
        ("good-plugin", "1.0", "installed", "not loaded"),
        ("import-error", "1.0", "installed", "not loaded"),
    ]
    assert rows[1].location == str(folder)
    assert not {"stand_in", "good_plugin", "broken_import_error"} & set(sys.modules)


def test_entry_points_of_one_distribution_merge_under_its_id(folder: Path) -> None:
    modules = {"part_a.py": build.offer("a"), "part_b.py": build.offer("b", kind="agents")}
    build.distribution(folder, "two-parts", modules, {"x": "part_a", "y": "part_b"})
    registry = load()
    assert [row.id for row in registry.rows] == ["agentic", "two-parts"]
    assert registry.component("energies", "a").plugin == registry.component("agents", "b").plugin == "two-parts"


def test_a_third_party_is_taken_whole_or_not_at_all(folder: Path) -> None:
    build.distribution(folder, "half", {"half_a.py": build.offer("a")}, {"x": "half_a", "y": "half_b"})
    registry = load()
    assert status(registry)["half"] == "failed"
    assert registry.names("energies") == ["gaussian"]


def test_second_distribution_of_one_id_is_a_clash(folder: Path) -> None:
    build.distribution(folder, "some-thing", {"thing_a.py": build.offer("a")}, {"x": "thing_a"}, version="1")
    build.distribution(folder, "Some_Thing", {"thing_b.py": build.offer("b")}, {"x": "thing_b"}, version="2")
    assert [row.status for row in installed()] == ["not loaded", "not loaded", "clash"]
    registry = load()
    assert len(registry.names("energies")) == 2
    assert [problem.plugin for problem in registry.problems] == ["some-thing"]
    assert str(folder) in str(registry.problems[0])


def test_unreadable_metadata_is_a_row_and_a_line(folder: Path) -> None:
    build.distribution(folder, "garbled", {}, {"x": "no module !"})
    assert [(r.id, r.status) for r in installed()][-1] == ("garbled", "unreadable")
    registry = load()
    assert registry.names("energies") == ["gaussian"]
    assert "metadata cannot be read" in str(registry.problems[0])


def test_good_plugin_is_usable_and_imported_on_first_use(folder: Path) -> None:
    build.good(folder)
    registry = load()
    assert registry.problems == ()
    assert status(registry) == {"agentic": "loaded", "good-plugin": "loaded"}
    assert registry.names("energies") == ["gaussian", "spring"]
    assert "good_plugin.spring" not in sys.modules
    assert registry.resolve("energies", "spring")(2.0).stiffness == 2.0
    assert registry.resolve("energies", "good-plugin/spring") is registry.resolve("energies", "spring")
    component = registry.component("energies", "spring")
    assert (component.plugin, component.version, component.sha256) == ("good-plugin", "1.0", None)


@pytest.mark.parametrize("name", build.BROKEN)
def test_a_broken_plugin_is_one_line_and_costs_only_itself(folder: Path, name: str) -> None:
    build.good(folder)
    build.broken(folder, name)
    registry = load()
    _, cause, remedy = build.BROKEN[name]
    (problem,) = registry.problems
    line = str(problem)
    assert line.startswith(f"plugin {name} 1.0: ")
    assert cause in line
    assert remedy in line
    assert "\n" not in line
    assert status(registry)[name] == "failed"
    assert registry.names("energies") == ["gaussian", "spring"]


def test_ctrl_c_while_importing_is_not_swallowed(folder: Path) -> None:
    build.distribution(folder, "stop", {"stop_now.py": "raise KeyboardInterrupt\n"}, {"x": "stop_now"})
    with pytest.raises(KeyboardInterrupt):
        load()


def test_an_entry_point_may_be_an_instance_but_not_a_class(folder: Path) -> None:
    hook = """
        from agentic import hookimpl

        class P:
            @hookimpl
            def agentic_energies(self):
                return {"p": int}

        p = P()
    """
    build.distribution(folder, "as-class", {"as_class.py": hook}, {"x": "as_class:P"})
    build.distribution(folder, "as-object", {"as_object.py": hook}, {"x": "as_object:p"})
    registry = load()
    assert registry.component("energies", "p").plugin == "as-object"
    assert "is the class P; name a module or an instance" in str(registry.problems[0])


def test_built_in_keeps_its_short_name(folder: Path) -> None:
    build.distribution(folder, "rival", {"rival.py": build.offer("gaussian", "builtins:float")}, {"x": "rival"})
    registry = load()
    assert registry.component("energies", "gaussian").plugin == "agentic"
    assert registry.resolve("energies", "rival/gaussian") is float
    assert registry.names("energies") == ["gaussian", "rival/gaussian"]
    (problem,) = registry.problems
    assert str(problem).startswith("plugin rival 1.0: ")
    assert "write 'rival/gaussian'" in str(problem)
    winner = registry.winner("energies", "gaussian")
    assert winner is not None
    assert (winner.full_name, len(registry.offers("energies", "gaussian"))) == ("agentic/gaussian", 2)


def test_two_third_parties_lose_the_short_name_both(folder: Path) -> None:
    for name in ("twin-a", "twin-b"):
        module = name.replace("-", "_")
        build.distribution(folder, name, {f"{module}.py": build.offer("twin")}, {"x": module})
    registry = load()
    with pytest.raises(PluginError, match="'twin-a/twin' or 'twin-b/twin'"):
        registry.resolve("energies", "twin")
    assert registry.resolve("energies", "twin-b/twin") is int
    assert [problem.plugin for problem in registry.problems] == ["twin-a", "twin-b"]
    assert registry.winner("energies", "twin") is None


def test_unknown_name_suggests_and_lists_what_failed_to_load(folder: Path) -> None:
    build.broken(folder, "import-error")
    registry = load()
    with pytest.raises(PluginError, match=r"did you mean 'gaussian'\?.*failed to load: import-error"):
        registry.resolve("energies", "gausian")
    with pytest.raises(PluginError, match="one of the energies"):
        registry.resolve("agents", "gaussian")
    with pytest.raises(PluginError, match="did you mean 'energies'"):
        registry.names("energie")
    assert issubclass(PluginError, UserError)


@pytest.mark.parametrize(
    ("target", "said"),
    [("no_such_module:X", "ModuleNotFoundError"), ("builtins:X", "AttributeError"), ("sys:path", "should be a class")],
)
def test_a_target_that_does_not_load_names_the_plugin(folder: Path, target: str, said: str) -> None:
    build.distribution(folder, "hollow", {"hollow.py": build.offer("x", target)}, {"x": "hollow"})
    with pytest.raises(PluginError, match=f"plugin hollow 1.0: .*{said}"):
        load().resolve("energies", "x")


def test_what_is_found_fulfills_the_contract(folder: Path) -> None:
    with pytest.raises(UserError, match=r"^\[model\] gaussian is an int; a Model is wanted: "):
        load().find(Model, "gaussian", "[model]")


def test_allow_list_and_block_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.good(folder)
    build.distribution(folder, "other", {"other.py": build.offer("x")}, {"x": "other"})
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "")
    assert status(load()) == {"agentic": "loaded", "good-plugin": "disabled", "other": "disabled"}
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "Good_Plugin, othr")
    registry = load()
    assert status(registry) == {"agentic": "loaded", "good-plugin": "loaded", "other": "disabled"}
    assert "did you mean 'other'" in str(registry.problems[0])
    monkeypatch.delenv("AGENTIC_LOAD_PLUGINS")
    monkeypatch.setenv("AGENTIC_DISABLED_PLUGINS", "good-plugin,agentic")
    assert status(load()) == {"agentic": "loaded", "good-plugin": "disabled", "other": "loaded"}


def test_strict_makes_any_problem_fatal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTIC_STRICT_PLUGINS", "1")
    assert load().problems == ()
    build.broken(folder, "import-error")
    with pytest.raises(PluginError, match=r"1 plugin problem.*\nplugin import-error 1.0"):
        load()


def test_every_hook_call_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    build.good(folder)
    with caplog.at_level(logging.INFO, "agentic.plugins"):
        load()
    assert any(line.startswith("good-plugin: agentic_energies gave spring in ") for line in caplog.messages)


FILE = """
    from dataclasses import dataclass
    from pathlib import Path
    from agentic import hookimpl

    SCALE = float(Path(__file__).with_name("scale.txt").read_text())

    @dataclass(frozen=True)
    class Mine:
        scale: float = SCALE
        other: "Mine | None" = None

    @hookimpl
    def agentic_energies():
        return {"mine": Mine, "lazy": "my_energy:Mine"}
"""


def test_a_single_file_is_a_plugin(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = plugin_file(tmp_path / "mine" / "my_energy.py", FILE)
    file.with_name("scale.txt").write_text("2.5")
    monkeypatch.chdir(tmp_path)
    registry = load(files=["mine/my_energy.py", str(file)])  # the same file, named twice
    assert registry.problems == ()
    component = registry.component("energies", "my_energy/mine")
    assert component.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (component.source, component.version) == ("file", None)
    Mine = registry.resolve("energies", "mine")
    assert Mine().scale == 2.5
    assert registry.resolve("energies", "lazy") is Mine
    assert load(files=[file]).resolve("energies", "mine") is Mine


def test_an_edited_file_is_read_again(folder: Path, tmp_path: Path) -> None:
    file = plugin_file(tmp_path / "mine.py", build.offer("x", "builtins:int"))
    first = load(files=[file])
    plugin_file(file, build.offer("x", "builtins:str"))
    second = load(files=[file])
    assert (first.resolve("energies", "x"), second.resolve("energies", "x")) == (int, str)
    assert first.component("energies", "x").sha256 != second.component("energies", "x").sha256


def test_a_folder_with_relative_imports_is_a_plugin(folder: Path, tmp_path: Path) -> None:
    hook = "from agentic import hookimpl\nfrom .part import Part\n@hookimpl\ndef agentic_energies():\n"
    init = plugin_file(tmp_path / "big" / "__init__.py", hook + "    return {'a': Part, 'b': 'big.part:Part'}\n")
    plugin_file(tmp_path / "big" / "part.py", "class Part: pass\n")
    registry = load(files=[init.parent])
    assert registry.problems == ()
    assert registry.resolve("energies", "a") is registry.resolve("energies", "b")
    before = registry.component("energies", "a").sha256
    plugin_file(tmp_path / "big" / "part.py", "class Part: x = 1\n")
    assert load(files=[init.parent]).component("energies", "a").sha256 != before


def test_a_broken_file_is_one_line_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    file = plugin_file(tmp_path / "mine.py", "x = 1\n1 / 0\n")
    registry = load(files=[file])
    assert str(registry.problems[0]).startswith("plugin mine: loading it failed, ZeroDivisionError")
    assert f"agentic plugins check {file}" in str(registry.problems[0])
    assert not [name for name in sys.modules if name.startswith("_agentic_plugin_mine")]


def test_directories_of_plugins(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "test_one", "_private", "conftest"):
        plugin_file(tmp_path / "local" / f"{name}.py", build.offer(name.strip("_")))
    monkeypatch.setenv("AGENTIC_PLUGINS_DIR", str(tmp_path / "local"))
    assert [(r.id, r.source) for r in installed()][1:] == [("one", "file"), ("two", "file")]
    assert load().names("energies") == ["gaussian", "one", "two"]
    assert len(load(directories=[tmp_path / "local"]).rows) == 3
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "")
    assert load().names("energies") == ["gaussian"]
    assert load(files=[tmp_path / "local" / "two.py"]).names("energies") == ["gaussian", "two"]


def test_two_files_of_one_stem_clash(folder: Path, tmp_path: Path) -> None:
    files = [plugin_file(tmp_path / sub / "mine.py", build.offer(sub)) for sub in ("a", "b")]
    registry = load(files=files)
    assert [row.status for row in registry.rows] == ["loaded", "loaded", "clash"]
    assert registry.names("energies") == ["a", "gaussian"]


def test_a_path_that_does_not_exist_is_the_users_mistake(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"expected a plugin file ending in \.py"):
        load(files=[tmp_path / "none.py"])
    with pytest.raises(PluginError, match="expected a folder of plugin files"):
        load(directories=[tmp_path / "none"])


def test_without_built_ins_the_remedy_is_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentic.plugins.discover.distributions", lambda: iter(()))
    assert "pip install -e ." in str(load().problems[0])


def test_what_proposes_is_kept_apart_and_never_clashes(folder: Path, tmp_path: Path) -> None:
    source = "from agentic import hookimpl\n\n@hookimpl\ndef agentic_defaults(environment):\n    return None\n"
    one, two = (plugin_file(tmp_path / f"{name}.py", source) for name in ("one", "two"))
    odd = plugin_file(tmp_path / "odd.py", source.replace("environment", "world"))
    registry = load([one, two, odd])
    assert [each.name for each in registry.proposers] == ["one", "two"]
    assert not [each for each in registry.components if each.plugin in ("one", "two")]
    assert (status(registry)["one"], status(registry)["odd"]) == ("loaded", "failed")
    assert [problem.plugin for problem in registry.problems] == ["odd"]
    assert "agentic_defaults alone takes environment" in str(registry.problems[0])
