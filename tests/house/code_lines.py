"""What counts as a line of code: one that holds something other than blanks, comments and docstrings."""

import ast
import io
import tokenize

QUIET = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> int:
    """The number of lines with code; each line of a string that is a value counts, also the empty ones in it."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in QUIET:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - _docstrings(ast.parse(source)))


def function_lengths(source: str) -> dict[str, int]:
    """Lines from `def` to the end of every function and method by qualified name; only docstrings are left out."""
    return {name: _length(node) for name, node in _functions(ast.parse(source))}


def parameter_counts(source: str) -> dict[str, int]:
    """The parameters of every function and method by qualified name, without `self` and `cls`."""
    return {name: _parameters(node) for name, node in _functions(ast.parse(source))}


def _docstrings(tree: ast.AST) -> set[int]:
    """The lines of the docstrings of a module, its classes and its functions."""
    found = [node.body[0] for node in ast.walk(tree) if isinstance(node, Documented) and ast.get_docstring(node)]
    return {line for node in found for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _functions(tree: ast.AST, inside: str = "") -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]] = []
    for node in ast.iter_child_nodes(tree):
        name = f"{inside}{node.name}" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((name, node))
        found += _functions(node, f"{name}." if name else inside)
    return found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    own = node.body[0] if ast.get_docstring(node) else None
    quiet = 0 if own is None else (own.end_lineno or own.lineno) - own.lineno + 1
    return (node.end_lineno or node.lineno) - node.lineno + 1 - quiet


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    names = [each.arg for each in every if each is not None]
    return len(names) - (names[:1] in (["self"], ["cls"]))
