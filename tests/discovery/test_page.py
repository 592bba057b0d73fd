"""The experiment that the page of discovery shows can be run, and its columns have the names of the page."""

import re
import tomllib

import agentic
from agentic_discovery.recording import read
from tests.house.repository import ROOT


def test_the_experiment_of_the_page_runs() -> None:
    page = (ROOT / "docs" / "discovery.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    tables = tomllib.loads(block)
    tables["env"]["kwargs"]["steps"] = 3
    record = agentic.run(agentic.Experiment.of(tables), out=None)
    shown = re.findall(r"^  ([a-z_.]+\[\d\]) +1? +(?:sensor|actuator|inside|world) ", page, re.MULTILINE)
    assert len(shown) == 8
    assert set(shown) <= set(read(record).names)
