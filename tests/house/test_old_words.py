"""No name has one of the words that gave way to words of the field; docs/renames.md says to which."""

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.repository import ROOT, python_files

OLD = set(
    "told stranger strangers outset weigh unknowing absorb digest survive stretch leap untold kick misfit".split()
)
HASHES = {  # files in which a digest is one of hashlib's
    "agentic/experiments/agent_file.py",
    "agentic/plugins/loading.py",
    "agentic/runs/seeds.py",
    "agentic/jobs/sources.py",
    "plugins/agentic_report/rendering.py",
    "tests/agentic/runs/test_seeds.py",
}


def old_names(source: str) -> Iterator[tuple[int, str, set[str]]]:
    """Line, name and old words of every identifier that has such words among its parts; texts and comments are free."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and (words := OLD & set(parts(token.string))):
            yield token.start[0], token.string, words


def parts(name: str) -> list[str]:
    """The words of a name, in snake case or in camel case, in small letters."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def test_no_name_has_an_old_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files()
        for line, name, words in old_names(path.read_text(encoding="utf-8"))
        if words != {"digest"} or path.relative_to(ROOT).as_posix() not in HASHES
    ]
    assert not found, "docs/renames.md has the words of the field for these: " + ", ".join(found)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("told = is_told(ToldOf)", ["told", "is_told", "ToldOf"]),
        ("weighted = weighing = retold", []),
        ("x = 'told'  # an agent is told of it", []),
        ("sha256(b'').hexdigest(); digest = 1", ["digest"]),
    ],
)
def test_words_are_found_between_underscores_and_capitals(source: str, names: list[str]) -> None:
    assert [name for _, name, _ in old_names(source)] == names
