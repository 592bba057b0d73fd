"""`agentic examples`: the experiment and bench files that come along; shown, or copied to where you like."""

import json
from shlex import quote

import click

from agentic.cli import EXAMPLE, answer, example_names, json_option, say


@click.command()
@click.argument("name", required=False, type=EXAMPLE)
@click.option("--to", "folder", metavar="FOLDER", type=click.Path(), help="Copy it there, with the files it names.")
@json_option("Rows as JSON on standard output.")
def examples(name: str | None, folder: str | None, as_json: bool) -> None:
    """List the example files, show the one called NAME, or copy it.

    \b
    agentic examples tmaze
    agentic examples bench/battery --to my_bench
    """
    from agentic.errors import UserError
    from agentic.experiments import example
    from agentic_catalog.files import about, copy_example, found

    if folder is not None and name is None:
        raise UserError("--to copies one example: name it, as in `agentic examples tmaze --to .`")
    if folder is not None and name is not None:
        copies = [str(each) for each in copy_example(name, folder)]
        answer(json.dumps(copies) if as_json else "\n".join(copies))
        if not as_json:
            command = "bench" if "bench/" in found(name).as_posix() else "run"
            say(f"next: agentic {command} {quote(copies[0])}", err=True)
        return
    if name is not None:
        file = found(name)
        text = file.read_text(encoding="utf-8")
        row = {"path": str(file), "about": about(file), "text": text}
        answer(json.dumps(row, indent=2)) if as_json else say(f"# {file}\n\n{text.rstrip()}")
        return
    rows = [{"name": each, "path": str(example(each)), "about": about(example(each))} for each in example_names()]
    if as_json:
        answer(json.dumps(rows, indent=2))
    else:
        formatter = click.HelpFormatter(width=80)
        formatter.write_dl([(row["name"], row["about"]) for row in rows])
        answer(formatter.getvalue() + "\nShow one: agentic examples NAME; copy it: agentic examples NAME --to FOLDER")
