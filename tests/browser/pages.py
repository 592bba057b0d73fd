"""The pages under test, made once: a bench, a run, the index of both, and a run that recorded the plans it weighed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

import agentic
from tests.report.folders import bench_folder, run_folder, tables, written


@final
@dataclass(frozen=True)
class Pages:
    bench: Path
    run: Path
    index: Path
    plans: Path

    @classmethod
    def made(cls, folder: Path) -> Self:
        runs, plans = folder / "runs", folder / "plans"
        bench = agentic.report(bench_folder(runs / "0001-bench-battery", seeds=1))
        run = agentic.report(run_folder(runs / "0002-tmaze"))
        written(plans, tables("maze", "energy", 0) | {"run": {"candidates": 5}})
        return cls(bench, run, agentic.report(runs), agentic.report(plans))
