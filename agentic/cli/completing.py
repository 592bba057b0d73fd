"""Tab completion: names and ids, read without torch and without running anybody else's code, so that it is quick.

Built-in plugins are imported, which costs little; of others only what their hooks write down as a dictionary is read.
"""

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, shell_complete, split_arg_string
from click.types import StringParamType

from agentic.cli.plugin_kinds import FIELD, TEMPLATES
from agentic.errors import BREAKS
from agentic.plugins import KINDS, PluginRow, installed
from agentic.plugins.loading import collect

VARIABLE = "_AGENTIC_COMPLETE"
SWITCH_ON = """Tab completion, switched on by a line in the file your shell starts with:
  bash  eval "$(_AGENTIC_COMPLETE=bash_source agentic)"
  zsh   eval "$(_AGENTIC_COMPLETE=zsh_source agentic)"
  fish  _AGENTIC_COMPLETE=fish_source agentic | source"""

SETTINGS = {  # the tables of an experiment file: the kind of component that fills them, and their own keys
    "run": ("", "seed envs dtype threads device candidates world checkpoint_minutes checkpoint_steps"),
    "env": ("envs", "id kwargs changes wrappers"),
    "agent": ("agents", "name selection"),
    "model": ("energies", "name"),
    "goal": ("energies", "name"),
    "inference": ("optimizers", "name"),
    "planner": ("optimizers", "name horizon discount gain effort terminal"),
    "learner": ("optimizers", "name"),
    "learn": ("", "steps warmup hold vary cut"),
    "evaluate": ("", "episodes"),
}


def complete(command: click.Command) -> int:
    """Answer the shell, which asks in environment variables; returns the exit code."""
    add_completion_class(_Bash)
    try:
        return shell_complete(command, {}, "agentic", VARIABLE, os.environ[VARIABLE])
    except BREAKS:  # a shell that is asked for names wants no messages
        return 1


def names(kind: str, ctx: click.Context) -> list[str]:
    """The names of a kind that plugins offer, also files of the command line, and full names where two are the same."""
    rows = installed(ctx.params.get("files") or (), ctx.params.get("directories") or ())
    found = collect(row for row in rows if row.source == "built-in").names(kind)
    for row in rows:
        if row.source != "built-in" and row.status == "not loaded":
            found += [f"{row.id}/{name}" if name in found else name for name in _written(row, f"agentic_{kind}")]
    return found


class Known(StringParamType):
    """A text of which some values are `known`: those that begin as what was written are offered to the shell.

    `name` is what help calls it. Where none begins so, the shell offers what it has `otherwise`: "file" or "dir".
    """

    def __init__(self, name: str, known: Callable[[click.Context, str], Iterable[str]], otherwise: str = "") -> None:
        self.name, self.known, self.otherwise = name, known, otherwise

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found: list[CompletionItem] = []
        with suppress(*BREAKS):
            words = sorted(set(self.known(ctx, incomplete)))
            found = [CompletionItem(word) for word in words if word.startswith(incomplete)]
        return found or ([CompletionItem(incomplete, type=self.otherwise)] if self.otherwise else [])


def example_names(*_: object) -> list[str]:
    """The names of the example files: an experiment's as `tmaze`, then a bench's as `bench/battery`."""
    package = Path(__file__).parents[1]
    home = package / "examples" if (package / "examples").is_dir() else package.parent / "examples"
    files = (*sorted(home.glob("*.toml")), *sorted(home.glob("bench/*.toml")))
    return [file.relative_to(home).with_suffix("").as_posix() for file in files]


def _environments(ctx: click.Context, _: str) -> Iterator[str]:
    yield from names("envs", ctx)  # which has Gymnasium know the ids of ours
    import gymnasium

    yield from gymnasium.registry


def _runs(*_: object) -> Iterator[str]:
    """Folders of runs and benches below runs/, each as it is written."""
    return (str(file.parent) for file in Path("runs").glob("*/*.json"))


def _plugins(*_: object) -> Iterator[str]:
    return (row.id for row in installed())


def _settings(ctx: click.Context, incomplete: str) -> Iterator[str]:
    """Keys of an experiment's tables; once one is for the name of a component, that with the names."""
    for table, (kind, keys) in SETTINGS.items():
        yield from (f"{table}.{key}=" for key in keys.split())
        if kind and incomplete.startswith(f"{table}.name="):
            yield from (f"{table}.name={name}" for name in names(kind, ctx))


def _metric_settings(ctx: click.Context, incomplete: str) -> Iterator[str]:
    """Metrics; once one is written, with its parameters, as far as its own class lists them."""
    metric, dot, _ = incomplete.partition(".")
    if not dot:
        yield from (f"{name}." for name in names("metrics", ctx))
    for found in collect(row for row in installed() if row.source == "built-in").offers("metrics", metric):
        module, _, wanted = str(found.target).partition(":")
        for node in ast.parse(_file(module).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == wanted:
                fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
                yield from (f"{metric}.{each.id}=" for each in fields if isinstance(each, ast.Name))


def _components(ctx: click.Context, _: str) -> Iterator[str]:
    return (name for kind in KINDS for name in names(kind, ctx))


AGENT = Known("name|file", lambda ctx, _: names("agents", ctx), "file")
COMPONENT = Known("name", _components)
COMPONENTS = Known("kind|name", lambda ctx, incomplete: [*TEMPLATES, *FIELD, *_components(ctx, incomplete)])
ENVIRONMENT = Known("id", _environments)
EXAMPLE = Known("name", example_names)
LOGGER = Known("name", lambda ctx, _: names("loggers", ctx))
METRIC = Known("name", lambda ctx, _: names("metrics", ctx))
METRIC_SETTING = Known("metric.key=value", _metric_settings)
PLUGIN = Known("id or file", _plugins, "file")
RUN = Known("run", _runs, "dir")
SETTING = Known("table.key=value", _settings)


def _written(row: PluginRow, hook: str) -> Iterator[str]:
    """The names in the dictionary that a plugin's hook returns, read from its file; none where it is put together."""
    for file in _files(row):
        with suppress(*BREAKS):
            for function in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(function, ast.FunctionDef) and function.name == hook:
                    for node in (each for each in ast.walk(function) if isinstance(each, ast.Dict)):
                        yield from (
                            key.value
                            for key in node.keys
                            if isinstance(key, ast.Constant) and isinstance(key.value, str)
                        )


def _files(row: PluginRow) -> list[Path]:
    """The file of each module that a plugin is made of."""
    path = Path(row.location)
    local = [path / "__init__.py" if path.is_dir() else path] if row.source == "file" else []
    return local + [_file(point.module) for point in row.hooks]


def _file(module: str) -> Path:
    """The file of a module, found without an import."""
    package, *inside = module.split(".")
    spec = find_spec(package)
    if spec is None or spec.origin is None or not inside:
        return Path(spec.origin or "" if spec else "")
    deeper = Path(spec.origin).parent.joinpath(*inside)
    return deeper / "__init__.py" if deeper.is_dir() else deeper.with_suffix(".py")


class _Bash(BashComplete):
    """Bash, which takes = and : for the ends of words: what it cut is joined, and only the last part is answered."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value)\n            [[ $value == *[=.] ]] && compopt -o nospace"
    )
    prefix = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, place = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        joined = list[str]()
        for word in words[: place + 1]:
            if joined[1:] and (re.fullmatch("[=:]+", word) or re.search("[=:]$", joined[-1])):
                joined[-1] += word
            else:
                joined.append(word)
        if len(words) <= place and not re.search("[=:]$", joined[-1]):
            return joined[1:], ""
        whole, last = joined.pop(), "" if len(words) <= place else words[place].strip("=:")
        option, equals, value = whole.partition("=")
        written = value if equals and option.startswith("-") else whole
        self.prefix = written[: max(0, len(written) - len(last))]
        return joined[1:], whole

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value.removeprefix(self.prefix)}"
