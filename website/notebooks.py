"""Notebooks as pages: their text, their code, and what the code printed when it was last executed."""

import json
from pathlib import Path
from typing import Any


def markdown(path: Path) -> str:
    """The page of a notebook; the file itself lies beside it."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    head, *rest = ("\n".join(_cell(each)) for each in cells)
    link = f"[{path.name}]({path.name}) is the notebook itself. What it prints is what it printed when it was executed."
    return "\n\n".join([head, link, *rest]) + "\n"


def _cell(cell: dict[str, Any]) -> list[str]:
    source = _text(cell["source"])
    if cell["cell_type"] == "markdown":
        return [source]
    return ["```python", source, "```", *(line for each in cell["outputs"] for line in _output(each))]


def _output(output: dict[str, Any]) -> list[str]:
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        return ["", f"![What the code above drew](data:image/png;base64,{_text(data['image/png']).strip()})"]
    return ["", "```text", _text(data["text/plain"]).rstrip(), "```"]


def _text(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)
