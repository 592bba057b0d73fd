"""What the house is made of: the files that are kept in it, and the packages of plugins and environments."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = tuple(sorted(path.name for home in ("plugins", "envs") for path in (ROOT / home).glob("agentic_*")))
SOURCES = (ROOT, ROOT / "plugins", ROOT / "envs", ROOT / "examples")
"""Where imports are looked up, the innermost last."""
FOLDERS = (
    "agentic",
    "plugins",
    "envs",
    "examples",
    "benchmarks",
    "calibration",
    "figures",
    "pictures",
    "soak",
    "tests",
    "website",
)
"""The folders that hold Python files."""


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file that is kept: those Git knows or would add, all that there are where this is no checkout."""
    asked = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return tuple(sorted(path for home in FOLDERS for path in (ROOT / home).rglob("*.py")))
    return tuple(sorted(path for path in (ROOT / name for name in listed) if path.is_file()))


def module_name(path: Path) -> str:
    """The dotted name a file is imported under, from the innermost place that imports are looked up in.

    A script beside a package of its name is never imported: it keeps its suffix.
    """
    home = max((source for source in SOURCES if path.is_relative_to(source)), key=lambda source: len(source.parts))
    inside = path.relative_to(home)
    parts = inside.parts if (path.with_suffix("") / "__init__.py").is_file() else inside.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
