"""`agentic plugins`: what extends this agentic, whether it is sound, who owns a name, and how to start one."""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from agentic.cli.completing import COMPONENT, PLUGIN
from agentic.cli.plugin_kinds import FIELD, TEMPLATES
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import listed, suggest
from agentic.plugins import KINDS, PluginError, PluginRow, Registry, installed, load


class KindOfPlugin(click.Choice[str]):
    """A kind of plugin by the word that `plugins new` lists, or by one of the field or the code."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(FIELD.get(value.lower(), value.lower()), param, ctx)


SINGULAR = dict(zip(("energy", "optimizer", "metric", "agent", "env", "logger"), KINDS, strict=True))
kind_option = click.option("--kind", type=click.Choice([*SINGULAR, *KINDS]), help="Only this kind of component.")


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--plugin` and `--plugins-dir`, passed to the command as `files` and `directories`."""
    directory = click.option("--plugins-dir", "directories", multiple=True, help="Load every plugin file of a folder.")
    file = click.option("--plugin", "files", multiple=True, help="Load a plugin file; may be repeated.")
    return file(directory(command))


def load_and_report(files: Iterable[str] = (), directories: Iterable[str] = ()) -> Registry:
    """The registry that `agentic.load` returns, its problems told on standard error, one line each."""
    registry = load(files, directories)
    for problem in registry.problems:
        say(str(problem), err=True)
    return registry


def with_registry(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same two options, loaded: the command is given a `registry`, its problems are told."""

    @plugin_options
    @wraps(command)
    def loaded(files: tuple[str, ...], directories: tuple[str, ...], **options: Any) -> Any:
        return command(registry=load_and_report(files, directories), **options)

    return loaded


@click.group(invoke_without_command=True)
@click.option("--provides", is_flag=True, help="Import the plugins and list what each offers.")
@json_option("Rows as JSON on standard output.")
@click.option("--all", "everything", is_flag=True, help="Show locations and entry points too.")
@kind_option
@plugin_options
@click.pass_context
def plugins(
    ctx: click.Context,
    provides: bool,
    as_json: bool,
    everything: bool,
    kind: str | None,
    files: tuple[str, ...],
    directories: tuple[str, ...],
) -> None:
    """List the plugins; from package metadata alone, unless --provides or --kind asks what they offer."""
    if ctx.invoked_subcommand is not None:
        return
    registry = load_and_report(files, directories) if provides or kind else None
    kinds = [SINGULAR.get(kind, kind)] if kind else list(KINDS)
    rows = [_row(row, registry, kinds) for row in (registry.rows if registry else installed(files, directories))]
    if kind:
        rows = [row for row in rows if row["provides"]]
    if as_json:
        answer(json.dumps(rows, indent=2))
    elif rows:
        _print_table(rows, everything)
    else:
        say(f"no plugin offers {kinds[0]}" if kind else "no plugin is installed")


@plugins.command()
@click.argument("what", required=False, metavar="[ID or FILE]", type=PLUGIN)
def check(what: str | None) -> None:
    """Import plugins, one or all, show tracebacks, time the import and run the conformance checks."""
    from agentic.cli.plugin_check import check_plugins

    named = [what] if what and (what.endswith(".py") or "/" in what) else []
    rows = [row for row in installed(named) if row.status != "disabled"]
    if named:
        rows = [row for row in rows if row.source == "file"][:1]
    elif what:
        ids = [row.id for row in rows]
        rows = [row for row in rows if row.id == what]
        if not rows:
            near = suggest(what, ids) or "; `agentic plugins` lists the ids"
            raise PluginError(f"expected the id or the file of a plugin, got '{what}'{near}")
    if not check_plugins(rows):
        click.get_current_context().exit(1)


@plugins.command()
@click.argument("name", type=COMPONENT)
@kind_option
@with_registry
def why(name: str, kind: str | None, registry: Registry) -> None:
    """Trace who offers NAME, which plugin wins it, and why."""
    found = False
    for each in [SINGULAR.get(kind, kind)] if kind else KINDS:
        lines = _trace(registry, each, name)
        if len(lines) > 1:
            found = True
            say("\n  ".join([f"{each} '{name}':", *lines]))
    if not found:
        known = [each for kind in KINDS for each in registry.names(kind)]
        raise PluginError(f"no plugin offers '{name}'{suggest(name, known) or '; see `agentic plugins --provides`'}")


@plugins.command()
@click.argument("name")
@click.option("--kind", type=KindOfPlugin(list(TEMPLATES)), required=True, help="What the plugin adds.")
@click.option("--to", "folder", default=".", show_default=True, help="Where to write it.")
@click.option("--package", is_flag=True, help="A distribution: pyproject, source, tests, README and CI in a folder.")
def new(name: str, kind: str, folder: str, package: bool) -> None:
    """Write a plugin NAME that works: a commented file, its test and an experiment; or a distribution of them."""
    from agentic.cli.plugin_new import write_plugin

    files, commands = write_plugin(name, kind, folder, package)
    say(f"wrote {listed(map(str, files))}; next:")
    for command in commands:
        say(f"  {command}")


def _row(row: PluginRow, registry: Registry | None, kinds: Iterable[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(row, name) for name in ("id", "version", "source", "status", "location")}
    shown["cause"] = row.cause
    shown["entry_points"] = [point.value for point in row.hooks]
    shown["commands"] = [point.name for point in row.commands]
    if registry is not None:
        own = [c for c in registry.components if c.plugin == row.id and row.status == "loaded"]
        offers = {kind: sorted(c.name for c in own if c.kind == kind) for kind in kinds}
        shown["provides"] = {kind: names for kind, names in offers.items() if names}
    return shown


def _trace(registry: Registry, kind: str, name: str) -> list[str]:
    """Who offers this name, who wins and why, one line each; nothing is imported."""
    offers, winner = registry.offers(kind, name), registry.winner(kind, name)
    lines = [f"{c.full_name} ({c.source}, {c.version or c.sha256}) -> {c.target}" for c in offers]
    if winner is None:
        return [*lines, "nobody wins the short name: write a full name" if offers else "nobody offers it"]
    rule = "the only one" if len(offers) == 1 else "a built-in keeps its short name"
    return [*lines, f"{winner.full_name} wins: {rule}"]


def _print_table(rows: list[dict[str, Any]], everything: bool) -> None:
    columns = ["id", "version", "source", "status", "provides", "cause"]
    columns += ["location", "entry_points", "commands"] if everything else []
    cells = [[column.replace("_", " ") for column in columns]]
    cells += [[_cell(row.get(column)) for column in columns] for row in rows]
    kept = [i for i in range(len(columns)) if any(line[i] for line in cells[1:])]
    widths = {i: max(len(line[i]) for line in cells) for i in kept}
    for line in cells:
        say("  ".join(line[i].ljust(widths[i]) for i in kept).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value or "")
