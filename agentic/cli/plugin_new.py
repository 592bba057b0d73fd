"""`agentic plugins new`: a plugin that works, in one commented file, and its test."""

import os
import re
from pathlib import Path
from string import Template

from agentic.errors import UserError
from agentic.runs.files import write_whole

_TEMPLATES = Path(__file__).parent / "templates"


def write_plugin(name: str, kind: str, folder: str) -> tuple[Path, Path]:
    """Write `<name>.py` and `test_<name>.py` from the templates of this kind ("energy", "agent", ...).

    Raises UserError for a name that cannot be offered, for files that exist and where they cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise UserError(f"expected a name of lower-case letters, digits, - and _, a letter first, got '{name}'")
    module = name.replace("-", "_")
    words = {
        "name": name,
        "module": module,
        "Class": "".join(part.capitalize() for part in module.split("_")),
    }
    code, test = Path(folder) / f"{module}.py", Path(folder) / f"test_{module}.py"
    try:
        for target in (code, test):
            if os.path.lexists(target):
                raise UserError(f"{target} exists and is left as it is; choose another name or --to another folder")
        code.parent.mkdir(parents=True, exist_ok=True)
        for target, template in ((code, f"{kind}.txt"), (test, f"test_{kind}.txt")):
            write_whole(target, Template((_TEMPLATES / template).read_text("utf-8")).substitute(words))
    except OSError as error:
        raise UserError(f"cannot write into {folder}: {error}; choose another folder with --to") from error
    return code, test
