"""`agentic plugins new`: a plugin that works, as one commented file and its test, or as a distribution of its own."""

import os
import re
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from keyword import iskeyword
from pathlib import Path
from shlex import quote
from string import Template

from agentic.cli.plugin_kinds import TEMPLATES
from agentic.errors import UserError
from agentic.plugins import load
from agentic.plugins.discover import normalized
from agentic.runs.files import write_whole

_TEMPLATES = Path(__file__).parent / "templates"
_NOUNS = {"population": "population energy", "env": "environment", "change": "change of a world"}


def write_plugin(name: str, kind: str, folder: str, package: bool = False) -> tuple[list[Path], list[str]]:
    """Write a plugin of a kind ("energy", "planner", "agent", ...), and return its files and the commands that try it.

    Without `package` they are `<name>.py`, `test_<name>.py` and, but for a metric, the experiment `<name>.toml`.
    Raises UserError for a name that cannot be offered, for files that exist and where they cannot be written.
    """
    words = _words(name, kind)
    _check_free(name, words, TEMPLATES[kind])
    root = Path(folder) / words["id"] if package else Path(folder)
    plugin = "" if package else f" --plugin {quote(str(root / words['module']))}.py"
    if kind == "metric":
        tried = f"measure --env agentic/TMaze-v0 --agent random --episodes 3 --metric {name}{plugin}"
    else:
        tried = f"run {quote(str(root / words['module']))}.toml{plugin}"
    words["run"] = tried.removeprefix("run ").removeprefix("measure ")
    if package:
        commands = [f"pip install -e {quote(str(root))}", f"agentic plugins check {words['id']}"]
        commands += [f"python -m pytest {quote(str(root))}", f"agentic {tried}"]
        texts = _package(kind, words)
    else:
        commands = [f"agentic plugins check {quote(str(root / words['module']))}.py"]
        commands += [f"python -m pytest {quote(str(root / ('test_' + words['module'])))}.py", f"agentic {tried}"]
        texts = _files(kind, words, commands)
    return _write(root, texts, folder), commands


def _words(name: str, kind: str) -> dict[str, str]:
    """What the templates name, for a plugin of this name. Raises UserError for a name that no plugin can have."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise UserError(f"expected a name of lower-case letters, digits, - and _, a letter first, got '{name}'")
    module = name.replace("-", "_")
    if iskeyword(module) or module.startswith(("test_", "conftest")):
        what = "a keyword of Python" if iskeyword(module) else "what pytest takes for a test"
        raise UserError(f"'{name}' is {what}: choose another name")
    own = Path.cwd().resolve()
    elsewhere = [place for place in sys.path if Path(place).resolve() != own]
    if module in sys.stdlib_module_names or PathFinder.find_spec(module, elsewhere):
        raise UserError(f"there is a module '{module}', which a file {module}.py would hide: choose another name")
    used = "".join((_TEMPLATES / f"{file}.txt").read_text("utf-8") for file in (kind, f"test_{kind}"))
    class_name = "".join(part.capitalize() for part in module.split("_"))
    if iskeyword(class_name) or re.search(rf"\b{class_name}\b", used):
        class_name = f"My{class_name}"
    noun = _NOUNS.get(kind, kind)
    about = f"The {noun} `{name}`"
    return {"name": name, "id": normalized(name), "module": module, "Class": class_name, "about": about}


def _check_free(name: str, words: Mapping[str, str], kind: str) -> None:
    registry = load()
    taken = [offer.plugin for offer in registry.offers(kind, name)]
    if taken:
        raise UserError(f"the {kind} have a '{name}' already, of {taken[0]}: choose another name")
    if words["id"] in {normalized(row.id) for row in registry.rows}:
        raise UserError(f"a plugin of the id '{words['id']}' is installed already: choose another name")


def _files(kind: str, words: dict[str, str], commands: list[str]) -> dict[str, str]:
    """The texts of a plugin of one file, by path."""
    module, cls = words["module"], words["Class"]
    found = f'registry = agentic.load(files=[Path(__file__).with_name("{module}.py")])\n'
    words |= {
        "docstring": f'"""{words["about"]}, a plugin of one file.\n\nTry it:  '
        + "\n         ".join(commands)
        + '\n"""',
        "path": "from pathlib import Path\n\n",
        "loaded": f'{found}{cls} = registry.resolve("{TEMPLATES[kind]}", "{module}/{words["name"]}")',
        "target": cls,
        "agent_target": f"{cls}Agent",
        "learner_target": f"{cls}Learner",
    }
    texts = {f"{module}.py": f"{kind}.txt", f"test_{module}.py": f"test_{kind}.txt", f"{module}.toml": f"{kind}.toml"}
    return _filled(texts, words)


def _package(kind: str, words: dict[str, str]) -> dict[str, str]:
    """The texts of a distribution, by path: what is offered stands in `__init__`, the components beside it."""
    module, cls = words["module"], words["Class"]
    tried = f"agentic measure {words['run']}" if kind == "metric" else f"agentic run {module}.toml"
    words |= {
        "docstring": f'"""{words["about"]}."""',
        "path": "",
        "loaded": f'{cls} = agentic.load().resolve("{TEMPLATES[kind]}", "{words["id"]}/{words["name"]}")',
        "target": f'"{module}.component:{cls}"',
        "agent_target": f'"{module}.component:{cls}Agent"',
        "learner_target": f'"{module}.component:{cls}Learner"',
        "next": "\n".join(["pip install -e .", f"agentic plugins check {words['id']}", "python -m pytest", tried]),
        "hooks": "",
        "about": f"{words['about']}, a plugin of agentic.",
    }
    texts = {f"src/{module}/component.py": f"{kind}.txt", f"tests/test_{module}.py": f"test_{kind}.txt"}
    files = _filled({**texts, f"{module}.toml": f"{kind}.toml"}, words)
    component, _, hooks = files[f"src/{module}/component.py"].partition("\n\n@hookimpl")
    component = component.replace(", hookimpl", "").replace("    hookimpl,\n", "")
    component = re.sub(r"AGENTIC_API = .*\n\n\n", "\n", component)
    files[f"src/{module}/component.py"] = re.sub(r"from agentic import hookimpl\n", "", component)
    words["hooks"] = f"\n@hookimpl{hooks.rstrip()}"
    beside = {f"src/{module}/__init__.py": "init.txt", ".github/workflows/test.yml": "test.yml"}
    beside |= {"pyproject.toml": "project.txt", "README.md": "README.md"}
    return {**files, **_filled({path: f"package/{file}" for path, file in beside.items()}, words)}


def _filled(texts: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    sources = {path: _TEMPLATES / file for path, file in texts.items()}
    return {
        path: Template(source.read_text("utf-8")).substitute(words)
        for path, source in sources.items()
        if source.is_file()  # a metric is measured: it has no experiment
    }


def _write(root: Path, texts: Mapping[str, str], folder: str) -> list[Path]:
    """Write all the texts or, where one of the files exists, none."""
    targets = [root / path for path in texts]
    try:
        for target in targets:
            if os.path.lexists(target):
                raise UserError(f"{target} exists and is left as it is; choose another name or --to another folder")
        for target, text in zip(targets, texts.values(), strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, text)
    except OSError as error:
        raise UserError(f"cannot write into {folder}: {error}; choose another folder with --to") from error
    return targets
