"""Grids whose empowerment is known: its test cases since it was defined."""

from collections.abc import Iterable, Sequence

import numpy as np

from agentic import UserError
from agentic_metrics.finite.arrays import Floats

Cell = tuple[int, int]

CROSS: tuple[Cell, ...] = ((0, 0), (-1, 0), (1, 0), (0, 1), (0, -1))  # stay, up, down, right, left
KING: tuple[Cell, ...] = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))

KLYUBIN = """
+-+-+-+-+-+-+-+-+-+-+
|                   |
+ + + +-+ + + + + + +
|       |           |
+ + + + +-+ + + + + +
|         |         |
+ + + + +-+ + + + + +
|         |         |
+ + +-+-+-+ + + + + +
|                   |
+ + + + + + + + + + +
|                   |
+ + + + + + +-+ + + +
|           | |     |
+ + + + + + + + + + +
|           | |     |
+-+-+-+-+-+-+ +-+-+ +
|                   |
+ + + + + + + + + + +
|                   |
+-+-+-+-+-+-+-+-+-+-+
"""


def lattice(
    rows: int,
    columns: int,
    *,
    moves: Sequence[Cell] = CROSS,
    wrap: bool = False,
    fences: Iterable[tuple[Cell, Cell]] = (),
    success: float = 1.0,
) -> Floats:
    """The dynamics (s, a, s') of a grid on which each action is a move (rows, columns); s = row * columns + column.

    A move across the edge stays where it is, unless edges `wrap` around, and so does one across `fences`, pairs of
    neighboring cells between which there is no way. Moves succeed with probability `success`, else nothing happens.
    Raises UserError for a probability that is none.
    """
    if not 0 <= success <= 1:
        raise UserError(f"success is a probability, got {success}")
    closed = {frozenset(pair) for pair in fences}
    dynamics = np.zeros((rows * columns, len(moves), rows * columns))
    for state, action in np.ndindex(rows * columns, len(moves)):
        row, column = divmod(state, columns)
        there = row + moves[action][0], column + moves[action][1]
        if wrap:
            there = there[0] % rows, there[1] % columns
        free = 0 <= there[0] < rows and 0 <= there[1] < columns and frozenset(((row, column), there)) not in closed
        dynamics[state, action, there[0] * columns + there[1] if free else state] += success
        dynamics[state, action, state] += 1 - success
    return dynamics


def fences(drawing: str) -> list[tuple[Cell, Cell]]:
    """The fences of a maze drawn with a character for each cell and one for each border, | and - where it is closed."""
    lines = drawing.strip("\n").split("\n")
    rows, columns = len(lines) // 2, len(lines[0]) // 2
    below = [((r, c), (r + 1, c)) for r, c in np.ndindex(rows - 1, columns) if lines[2 * r + 2][2 * c + 1] == "-"]
    beside = [((r, c), (r, c + 1)) for r, c in np.ndindex(rows, columns - 1) if lines[2 * r + 1][2 * c + 2] == "|"]
    return below + beside


def klyubin_maze() -> Floats:
    """The dynamics (100, 5, 100) of the maze on which empowerment was introduced (Klyubin, Polani and Nehaniv 2005).

    The walls are those of the re-implementation at github.com/Mchristos/empowerment.
    """
    return lattice(10, 10, fences=fences(KLYUBIN))
