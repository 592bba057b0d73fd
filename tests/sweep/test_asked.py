"""Sweeps asked for from Python: what may stand for an experiment, for values and for seeds, and what may not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import Experiment, UserError
from agentic.experiments import example
from agentic_sweep import Range, SweepFile, sweep
from agentic_sweep.asked import sweep_file

TABLES: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}, "evaluate": {"episodes": 3}}
VARY = {"run.envs": [1, 2]}


@pytest.mark.parametrize("vary", [{"run.envs": (1, 2)}, {"run.envs": range(1, 3)}, {"run.envs": np.arange(1, 3)}])
@pytest.mark.parametrize("seeds", [2, range(2), np.int64(2), np.arange(2), [0, 1]])
def test_values_and_seeds_are_any_sequence(vary: Any, seeds: Any) -> None:
    found = sweep_file(TABLES, vary=vary, seeds=seeds)
    assert found.table.values == {"run.envs": (1, 2)}
    assert found.table.chosen == (0, 1)


def test_an_experiment_is_a_file_tables_an_object_or_an_example(tmp_path: Path) -> None:
    experiment = Experiment.of(TABLES)
    file = tmp_path / "mine.toml"
    file.write_text(SweepFile(TABLES).to_toml())
    given = [TABLES, experiment, file, str(file), SweepFile(TABLES), SweepFile.of(TABLES, vary={"run.envs": [7]})]
    assert len({sweep_file(each, vary=VARY, seeds=3).to_toml() for each in given}) == 1
    assert sweep_file("bandit").base == Experiment.load(example("bandit"))


def test_what_is_given_comes_after_what_the_table_says() -> None:
    own = {"seeds": 9, "values": {"run.envs": [5], "evaluate.episodes": [1, 2]}}
    found = sweep_file({**TABLES, "sweep": own}, ["sweep.search=random"], {**VARY, "agent.rate": Range(low=0, high=1)})
    assert found.table.chosen == tuple(range(9))
    assert found.table.search == "random"
    assert found.table.values["run.envs"] == (1, 2)
    assert found.table.values["agent.rate"] == Range(low=0, high=1)
    assert found.table.values["evaluate.episodes"] == (1, 2)


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (7, {}, "expected a sweep file, its tables or an experiment, got 7"),
        ("nothing-here", {}, "cannot read the experiment file nothing-here"),
        (TABLES, {"vary": [1]}, "vary takes values by setting"),
        (TABLES, {"vary": {"run.envs": 5}}, "run.envs has no values"),
        (TABLES, {"vary": {"run.envs": "12"}}, "run.envs has no values"),
        (TABLES, {"vary": {"run.envs": []}}, "run.envs has no values"),
        (TABLES, {"seeds": 0}, "seeds"),
        (TABLES, {"seeds": "two"}, "seeds"),
        (TABLES, {"seeds": 1.5}, "seeds"),
        (TABLES, {"seeds": [-1]}, "seeds"),
        (TABLES, {"workers": 0}, "workers must be at least 1"),
    ],
)
def test_what_is_none_is_one_sentence(given: Any, options: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        sweep(given, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
