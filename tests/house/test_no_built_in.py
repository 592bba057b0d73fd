"""The core names no built-in component: what needs to be known about one, it says itself."""

import ast
from pathlib import Path

import agentic
from agentic import load

CORE = Path(agentic.__file__).parent
WORDS = {  # names of built-in components that are also words of the files or of the field
    "effort": "a key of [planner]",
    "energy": "a kind of value, and the prefix of columns",
    "exact": "how a metric was computed",
    "planner": "a table of experiment files",
    "reward": "a column of records",
    "table": "what TOML has",
}


def strings(path: Path) -> list[ast.Constant]:
    """The texts of a module's code, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in statements
    ]


def test_no_module_of_the_core_names_a_built_in() -> None:
    names = {component.name for component in load().components if component.source == "built-in"} - set(WORDS)
    assert len(names) > 80
    found = [
        f"{path.relative_to(CORE)}:{node.lineno} names {node.value!r}"
        for path in sorted(CORE.rglob("*.py"))
        if not {"testing", "templates"} & set(path.parts)
        for node in strings(path)
        if node.value in names
    ]
    assert not found
