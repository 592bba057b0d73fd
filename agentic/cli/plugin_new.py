"""`agentic plugins new`: a plugin that works, in one commented file, and its test."""

import re
from pathlib import Path
from string import Template

from agentic.errors import UserError

_TEMPLATES = Path(__file__).parent / "templates"


def write_plugin(name: str, kind: str, folder: str) -> tuple[Path, Path]:
    """Write `<name>.py` and `test_<name>.py` from the templates of this kind ("energy", "agent", ...).

    Raises UserError for a name that cannot be offered and for files that exist.
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
    for target in (code, test):
        if target.exists():
            raise UserError(f"{target} exists and is left as it is; choose another name or --to another folder")
    code.parent.mkdir(parents=True, exist_ok=True)
    for target, template in ((code, f"{kind}.txt"), (test, f"test_{kind}.txt")):
        target.write_text(Template((_TEMPLATES / template).read_text("utf-8")).substitute(words), "utf-8")
    return code, test
