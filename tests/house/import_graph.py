"""Who imports whom, read from the source: also what is imported within a function, but not for annotations alone."""

import ast
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

Graph = dict[str, set[str]]


def import_graph(sources: Mapping[str, str], packages: Iterable[str] = ()) -> Graph:
    """The modules of `sources` {name: text} that each of them imports; `packages` are those that are an __init__.

    A module is imported with the packages it lies in, but that is no arrow: `a.b` may import `a.c` while `a` imports
    `a.b`. `from a import b` leads to the module `a.b` where there is one, else to `a`.
    """
    known, inits = set(sources), set(packages)
    return {
        name: {found for node in _statements(ast.parse(text)) for found in _targets(node, name, name in inits, known)}
        - {name}
        for name, text in sources.items()
    }


def circle(graph: Graph) -> list[str]:
    """One circle of imports, the first module again at the end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def _statements(tree: ast.AST) -> Iterable[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from _statements(other)
        else:
            yield from _statements(node)


def _targets(node: ast.Import | ast.ImportFrom, name: str, package: bool, known: set[str]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [_nearest(alias.name, known) for alias in node.names if _nearest(alias.name, known)]
    inside = name.split(".")
    up = inside[: len(inside) - node.level + package] if node.level else []
    home = ".".join([*up, *([node.module] if node.module else [])])
    return [found for alias in node.names if (found := _nearest(f"{home}.{alias.name}", known))]


def _nearest(name: str, known: set[str]) -> str:
    """The module itself, or the one it is a name in; '' for what is not of this house."""
    return name if name in known else name.rpartition(".")[0] if name.rpartition(".")[0] in known else ""
