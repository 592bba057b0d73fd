"""TOML files: read, written, and one sentence about what is wrong in one."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agentic.errors import UserError, listed, suggest
from agentic.plugins.parameters import complaint
from agentic.runs.files import text_of


def read(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises UserError for one that cannot be read or is malformed, with the line."""
    try:
        return tomllib.loads(text_of(Path(path)))
    except ValueError as error:
        raise UserError(f"{path} is not valid TOML in UTF-8: {error}") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply to be read") from None
    except OSError as error:
        raise UserError(f"cannot read the experiment file {path}: {error.strerror}") from None


def toml_value(value: Any) -> str:
    """A TOML value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(toml_lines(value))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, float):
        return repr(value)  # inf and nan are TOML's words too
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def toml_text(file: Mapping[str, Any]) -> str:
    """A TOML file of these tables; a list of tables becomes as many tables of one name."""
    lines = []
    for name, content in file.items():
        several = isinstance(content, list | tuple)
        for table in content if several else [content]:
            lines += [f"[[{name}]]" if several else f"[{name}]", *toml_lines(table), ""]
    return "\n".join(lines)


def toml_lines(table: Mapping[str, Any]) -> list[str]:
    """The keys of a table with their values, one line each; None is left out."""
    return [f"{_key(key)} = {toml_value(part)}" for key, part in table.items() if part is not None]


def sentence(error: ValidationError, file: type[BaseModel]) -> str:
    """The first thing that is wrong in a file of tables, and where; each field of `file` is a table, or several."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return f"it cannot be read as a file of tables: {first['msg'][:1].lower()}{first['msg'][1:]}"
    table, *place = first["loc"]
    content: Any = file.model_fields[str(table)].annotation if table in file.model_fields else None
    several = get_origin(content) is tuple
    label = f"[[{table}]]" if several else f"[{table}]"
    where = f"{label} number {int(place.pop(0)) + 1}" if several and place else label
    keys = ".".join(str(key) for key in place if not str(key).startswith("constrained"))  # that is pydantic's word
    if first["type"] == "extra_forbidden":
        owner = get_args(content)[0] if several else content
        name, known = (f"key {keys} in {where}", owner.model_fields) if keys else (f"table {where}", file.model_fields)
        return f"unknown {name}{suggest(keys or str(table), known)}; known: {listed(known)}"
    if first["type"] == "missing":
        entry = place[-1] if keys else f"{label} and below it {'id' if table == 'env' else 'name'}"
        return f"{where} {keys}".rstrip() + f" is missing: write {entry} = ..."
    return f"{where} {keys}".rstrip() + f" {complaint(error)}"


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else toml_value(key)
