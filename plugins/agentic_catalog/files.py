"""Example files: what each is for, and copies of them with the files they name."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agentic.cli import example_names
from agentic.errors import UserError, listed, suggest
from agentic.experiments import example


def about(file: Path) -> str:
    """What an example file says of itself: the first sentence of the comment it begins with."""
    comment = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# ").rstrip())
    words = " ".join(comment)
    return words[: words.find(". ") + 1] if ". " in words else words


def found(name: str) -> Path:
    """The file of an example. Raises UserError for a name that there is not, with the nearest."""
    known = example_names()
    plain = name.removeprefix("examples/").removesuffix(".toml")
    if plain not in known:
        short = next((each for each in known if each.rpartition("/")[2] == plain), None)
        if short is None:
            raise UserError(f"there is no example '{name}'{suggest(plain, known)}; known: {listed(known)}")
        plain = short
    return example(plain)


def copy_example(name: str, folder: str | Path) -> list[Path]:
    """Copy an example and the files it names into a folder, made where it is missing; the copies, the example first.

    A file that is there already with the same content stays. Raises UserError, and copies nothing, where another one is
    in the way or the folder cannot be written.
    """
    source, target = found(name), Path(folder)
    files = [source, *dict.fromkeys(needed(source))]
    copies = [target / file.relative_to(source.parent) for file in files]
    for file, copy in zip(files, copies, strict=True):
        if copy.exists() and (not copy.is_file() or copy.read_bytes() != file.read_bytes()):
            raise UserError(f"{copy} is there already and is another: move it, or give another folder")
    try:
        for file, copy in zip(files, copies, strict=True):
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                with open(copy, "xb") as new:  # whatever has come there meanwhile, be it a link, stays
                    new.write(file.read_bytes())
    except OSError as error:
        raise UserError(f"cannot copy to {error.filename or target}: {error.strerror}; give another folder") from None
    return copies


def needed(file: Path) -> Iterator[Path]:
    """The files that an example names, which lie beside it: of texts with {seed}, those of all seeds."""
    for text in _texts(tomllib.loads(file.read_text(encoding="utf-8"))):
        if "/" in text or "." in text:
            pattern = text.replace("{seed}", "*")
            if not pattern.startswith(("/", ".")) and "**" not in pattern:
                yield from (each for each in sorted(file.parent.glob(pattern)) if each.is_file())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
