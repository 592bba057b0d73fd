"""TOML: reading a file, writing values, and what pydantic found wrong in the words of a TOML file."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentic.errors import UserError


def read(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises UserError for one that cannot be read or is malformed, with the line."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not valid TOML in UTF-8: {error}") from None
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


def toml_lines(table: Mapping[str, Any]) -> list[str]:
    """The keys of a table with their values, one line each; None is left out."""
    return [f"{_key(key)} = {toml_value(part)}" for key, part in table.items() if part is not None]


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else toml_value(key)
