"""How all pictures look: readable in print, on a phone, and by those who see colors differently."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito (2008)


@contextmanager
def picture(path: Path, columns: int = 1, rows: int = 1, **more: Any) -> Iterator[Any]:
    """Axes to draw on, as `plt.subplots` gives them; saved as SVG in the end."""
    size = more.pop("figsize", (4.6 * columns, 3.4 * rows))
    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", **more)
        yield axes
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
