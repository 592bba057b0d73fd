"""Files of a folder that anybody may have made: read only where they lie in it, written whole or not at all.

Whoever reads a folder meets runs that were killed, cut short or made by others, so that what cannot be read is empty.
"""

import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EEXIST
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

from agentic.errors import UserError

LARGEST = 2**24  # bytes of a text that is read: more would take longer than anybody waits


def is_own(path: Path) -> bool:
    """Whether a folder has this file: not a folder, a pipe or a device, nor a link that leads out of the folder."""
    try:
        return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(path.parent.resolve()))
    except (OSError, ValueError, RuntimeError):
        return False


def text_of(path: Path) -> str:
    """The text of a file. Raises OSError, and ValueError where it is no UTF-8 or more than `LARGEST` bytes."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    return path.read_text(encoding="utf-8")


def json_table(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none that can be read."""
    try:
        found = json.loads(text_of(path)) if is_own(path) else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def toml_table(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; empty where there is none that can be read."""
    try:
        return tomllib.loads(text_of(path)) if is_own(path) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content, as JSON can have it, with a `checksum` of it."""
    plain = json.loads(json.dumps(content, default=str))
    return {**plain, "checksum": _checksum(plain)}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """The content without its checksum; None where that is of another. Content that never had one is taken as it is."""
    plain = {name: part for name, part in content.items() if name != "checksum"}
    return plain if content.get("checksum") in (None, _checksum(plain)) else None


def sha256_of(path: Path) -> str:
    """The SHA-256 of the bytes of a file, as `sha256sum` prints it. Raises OSError."""
    found = sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all, as `whole` does; halves of characters as escapes. Raises OSError."""
    with whole(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that gets its name when all of it is on the disk: whole or not there, also after a power cut.

    Until then it has a name that nobody can foresee. A link in its place is replaced and not followed. Raises OSError,
    also where a folder, a pipe or a device is in its place.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(EEXIST, "something that is no file is in its place", str(path))
    part = path.with_name(f".{path.name}.{token_hex(8)}.part")
    try:
        with open(part, "xb") as file:  # made anew: "x" follows no link
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """A while in which no other process may hold a folder. Raises UserError where one does."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UserError(f"another process writes into {folder}: wait until it has ended, or stop it") from None
    try:
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Whether another process is at work in a folder; False where that cannot be known."""
    try:
        with held(folder):
            return False
    except UserError:
        return True
    except OSError:
        return False


def forget_parts(folder: Path) -> None:
    """Remove what those who were killed while they wrote into a folder left; nobody else may be at work in it."""
    for part in folder.glob(".*.part"):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _checksum(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
