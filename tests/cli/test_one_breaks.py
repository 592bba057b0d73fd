"""One of several metrics breaks, in whatever way: it costs one line, and the others are measured, in every mode."""

import json
from pathlib import Path

import pytest

import agentic_discovery
import agentic_metrics
from agentic.cli import main

PLUGIN = """
import os, sys
from dataclasses import dataclass

import numpy as np

from agentic import Access, Frame, Measurement, Metric, UserError, hookimpl

FRAME = Frame(("action",), "the agent acts", 1, "none", "resets", ())


@dataclass(frozen=True)
class Good(Metric):
    access = Access.RECORDS
    unit = "bits"
    needs = ("record",)

    def measure(self, subject, *, generator):
        return self.of(1.0)

    def of(self, value, **more):
        said = {"metric": "m", "unit": "bits", "access": Access.RECORDS, "frame": FRAME, "estimator": "said"}
        return Measurement(value=value, **said, **more)


def bad(body):
    return type("Bad", (Good,), {"measure": lambda self, subject, *, generator: body(self)})


def raising(error):
    def body(self):
        raise error
    return body


class Constructor(Good):
    def __init__(self):
        sys.exit(0)


class Needs(Good):
    @property
    def needs(self):
        raise ZeroDivisionError("of needs")


BAD = {
    "raises": bad(raising(ValueError("of nothing"))),
    "exits": bad(raising(SystemExit(0))),
    "array": bad(lambda self: np.ones(3)),
    "none": bad(lambda self: None),
    "text": bad(lambda self: self.of("high")),
    "vector": bad(lambda self: self.of(np.ones(2))),
    "interval": bad(lambda self: self.of(1.0, interval=(0, 1))),
    "warnings": bad(lambda self: self.of(1.0, warnings=(3,))),
    "constructor": Constructor,
    "needs": Needs,
    "nothing": type("Nothing", (Good,), {"needs": ("everything",)}),
    "accesses": type("Accesses", (Good,), {"access": "records"}),
    "missing": "no_such_module:Metric",
}


@hookimpl
def agentic_metrics():
    return {"good": Good, **BAD}
"""
BAD = "raises exits array none text vector interval warnings constructor needs nothing accesses missing".split()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "agentic")
    monkeypatch.setattr(agentic_metrics, "_METRICS", {"episode_return": "episode_return:EpisodeReturn"})
    monkeypatch.setattr(agentic_discovery, "_METRICS", {})
    Path("metrics.py").write_text(PLUGIN)
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "2", "--quiet"]) == 0
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("asked", [False, True], ids=["all", "by name"])
@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_the_others_are_measured(asked: bool, as_json: bool, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = [part for name in [BAD[0], "good", *BAD[1:], "episode_return"] for part in ("--metric", name)]
    options = ["--plugin", "metrics.py", "--quiet", *(names if asked else []), *(["--json"] if as_json else [])]
    assert main(["measure", run, *options]) == 1
    out, err = capsys.readouterr()
    assert sorted(line.split(": ")[1] for line in err.splitlines() if line.startswith("failed")) == sorted(BAD)
    assert len(err.splitlines()) == len(BAD)
    if as_json:
        assert sorted(each["metric"] for each in json.loads(out)) == ["episode_return", "m"]
    else:
        assert "good" in out
        assert "episode_return" in out


@pytest.mark.parametrize("name", BAD)
def test_alone_it_is_the_error_itself(name: str, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", run, "--metric", name, "--plugin", "metrics.py", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"agentic: {name}: ")


def test_metrics_are_listed(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--plugin", "metrics.py", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(BAD) + 2
