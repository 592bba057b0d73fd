"""Links that leave docs/: whatever they lead to in the repository has a page of its own in the site.

A site has no repository beside it. So a file that a page links to is shown as it stands, a folder as a list of its
files, and a page outside docs/, as CONTRIBUTING.md, as a page; their links are followed in turn.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

ROOT = Path(__file__).parents[1]
ALWAYS = ("CHANGELOG.md", "CONTRIBUTING.md")
"""What is in the navigation, whether a page links to it or not."""
LANGUAGES = {".py": "python", ".pyi": "python", ".toml": "toml", ".yml": "yaml", ".json": "json", ".cff": "yaml"}
_LINK = re.compile(r"(^```.*?^```|`[^`\n]*`)|\]\(([^)\s]+)\)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\[([\w/]+\.md)\]\(([^)\s#]+\.md)(?:#([\w-]+))?\)")


def uri(path: str) -> str:
    """Where a file or folder of the repository is in the site's sources; `path` is relative to the root."""
    if path.startswith("docs/"):
        inside = path.removeprefix("docs/").replace(".ipynb", ".md")
        return inside if (ROOT / path).is_file() else _first_page(inside)
    if (ROOT / path).is_dir():
        return f"source/{path}/index.md"
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def rewritten(markdown: str, page: str) -> str:
    """The text of a page with its links as the site has them; `page` is its path relative to the root."""

    def link(found: re.Match[str]) -> str:
        target = _target(found[2], page) if found[2] else None
        if target is None or (page.startswith("docs/") and f"docs/{uri(target)}" == target):
            return found[0]  # code, another site, or from page to page
        anchor = found[2].partition("#")[1:]
        return f"]({relpath(uri(target), PurePosixPath(uri(page)).parent)}{''.join(anchor)})"

    return _LINK.sub(link, _titled(markdown, page)).replace("```python\n>>> ", "```pycon\n>>> ")


def sources(pages: list[str]) -> dict[str, str]:
    """The Markdown of every page that links lead to outside docs/, by its place in the site.

    `pages` are those of docs/, relative to the root.
    """
    made: dict[str, str] = {}
    waiting = [*ALWAYS, *(target for page in pages for target in _outside(_read(page), page))]
    while waiting:
        path = waiting.pop()
        if uri(path) not in made:
            text = _shown(path)
            made[uri(path)] = rewritten(text, path) if path.endswith(".md") else text
            waiting += _outside(text, path) if path.endswith(".md") else _files(path)
    return made


def _titled(markdown: str, page: str) -> str:
    """The text with links that are called by a file's name called by what they lead to.

    That is the page's title, up to a colon, or the heading where the link has an anchor.
    """

    def named(found: re.Match[str]) -> str:
        target = _target(found[2], page)
        text = _BLOCK.sub("", _read(target)) if target and found[2].endswith(found[1]) else ""
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        title = next((each for each in headings if found[3] in (None, _slug(each))), "")
        if not found[3]:
            title = title.partition(":")[0]
        return f"[{title}]({found[2]}{'#' * bool(found[3])}{found[3] or ''})" if title else found[0]

    return _NAMED.sub(named, markdown)


def _slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _outside(markdown: str, page: str) -> Iterator[str]:
    for found in _LINK.finditer(markdown):
        target = _target(found[2], page) if found[2] else None
        if target and target != "docs" and not target.startswith("docs/"):
            yield target


def _target(link: str, page: str) -> str | None:
    """The path, relative to the root, that a link of a page leads to; None where it leads to no other file."""
    path = link.partition("#")[0]
    if not path or "://" in link or link.startswith("mailto:"):
        return None
    target = normpath(PurePosixPath(page).parent / path)
    return None if target.startswith("..") else target


def _shown(path: str) -> str:
    if (ROOT / path).is_dir():
        links = "\n".join(f"- [{file}]({relpath(uri(file), f'source/{path}')})" for file in _files(path))
        return f"# {path}/\n\n{links}\n"
    return _read(path) if path.endswith(".md") else _code(path)


def _code(path: str) -> str:
    text, fence = _read(path), "````"
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"# {path}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _files(path: str) -> list[str]:
    """The files of a folder that are text, relative to the root; none of a file."""
    found = (each.relative_to(ROOT) for each in sorted((ROOT / path).rglob("*")) if each.is_file())
    shown = (each for each in found if each.suffix in {*LANGUAGES, ".md", ".txt"})
    return [each.as_posix() for each in shown if not any(part.startswith(".") for part in each.parts)]


def _first_page(folder: str) -> str:
    pages = sorted((ROOT / "docs" / folder).glob("*.md"))
    return f"{folder}/{pages[0].name}" if pages else folder


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
