"""Chance comes from the generators that are passed: nothing of ours draws from torch's own (ruff sees to NumPy's)."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.repository import ROOT, python_files

TORCH = set(
    "rand randn randint randperm rand_like randn_like randint_like multinomial poisson bernoulli binomial normal_ "
    "uniform_ exponential_ bernoulli_ random_ geometric_ cauchy_ log_normal_".split()
)
DROPOUT = {"dropout", "Dropout", "alpha_dropout", "AlphaDropout"}
LAYERS = set(  # which draw their own weights
    "Linear Bilinear Conv1d Conv2d Embedding RNN LSTM GRU GRUCell LSTMCell MultiheadAttention".split()
)
NAMED = re.compile(rf"\b({'|'.join(sorted(TORCH | DROPOUT | LAYERS))})\(")
HOMES = ("agentic", "plugins", "envs")
FILES = [path for path in python_files() if path.relative_to(ROOT).parts[0] in HOMES]


def unsafe(tree: ast.AST, optional: frozenset[str] = frozenset()) -> Iterator[str]:
    """Draws without a generator, or by one that may be None: `optional` names the arguments around that may."""
    for node in ast.iter_child_nodes(tree):
        inside = optional
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.args, *node.args.kwonlyargs]
            may = {a.arg for a in given if a.annotation and "Generator | None" in ast.unparse(a.annotation)}
            inside = (optional - {a.arg for a in given}) | may
        if isinstance(node, ast.Call) and not drawn_well(node, inside):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        yield from unsafe(node, inside)


def drawn_well(call: ast.Call, optional: frozenset[str]) -> bool:
    """Whether a call draws nothing, or from a generator that is one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in TORCH | DROPOUT | LAYERS:
        return True
    home = ast.unparse(call.func).rpartition(".")[0]
    if name in DROPOUT or (name in LAYERS and home.split(".")[-1] == "nn"):
        return False
    if name in LAYERS or home.split(".")[0] in ("np", "numpy", "random"):
        return True
    generator = next((word.value for word in call.keywords if word.arg == "generator"), None)
    if generator is None or (isinstance(generator, ast.Constant) and generator.value is None):
        return False
    return not (isinstance(generator, ast.Name) and generator.id in optional)


def test_nothing_is_drawn_from_what_others_share() -> None:
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in FILES}
    likely = {path: ast.parse(text) for path, text in texts.items() if NAMED.search(text)}
    found = [f"{path}, {said}" for path, tree in likely.items() for said in unsafe(tree)]
    assert not found, "\n".join([*found, "pass checked_generator(generator), or use agentic.engine's normal_like"])


@pytest.mark.parametrize(
    ("source", "well"),
    [
        ("torch.randn(3, generator=source)", True),
        ("torch.randn(3)", False),
        ("noise.normal_(0, 1)", False),
        ("torch.rand(3, generator=None)", False),
        ("def f(*, generator: torch.Generator | None): torch.rand(3, generator=generator)", False),
        ("def f(generator: torch.Generator | None): torch.rand(3, generator=checked_generator(generator))", True),
        ("def f(generator: torch.Generator): torch.rand(3, generator=generator)", True),
        ("np.random.default_rng(0).poisson(3)", True),
        ("nn.Linear(2, 3)", False),
        ("functional.dropout(x)", False),
    ],
)
def test_it_tells_them_apart(source: str, well: bool) -> None:
    assert bool(list(unsafe(ast.parse(source)))) != well
