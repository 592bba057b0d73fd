"""`python .ci/tidy.py FILE ...`: no blanks at the ends of lines, one line break at the end of a file, readable tables.

What the hooks in .pre-commit-config.yaml run on text files; it needs nothing that `make install` does not install.
"""

import re
import sys
import tomllib
from pathlib import Path

import yaml


def tidied(text: str) -> str:
    """The text without blanks at the ends of lines, and with one line break at its end unless it is empty."""
    lines = re.sub(r"[ \t]+$", "", text.replace("\r\n", "\n"), flags=re.MULTILINE).rstrip("\n")
    return f"{lines}\n" if lines else ""


def complaint(path: Path, text: str) -> str:
    """What is wrong with a TOML or YAML file, in one line; '' where nothing is, and for any other file."""
    try:
        if path.suffix == ".toml":
            tomllib.loads(text)
        elif path.suffix in (".yaml", ".yml"):
            yaml.safe_load(text)
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        return " ".join(f"{path}: {error}".split())
    return ""


def main(names: list[str]) -> int:
    """Mend the files and say which; 1 where one was changed or cannot be read."""
    status = 0
    for path in map(Path, names):
        before = path.read_bytes().decode("utf-8")
        after = tidied(before)
        if after != before:
            path.write_bytes(after.encode("utf-8"))
            print(f"mended {path}")
        wrong = complaint(path, after)
        if wrong:
            print(wrong)
        status |= after != before or bool(wrong)
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
