"""`agentic`: the group of all commands, and the one place where errors become exit codes.

Commands are listed from a table and imported when called, third parties' commands from package metadata, so that
`agentic --help` imports neither torch nor any plugin.
"""

import ast
import errno
import os
import select
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TextIO

import click

from agentic import __version__
from agentic.cli.completing import SWITCH_ON, VARIABLE, complete
from agentic.cli.terminal import say
from agentic.errors import BREAKS, CloseWarning, RunError, ThirdPartyWarning, UserError, described, shown, suggest
from agentic.jobs.allocator import keep_freed_memory
from agentic.plugins import PluginError, PluginRow, installed

COMMANDS = {
    "run": ("agentic.cli.run:run", "Run the agent of an experiment file and record what happens."),
    "show": ("agentic.cli.show:show", "Print what a run recorded."),
    "measure": ("agentic.cli.measure:measure", "Measure the agency of a recorded run, or of an agent in a world."),
    "metrics": ("agentic.cli.metrics:metrics", "List the metrics there are."),
    "envs": ("agentic.cli.envs:envs", "List the environments there are."),
    "plugins": ("agentic.cli.plugins:plugins", "List, check and start plugins."),
}


class LazyGroup(click.Group):
    """A group of commands known by name and one line of help before anything of theirs is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_third_party_commands()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            return _own_command(name)
        offers = _third_party_commands(full_names=True).get(name, [])
        if len(offers) > 1:
            full = " or ".join(f"agentic {row.id}/{name}" for row in offers)
            raise PluginError(f"the command '{name}' is offered by {len(offers)} plugins; write {full}")
        return _third_party_command(offers[0], name) if offers else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            near = suggest(name, self.list_commands(ctx)) or "; `agentic --help` lists the commands"
            ctx.fail(f"unknown command '{name}'{near}")
        return name if command else None, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, line) for name, (_, line) in COMMANDS.items()]
        for name, offers in _third_party_commands().items():
            rows.append((name, _about(name, offers)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n" + SWITCH_ON,
)
@click.option("--no-plugins", is_flag=True, expose_value=False, help="Load no plugin but the built-in ones.")
@click.version_option(__version__, message="agentic %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Simulate agents that minimize energies, and measure how much of an agent they are."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0, 1 a run failed, 2 the user's mistake, 130 Ctrl-C or SIGTERM.

    It is 141, and nothing is said, where whoever read the output has left, as in `agentic envs | head`. Any other
    exception is a bug and leaves with its traceback.
    """
    try:
        code = _run(arguments)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except BrokenPipeError:
        return _unread()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    if VARIABLE in os.environ:
        return complete(cli)
    keep_freed_memory()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _check_encoded(given)
        with _environment(given) as rest, _stoppable(), _shown_warnings() as broken:
            result = cli.main(rest, prog_name="agentic", standalone_mode=False)
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"), err=True)
        return error.exit_code
    except (UserError, RunError) as error:
        said = str(error) if isinstance(error, PluginError) else str(error).replace("\n", "\\n")
        say(f"agentic: {said}", err=True)
        return 2 if isinstance(error, UserError) else 1
    except BrokenPipeError:
        raise
    except OSError as error:  # what the system refuses, in a place where nobody had more to say
        say(f"agentic: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        return 2 if error.errno in (errno.ENAMETOOLONG, errno.ELOOP) else 1
    except (click.Abort, KeyboardInterrupt):
        say("agentic: stopped by Ctrl-C", err=True)
        return 130
    except Exception:
        raise
    except BaseException as error:  # an exit is not ours: click returns the code of `ctx.exit(code)`
        if isinstance(error.__context__, BrokenPipeError) or _unheard():  # click and rich make an exit of it
            raise BrokenPipeError from None
        say(f"agentic: somebody's code left the program, {described(error)}", err=True)
        return 1
    return (result if type(result) is int else 0) or int(bool(broken))


def _unheard() -> bool:
    """Whether standard output or standard error leads to a pipe that nobody reads any more."""
    watch = select.poll()
    for descriptor in (1, 2):
        watch.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in watch.poll(0))


def _unread() -> int:
    """The exit code where nobody reads on, as of a program that is ended by SIGPIPE; what is left goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        with suppress(OSError):
            os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return 128 + 13


@contextmanager
def _shown_warnings() -> Iterator[list[str]]:
    """Tell what third parties did on one line of standard error each; yields what makes the exit code 1."""
    broken: list[str] = []
    with warnings.catch_warnings():

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            ours = issubclass(category, ThirdPartyWarning)
            words = f"{message}" if ours else f"{message} ({category.__name__} at {filename}:{lineno})"
            say(f"agentic: warning: {' '.join(words.split())}", err=True)
            if issubclass(category, CloseWarning):
                broken.append(str(message))

        warnings.showwarning = show
        with _thread_lines(broken):
            yield broken


@contextmanager
def _thread_lines(broken: list[str]) -> Iterator[None]:
    """Tell on one line each what breaks in a thread, which makes the exit code 1, and what breaks in a `__del__`."""

    def thread(found: "threading.ExceptHookArgs") -> None:
        if found.exc_value is not None:
            broken.append(described(found.exc_value))
            say(f"agentic: warning: a thread of somebody's code broke, {broken[-1]}", err=True)

    def unraisable(found: "sys.UnraisableHookArgs") -> None:
        if found.exc_value is not None:
            say(f"agentic: warning: {shown(found.object)} broke unseen, {described(found.exc_value)}", err=True)

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = thread, unraisable
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM is Ctrl-C: what was recorded is written. Only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_encoded(arguments: list[str]) -> None:
    """Raises UserError for what no shell passes on, and no file is called."""
    for argument in arguments:
        try:
            os.fsencode(argument)
        except UnicodeEncodeError:
            raise UserError(f"the argument {argument!r} holds half a character: write it whole") from None
        if "\0" in argument:
            raise UserError(f"the argument {argument!r} holds a zero byte: leave it out")


@contextmanager
def _environment(arguments: list[str]) -> Iterator[list[str]]:
    """The arguments without `--no-plugins`, which is obeyed from here on: before the parser, which lists plugins."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for argument in arguments[:end] if argument != "--no-plugins"]
    before = os.environ.get("AGENTIC_LOAD_PLUGINS")
    if len(rest) < end:
        os.environ["AGENTIC_LOAD_PLUGINS"] = ""  # worker processes inherit it
    if os.environ.get("AGENTIC_TRACE_PLUGINS", "0") not in ("", "0"):
        _trace()
    try:
        yield rest + arguments[end:]
    finally:
        if before is not None:
            os.environ["AGENTIC_LOAD_PLUGINS"] = before
        elif len(rest) < end:
            del os.environ["AGENTIC_LOAD_PLUGINS"]


def _trace() -> None:
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("plugins: %(message)s"))
    logger = logging.getLogger("agentic.plugins")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)


def _own_command(name: str) -> click.Command:
    module, _, attribute = COMMANDS[name][0].partition(":")
    try:
        command = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise RunError(f"this installation lacks {module}, which `agentic {name}` needs; reinstall agentic") from error
    assert isinstance(command, click.Command)
    return command


def _third_party_commands(*, full_names: bool = False) -> dict[str, list[PluginRow]]:
    """Who offers which command, by short name and, on request, by full name too; our own names are taken."""
    offers: dict[str, list[PluginRow]] = {}
    try:
        rows = installed()
    except PluginError:  # a wrong AGENTIC_PLUGINS_DIR: help must still appear, and files offer no commands
        return offers
    for row in rows:
        for point in row.commands if row.status == "not loaded" else ():
            if point.name not in COMMANDS:
                offers.setdefault(point.name, []).append(row)
            if full_names:
                offers[f"{row.id}/{point.name}"] = [row]
    return offers


def _about(name: str, offers: list[PluginRow]) -> str:
    """One line of help: the first of the docstring of the command's module, which is read and not imported."""
    row = offers[0]
    point = next(point for point in row.commands if point.name == name)
    package, *inside = point.module.split(".")
    line = ""
    with suppress(Exception):  # whatever is wrong with it is told when the command is called
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        file = Path(spec.origin) if not inside else Path(spec.origin).parent.joinpath(*inside).with_suffix(".py")
        line = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    line = line.removeprefix(f"`agentic {name}`: ")
    if len(offers) == 1 and row.source == "built-in" and line:
        return line[:1].upper() + line[1:]
    said = f"From the plugin {' and the plugin '.join(row.id for row in offers)}"
    return f"{said}: {line}" if line and len(offers) == 1 else f"{said}."


def _third_party_command(row: PluginRow, name: str) -> click.Command:
    point = next(point for point in row.commands if point.name == name.rpartition("/")[2])
    who = f"plugin {row.id} {row.version}: its command {point.name}"
    try:
        command = point.load()
    except BREAKS as error:
        raise PluginError(
            f"{who} failed to load, {described(error)}; reinstall it or leave it out with --no-plugins"
        ) from error
    if not isinstance(command, click.Command):
        raise PluginError(f"{who} is a {type(command).__name__}; expected a click command, tell its author")
    return command
