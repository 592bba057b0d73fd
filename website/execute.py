"""`python -m website.execute`: execute the notebooks anew and keep what they print."""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
NOTEBOOKS = tuple(sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")))
STRICT = new_code_cell("import warnings\n\nwarnings.simplefilter('error')")
USUAL = new_code_cell("warnings.resetwarnings()")  # the kernel has warnings of its own when it ends
LOCAL = Config({"KernelManager": {"transport": "ipc"}})  # not even a port of this machine
KEPT = ("text/plain", "image/png")  # of what a cell shows: pages are Markdown


def executed(path: Path) -> Any:
    """A notebook as it is after all its cells ran in the folder of the repository, with warnings as errors.

    Raises nbclient's CellExecutionError where one fails.
    """
    notebook: Any = nbformat.read(path, as_version=4)
    notebook.cells = [STRICT, *notebook.cells, USUAL]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}, config=LOCAL).execute()
    notebook.cells = notebook.cells[1:-1]
    for cell in notebook.cells:
        cell.metadata.clear()
        for output in cell.get("outputs", ()):
            if "data" in output:
                output.data = {kind: output.data[kind] for kind in KEPT if kind in output.data}
    return notebook


def main() -> None:
    for path in NOTEBOOKS:
        nbformat.write(executed(path), path)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
