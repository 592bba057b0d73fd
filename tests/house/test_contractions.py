"""No `torch.einsum` of three or more tensors: opt_einsum, where it is installed, would choose the order of products.

Then the bits of results would depend on a package that nobody asked for. Pairs of tensors have one order.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house.repository import ROOT, python_files

TENSORS = 2


def contractions(source: str) -> Iterator[int]:
    """The lines of calls of torch.einsum with more than two tensors, or with as many as a list holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.einsum", "einsum"):
            tensors = node.args[1:]
            if len(tensors) > TENSORS or any(isinstance(each, ast.Starred | ast.List | ast.Tuple) for each in tensors):
                yield node.lineno


def test_products_of_several_tensors_have_an_order() -> None:
    houses = [ROOT / home for home in ("agentic", "plugins", "envs")]
    files = [path for path in python_files() if any(path.is_relative_to(house) for house in houses)]
    found = [
        f"{path.relative_to(ROOT)}:{line}" for path in files for line in contractions(path.read_text(encoding="utf-8"))
    ]
    assert not found, "contract two tensors at a time: " + ", ".join(found)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("torch.einsum('ij,j->i', a, b)", []),
        ("torch.einsum('ij,j,i->', a, b, c)", [1]),
        ("torch.einsum(equation, a, *others)", [1]),
        ("torch.einsum(equation, [a, b, c])", [1]),
        ("np.einsum('ij,j,i->', a, b, c)", []),
    ],
)
def test_they_are_found(call: str, found: list[int]) -> None:
    assert list(contractions(call)) == found
