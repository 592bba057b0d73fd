"""What docstrings say: of a class its first sentence, of a parameter the sentence or the line that is about it.

Read are the names that stand in backticks, and the lists of parameters of the usual styles (Google, NumPy, Sphinx).
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

_END = re.compile(r"(?<=\.)\s+(?=[A-Z`(\[])")  # of a sentence
_PART = re.compile(rf"{_END.pattern}|;\s+")  # or of its part about one name


def summary(thing: Any) -> str:
    """The first sentence of what a class says it is; empty where it says nothing."""
    return next(iter(_sentences(_docstring(thing), _END)), "")


def text(thing: Any) -> str:
    """The whole docstring of a class, without what dataclasses make up."""
    return _docstring(thing)


def paragraphs(doc: str) -> list[str]:
    """The parts of a docstring that are read on their own: between blank lines, and each entry of a list of names."""
    return re.split(r"\n\s*\n|\n(?=`\w+`:)|\n(?=[A-Z][\w ]*[:,])", doc)


def about(target: Any, name: str) -> str:
    """What is said about a parameter of a class: by the class, one it derives from, or what makes one of it.

    Empty where nobody says anything.
    """
    own, *inherited = list(_docstrings(target, name))
    for doc in (own, *inherited):
        if found := _listed(doc, name) or _quoted(doc, name):
            return found
    return "" if len(name) == 1 else _mentioned(own, name)


def _docstrings(target: Any, name: str) -> Iterator[str]:
    """Docstrings that may tell of a parameter, the nearest first."""
    yield _docstring(target)
    for cls in inspect.getmro(target) if isinstance(target, type) else ():
        if cls.__module__ not in ("builtins", "abc"):
            yield _docstring(cls)
            for key, member in vars(cls).items():
                if key == name and isinstance(member, property):
                    yield f"`{name}`: {inspect.getdoc(member) or ''}"
                maker = member.__func__ if isinstance(member, classmethod) else member if key == "__init__" else None
                if maker is not None and name in inspect.signature(maker).parameters:
                    yield inspect.cleandoc(maker.__doc__ or "")


def _docstring(thing: Any) -> str:
    found = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    made_up = str(found).startswith(f"{getattr(thing, '__name__', '')}(")
    return "" if not isinstance(found, str) or made_up else inspect.cleandoc(found)


def _sentences(doc: str, end: re.Pattern[str] = _PART) -> list[str]:
    found: list[str] = []
    for paragraph in paragraphs(doc):
        whole = True
        for each in end.split(" ".join(paragraph.split())):
            if whole:
                found.append(each)
            else:
                found[-1] += f"; {each}"  # what stands in parentheses is not cut
            whole = found[-1].count("(") <= found[-1].count(")")
    return [each for each in found if each]


def _listed(doc: str, name: str) -> str:
    """The entry of a parameter in a list of them, with the lines that belong to it."""
    start = re.compile(rf"(\s*)(?::param\s+(?:\w+\s+)?)?`{{0,2}}{name}`{{0,2}}(?:\s*\([^)]*\))?(\s?):\s*(.*)")
    lines = doc.splitlines()
    for place, line in enumerate(lines):
        if found := start.fullmatch(line):
            words = [] if found[2] else [found[3]]  # in NumPy's style what follows the colon is a type
            for more in lines[place + 1 :]:
                if not more.strip() or len(more) - len(more.lstrip()) <= len(found[1]):
                    break
                words.append(more.strip())
            return " ".join(" ".join(words).split())
    return ""


def _quoted(doc: str, name: str) -> str:
    """The sentence about a name in backticks: one that begins with it before any other, the first of all the last."""
    first, *others = [*_sentences(doc), ""]
    found = [each for each in (*others, first) if f"`{name}`" in each]
    ahead = [each for each in found if each.startswith(f"`{name}`")]
    return next(iter((*ahead, *found)), "")


def _mentioned(doc: str, name: str) -> str:
    """The first sentence that has the word."""
    return next((each for each in _sentences(doc) if re.search(rf"\b{name}\b", each)), "")
