"""Runs compared: who is in which group and what it is called, curves by hand, and what cannot be compared."""

import doctest
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import sem, t, ttest_ind, ttest_rel

import agentic
from agentic import Record, UserError
from agentic.cli import main
from agentic_report import compare
from agentic_report.comparing import comparison
from agentic_report.curves import Series
from agentic_report.listing import finding
from tests.report.folders import STRANGE, bench_folder
from tests.report.made_runs import made_run

LOW, HIGH, OTHER = [1.0, 2.0, 3.0, 4.0], [5.0, 7.0, 6.0, 9.0], [2.5, 1.0, 4.0, 3.0]


def horizon(number: int) -> dict[str, Any]:
    return {"planner": {"name": "tree", "horizon": number}}


def made(folder: Path, agents: dict[str, dict[str, Any]], values: dict[str, list[float]]) -> Path:
    """A run for each agent and seed, with one evaluated return, and learned ones that go up to it."""
    for name, tables in agents.items():
        for seed, value in enumerate(values[name]):
            made_run(folder / f"{name}-{seed}", [value], [0.0, value / 2, value], seed=seed, agent=tables)
    return folder


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Three horizons on four seeds."""
    agents = {f"h{number}": horizon(number) for number in (1, 2, 3)}
    return made(tmp_path / "three", agents, {"h1": LOW, "h2": HIGH, "h3": OTHER})


def test_runs_are_grouped_by_what_differs_apart_from_the_seed(three: Path) -> None:
    found = compare(three)
    assert [group.label for group in found.groups] == ["horizon=1", "horizon=2", "horizon=3"]
    assert [group.seeds for group in found.groups] == [[0, 1, 2, 3]] * 3
    assert found.settings() == [["planner.horizon", "1", "2", "3"]]
    assert found.env == "CartPole-v1"
    assert found.notes == []


def test_differences_are_those_of_scipy_and_holms_of_several(three: Path) -> None:
    found = compare(three)
    assert found.paired
    known = [ttest_rel(other, LOW).pvalue for other in (HIGH, OTHER)]
    assert [each.p_value for each in found.differences] == pytest.approx(known)
    assert [each.adjusted for each in found.differences] == pytest.approx([2 * known[0], max(2 * known[0], known[1])])
    assert [each.estimate.value for each in found.differences] == pytest.approx([4.25, 0.125])
    assert [line[-1] for line in found.lines()] == ["the first", "above", "not told apart"]


def test_seeds_that_are_not_shared_are_not_paired(tmp_path: Path) -> None:
    folder = made(tmp_path / "runs", {"a": horizon(1), "b": horizon(2)}, {"a": LOW, "b": HIGH[:3]})
    found = compare(folder)
    assert not found.paired
    assert "Welch t, of independent seeds" in found.method
    known = ttest_ind(HIGH[:3], LOW, equal_var=False)
    assert found.differences[0].p_value == pytest.approx(known.pvalue)
    assert found.differences[0].estimate.interval is not None
    assert found.differences[0].estimate.interval.method == "Welch t"


@pytest.mark.parametrize(
    ("agents", "labels"),
    [
        ([{"agent": {"name": "random"}}, {"agent": {"name": "rock"}}], ["random", "rock"]),
        ([horizon(1), {"planner": {"name": "cem", "horizon": 1}}], ["planner=tree", "planner=cem"]),
        ([horizon(1), horizon(1) | {"model": {"name": "ensemble"}}], ["no model", "model=ensemble"]),
        (
            [horizon(1), horizon(2), {"agent": {"name": "random"}}],
            ["energy, horizon=1", "energy, horizon=2", "random, no horizon"],
        ),
        (
            [{"model": {"steps": a}, "planner": {"steps": b}} for a, b in ((1, 1), (1, 2), (2, 1))],
            ["model.steps=1, planner.steps=1", "model.steps=1, planner.steps=2", "model.steps=2, planner.steps=1"],
        ),
        ([{"goal": {"weights": [1] * 40}}, {"goal": {"weights": [2] * 40}}], None),
    ],
)
def test_labels_say_what_differs_and_no_more(tmp_path: Path, agents: Any, labels: list[str] | None) -> None:
    for place, tables in enumerate(agents):
        made_run(tmp_path / f"{place}", [1.0], agent=tables)
    found = [group.label for group in compare(tmp_path).groups]
    assert len({*found}) == len(agents)
    assert max(map(len, found)) < 70
    assert labels is None or found == labels


def test_groups_are_made_by_keys_or_by_whoever_asks(three: Path) -> None:
    found = compare(three, by=["agent"])
    assert [(group.label, len(group.trials)) for group in found.groups] == [("energy", 12)]
    assert found.notes[0] == "energy: its runs differ in more than their seeds"
    labeled = compare({"mine": [three / "h2-0", Record.open(three / "h2-1")], "others": str(three / "h1-*")})
    assert [(group.label, len(group.trials)) for group in labeled.groups] == [("mine", 2), ("others", 4)]
    with pytest.raises(UserError, match=r"did you mean 'planner\.horizon'"):
        compare(three, by=["planner.horizo"])
    with pytest.raises(UserError, match="put it into a list"):
        compare(three, by="agent")


def test_the_first_that_is_named_is_what_others_are_compared_with(three: Path) -> None:
    found = compare([three / "h3-0", three / "h3-1", three])
    assert [group.label for group in found.groups] == ["horizon=3", "horizon=1", "horizon=2"]
    assert [len(group.trials) for group in found.groups] == [4, 4, 4], "each run counts once"


def test_a_run_that_was_repeated_counts_once(three: Path) -> None:
    made_run(three / "h1-again", [100.0], seed=0, agent=horizon(1))
    found = compare(three)
    assert len(found.groups[0].trials) == 4
    assert "a run repeats the configuration and the seed" in found.notes[0]


def test_a_single_seed_has_no_interval_and_that_is_said(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "runs", {"a": horizon(1), "b": horizon(2)}, {"a": [1.0], "b": [3.0]}))
    assert [line[3] for line in found.lines()] == ["-", "-"]
    assert found.notes == [f"horizon={number}: one seed, hence no interval" for number in (1, 2)]
    assert found.differences[0].estimate.value == 2


def test_seeds_that_agree_tell_of_no_spread(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "runs", {"a": horizon(1), "b": horizon(2)}, {"a": [1.0] * 3, "b": [3.0] * 3}))
    assert found.lines()[1][-1] == "no spread to judge by"
    assert "all 3 seeds agree" in found.notes[0]


def test_conditions_choose_runs_and_other_environments_are_refused(three: Path) -> None:
    made_run(three / "maze", [1.0], env="agentic/TMaze-v0")
    with pytest.raises(UserError, match=r"2 environments .*CartPole-v1.*choose one"):
        compare(three)
    assert len(compare(three, where=["env=CartPole-v1", "planner.horizon<3"]).groups) == 2
    with pytest.raises(UserError, match="no condition holds"):
        compare(three, where=["seed=77"])


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        compare(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no run"):
        compare(tmp_path)
    with pytest.raises(UserError, match="holds no run"):
        compare(str(tmp_path / "*"))
    with pytest.raises(UserError, match="folders, patterns, records or what lies in a folder, got 7"):
        compare(7)
    with pytest.raises(UserError, match="lies in no folder"):
        compare(Record())
    with pytest.raises(UserError, match="window"):
        compare(made_run(tmp_path / "run", [1.0]), window=0)


def test_a_damaged_run_is_left_out_and_said(three: Path) -> None:
    (three / "h1-0" / "ticks-000000.parquet").write_bytes(b"no parquet")
    (three / "h2-0" / "manifest.json").write_text("{")
    found = compare(three)
    assert [len(group.trials) for group in found.groups] == [3, 4, 4]
    assert any("h1-0 is left out" in note for note in found.notes)
    assert any("h2-0" in note and "what is sound is read" in note for note in found.notes)


def test_runs_without_evaluation_are_compared_by_the_end_of_learning(tmp_path: Path) -> None:
    for seed in range(3):
        made_run(tmp_path / f"a{seed}", [], [0, 0, 0, seed], seed=seed, agent=horizon(1))
    found = compare(tmp_path)
    assert found.outcome == "mean return of the last 1 steps of learning"
    assert [*found.values(found.groups[0]).values()] == [0, 1, 2]
    made_run(tmp_path / "b", [7.0], agent=horizon(1), seed=9)
    evaluated = compare(tmp_path)
    assert [*evaluated.values(evaluated.groups[0]).values()] == [7]
    assert "3 of 4 runs have no mean return of evaluation" in evaluated.notes[0]


def test_a_curve_is_the_mean_of_the_last_steps() -> None:
    series = Series(12, np.array([2, 4, 9]), np.array([1.0, 3.0, 8.0]))
    found = series.smoothed(np.array([1, 2, 4, 5, 8, 9, 12, 13]), 3)
    assert found.tolist() == pytest.approx([np.nan, 1, 2, 3, 3, 8, 8, np.nan], nan_ok=True)


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(-9, 9)), min_size=1, max_size=20), st.integers(1, 40))
def test_a_smoothed_curve_is_a_plain_mean(steps: list[tuple[int, float]], window: int) -> None:
    places, values = np.cumsum([gap for gap, _ in steps]), np.array([value for _, value in steps])
    series = Series(int(places[-1]), places, values)
    grid = np.arange(1, series.steps + 1)
    for step, found in zip(grid, series.smoothed(grid, window), strict=True):
        inside = values[(places <= step) & (places > step - window)]
        before = values[places <= step]
        known = inside.mean() if len(inside) else before[-1] if len(before) else np.nan
        assert found == pytest.approx(known, abs=1e-9, nan_ok=True)


def test_curves_have_bands_over_seeds_where_all_have_a_value(three: Path) -> None:
    found = compare(three, window=1)
    assert (found.phase, int(found.grid[-1])) == ("learn", 15)
    curve = found.curves[0]
    assert all(np.isnan(each.value) for each in curve[:4]), "no episode has ended"
    assert curve[-1].value == pytest.approx(2.5)
    assert curve[-1].ends == pytest.approx(found.estimates[0].ends)
    assert curve[9].value == pytest.approx(1.25)


def test_any_column_of_numbers_is_compared(tmp_path: Path) -> None:
    for seed in range(3):
        made_run(tmp_path / f"{seed}", [1.0], [1.0, 1.0], seed=seed, column=[seed + step for step in range(10)])
    found = compare(tmp_path, column="energy.surprise", window=2)
    assert found.curves[0][-1].value == pytest.approx(1 + 8.5)
    assert found.outcome == "mean energy.surprise of evaluation"
    with pytest.raises(UserError, match=r"did you mean 'energy\.surprise'"):
        compare(tmp_path, column="energy.surprize")
    with pytest.raises(UserError, match="single numbers"):
        compare(tmp_path, column="phase")


def test_interquartile_means_over_many_seeds(tmp_path: Path) -> None:
    values = {"a": [float(x) for x in range(8)], "b": [x + 20.0 for x in range(8)]}
    found = compare(made(tmp_path / "runs", {"a": horizon(1), "b": horizon(2)}, values), iqm=True)
    assert [each.value for each in found.estimates] == [3.5, 23.5]
    assert found.differences[0].estimate.ends == pytest.approx((20, 20)), "the same seeds are drawn"
    assert found.curves[0][-1].interval is not None
    few = compare(made(tmp_path / "few", {"a": horizon(1)}, {"a": LOW}), iqm=True)
    assert few.notes == ["energy: 4 seeds are too few for an interval of the interquartile mean"]


def test_runs_of_objects_are_called_by_their_components(tmp_path: Path) -> None:
    for seed in range(2):
        for action in (0, 1):
            agentic.run(
                lambda _, action=action: action, "CartPole-v1", episodes=2, seed=seed, out=tmp_path / str(action)
            )
    found = compare({"left": tmp_path / "0", "right": tmp_path / "1"})
    assert found.env == "CartPole-v1"
    assert [group.seeds for group in found.groups] == [[0, 1], [0, 1]]


def test_the_units_of_a_bench_are_runs(tmp_path: Path) -> None:
    bench = bench_folder(tmp_path / "bench", seeds=2)
    found = compare(bench, where=["env=CartPole-v1"], by=["agent"])
    assert [group.label for group in found.groups] == ["energy", "random", "rock"]
    assert any("repeat" in note for note in found.notes), "the clone's runs are copies of the planner's"


def test_a_comparison_shows_itself_and_is_strict_json(three: Path) -> None:
    found = compare(three)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [group["label"] for group in content["groups"]] == ["horizon=1", "horizon=2", "horizon=3"]
    assert content["groups"][1]["values"] == HIGH
    assert content["groups"][0]["curve"]["value"][0] is None
    assert content["differences"][0]["verdict"] == "above"
    assert "horizon=2" in repr(found)
    assert found._repr_html_().startswith("<table>")


def test_the_command_prints_curves_a_table_and_what_differs(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(three)]) == 0
    said = capsys.readouterr().out
    for words in ("horizon=2", "█", "smoothed over", "above", "paired Student t", "planner.horizon"):
        assert words in said
    assert main(["compare", str(three), "--where", "planner.horizon=1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["groups"]) == 1
    assert main(["compare", str(three), "--where", "planner.horizon=1"]) == 0
    assert "difference" not in capsys.readouterr().out
    assert main(["compare", str(three / "nothing")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_the_page_has_everything_and_labels_stay_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agents = {"a": {"agent": {"name": STRANGE}}, "b": {"agent": {"name": "rock"}}}
    folder = made(tmp_path / "runs", agents, {"a": LOW, "b": HIGH})
    page = tmp_path / "page.html"
    assert main(["compare", str(folder), "--html", str(page), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["page"] == str(page)
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert STRANGE not in text
    assert f"agentic compare {folder}" in text
    before = page.read_bytes()
    assert main(["compare", str(folder), "--html", str(page)]) == 0
    assert page.read_bytes() == before, "written again it has the same bytes"
    (tmp_path / "taken").mkdir()
    assert main(["compare", str(folder), "--html", str(tmp_path / "taken" / "no" / "page.html")]) == 1
    assert "give another file" in capsys.readouterr().err


@pytest.mark.parametrize("module", [comparison, finding])
def test_the_examples_of_docstrings_run(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert (found.attempted > 0, found.failed) == (True, 0)


def test_a_run_that_did_not_end_is_said_to(tmp_path: Path) -> None:
    made_run(tmp_path / "1", [], [1.0, 2.0], seed=0)
    made_run(tmp_path / "2", [], [1.0], seed=1, status="interrupted")
    assert compare(tmp_path).notes[0] == f"{tmp_path / '2'}: interrupted; it stands as far as it came"


def test_a_file_that_was_changed_is_another_agent(tmp_path: Path) -> None:
    for place, (seed, sign) in enumerate([(0, "a"), (1, "a"), (0, "b")]):
        rows = [{"kind": "agents", "name": "mine.py", "sha256": sign * 64}]
        made_run(tmp_path / f"{place}", [1.0], seed=seed, agent={"agent": {"name": "mine.py"}}, components=rows)
    groups = compare(tmp_path).groups
    assert [(group.label, group.seeds) for group in groups] == [
        ("sha256=aaaaaaaaaaaa", [0, 1]),
        ("sha256=bbbbbbbbbbbb", [0]),
    ]


def test_what_is_infinite_is_in_its_own_windows_alone() -> None:
    series = Series(6, np.arange(1, 7), np.array([1.0, np.inf, 1e17, 1.0, 3.0, np.nan]))
    assert series.smoothed(np.arange(1, 6), 2).tolist() == [1.0, np.inf, np.inf, 5e16, 2.0]


def test_a_label_that_another_was_numbered_into_is_no_other_group(tmp_path: Path) -> None:
    long = "a" * 30
    for place, name in enumerate([f"{long}x", f"{long}y", f"{long[:23]}… (2)"]):
        made_run(tmp_path / f"{place}", [1.0], agent={"agent": {"name": "energy", "note": name}})
    assert len({group.label for group in compare(tmp_path).groups}) == 3


def test_loggers_make_no_other_group(tmp_path: Path) -> None:
    for seed, more in enumerate([{}, {"loggers": [{"name": "tensorboard"}]}]):
        rows = [{"kind": "loggers", "name": "mine", "sha256": f"{seed}" * 64}]
        made_run(tmp_path / f"{seed}", [1.0], seed=seed, agent=more, components=rows)
    assert [group.seeds for group in compare(tmp_path).groups] == [[0, 1]]


RATES = (0.1, 0.2, 0.3, 0.4)


def grid(folder: Path, horizons: tuple[int, ...] = (1, 2)) -> Path:
    """Every horizon with every rate on three seeds; the seed tells most of a return, and horizon 2 pays more."""
    for number in horizons:
        for place, rate in enumerate(RATES):
            for seed in range(3):
                value = 10.0 * seed + place + (number - 1) * (1 + seed)
                tables = {"planner": {"name": "tree", "horizon": number}, "learner": {"rate": rate}}
                made_run(folder / f"{number}-{place}-{seed}", [value], [value, value], seed=seed, agent=tables)
    return folder


def test_runs_of_one_seed_are_averaged_before_seeds_are_counted(tmp_path: Path) -> None:
    found = compare(grid(tmp_path), by=["planner.horizon"])
    first, other = ([10.0 * seed + 1.5 + more * (1 + seed) for seed in range(3)] for more in (0, 1))
    assert [found.values(group) for group in found.groups] == [dict(enumerate(first)), dict(enumerate(other))]
    assert [group.seeds for group in found.groups] == [[0, 1, 2]] * 2
    assert found.paired
    assert found.differences[0].p_value == pytest.approx(ttest_rel(other, first).pvalue)
    ends = t.interval(0.95, 2, np.mean(first), sem(first))
    assert found.estimates[0].ends == pytest.approx(ends)
    assert found.curves[0][-1].ends == pytest.approx(ends), "bands are over seeds too"
    assert [line[1] for line in found.lines()] == ["3 (12 runs)"] * 2
    assert "horizon=1: runs of one seed were averaged: 12 runs, 3 seeds" in found.notes
    assert not any("different configurations" in note for note in found.notes)


def test_both_counts_are_in_the_terminal_the_object_and_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, page = grid(tmp_path / "runs"), tmp_path / "page.html"
    assert main(["compare", str(runs), "--by", "planner.horizon", "--html", str(page)]) == 0
    said = capsys.readouterr().out
    assert "horizon=1 (3 of 12 runs)" in said
    assert said.count("3 (12 runs)") == 4, "in both tables"
    assert page.read_text(encoding="utf-8").count("<td>3 (12 runs)</td>") == 2
    content = compare(runs, by=["planner.horizon"]).to_dict()["groups"][0]
    assert content["counts"] == {"seeds": 3, "runs": 12}
    assert (content["seeds"], content["values"]) == ([0, 1, 2], [1.5, 11.5, 21.5])
    assert (len(content["runs"]), content["runs"][3]["seed"], content["runs"][3]["value"]) == (12, 0, 3.0)


def test_groups_by_label_are_averaged_and_so_are_interquartile_means(tmp_path: Path) -> None:
    runs = grid(tmp_path)
    found = compare({"short": f"{runs}/1-*", "long": f"{runs}/2-*"}, iqm=True)
    assert [line[1] for line in found.lines()] == ["3 (12 runs)"] * 2
    assert found.estimates[0].interval is None, "three seeds are too few, however many runs they have"
    assert "long: 3 seeds are too few for an interval of the interquartile mean" in found.notes


def test_seeds_whose_runs_are_of_other_configurations_are_said(tmp_path: Path) -> None:
    runs = grid(tmp_path)
    (runs / "1-3-2" / "manifest.json").unlink()
    (runs / "1-3-2" / "ticks-000000.parquet").unlink()
    found = compare(runs, by=["planner.horizon"])
    assert found.lines()[0][1] == "3 (11 runs)"
    assert [note for note in found.notes if "different configurations" in note] == [
        "horizon=1: runs of one seed were averaged: 11 runs, 3 seeds; its seeds have runs of different configurations, "
        "which is part of their spread"
    ]


def test_runs_whose_seed_is_not_known_stand_for_themselves_without_an_interval(tmp_path: Path) -> None:
    for place, value in enumerate(LOW):
        folder = made_run(tmp_path / f"a{place}", [value], [value], seed=None, agent=horizon(1))
        text = (folder / "experiment.toml").read_text()
        assert "seed" not in text
        made_run(tmp_path / f"b{place}", [value + 1], [value], seed=place, agent=horizon(2))
    found = compare(tmp_path)
    assert found.lines()[0][:4] == ["horizon=1", "4", "2.5", "-"], "none of them is taken for a repetition"
    assert found.estimates[1].interval is not None
    assert (found.differences[0].estimate.interval, found.differences[0].p_value) == (None, None)
    assert found.curves[0][-1].interval is None
    assert found.notes == [
        "horizon=1: the seeds of 4 runs are not known: each stands for itself, and there is no interval, for seeds "
        "cannot be counted"
    ]
    json.dumps(found.to_dict(), allow_nan=False)


def test_pairs_are_decided_one_by_one(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (7, 8, 9):
        made_run(three / f"other-{seed}", [seed * 1.0], [1.0], seed=seed, agent=horizon(9))
    found = compare(three)
    assert [each.paired for each in found.differences] == [True, True, False]
    known = [
        *(ttest_rel(other, LOW).pvalue for other in (HIGH, OTHER)),
        ttest_ind([7, 8, 9], LOW, equal_var=False).pvalue,
    ]
    assert [each.p_value for each in found.differences] == pytest.approx(known)
    assert not found.paired
    assert [each["paired"] for each in found.to_dict()["differences"]] == [True, True, False]
    assert [line[6] for line in found.lines()] == ["", "seed by seed", "seed by seed", "as independent"]
    assert "seed by seed (horizon=2 and horizon=3); Welch t, of independent seeds (horizon=9)" in found.method
    assert main(["compare", str(three), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"][2]["method"] == "Welch t"


def test_a_group_without_a_curve_is_said_and_why(tmp_path: Path) -> None:
    for seed in range(2):
        made_run(tmp_path / f"learned-{seed}", [1.0], [1.0, 2.0], seed=seed, agent=horizon(1))
        made_run(tmp_path / f"random-{seed}", [1.0], [], seed=seed, agent={"agent": {"name": "random"}})
    assert [note for note in compare(tmp_path).notes if "curve" in note] == [
        "random: no curve, since 2 of 2 runs have no completed episode in learning"
    ]
    apart = tmp_path / "apart"
    made_run(apart / "short", [], [1.0], seed=0, column=[1.0] * 5)
    made_run(apart / "late", [], [1.0] * 9, seed=1, column=[float("nan")] * 20 + [1.0] * 25)
    assert [note for note in compare(apart, column="energy.surprise").notes if "curve" in note] == [
        "energy: no curve, since there is no step of learning at which all 2 runs have a value"
    ]


def test_numbers_in_labels_are_short_where_that_tells_groups_apart(tmp_path: Path) -> None:
    for place, rate in enumerate((0.9234904886380133, 0.1)):
        made_run(tmp_path / "far" / f"{place}", [1.0], agent={"learner": {"rate": rate}})
    assert [group.label for group in compare(tmp_path / "far").groups] == ["rate=0.92349", "rate=0.1"]
    for place, rate in enumerate((0.9234904886380133, 0.9234904886380134)):
        made_run(tmp_path / "near" / f"{place}", [1.0], agent={"learner": {"rate": rate}})
    labels = [group.label for group in compare(tmp_path / "near").groups]
    assert labels == ["rate=0.9234904886380133", "rate=0.9234904886380134"]


def test_several_runs_that_repeat_others_are_left_out(three: Path) -> None:
    for seed in (0, 1, 2):
        made_run(three / f"h1-again-{seed}", [100.0], seed=seed, agent=horizon(1))
    assert compare(three).notes[0] == (
        "horizon=1: 3 runs repeat the configuration and the seed of later ones, and are left out"
    )


def test_a_column_that_is_not_there_is_said_with_the_run_once(three: Path) -> None:
    with pytest.raises(UserError, match="is left out: it recorded no 'nope'") as caught:
        compare(three / "h1-0", column="nope")
    assert str(caught.value).count("h1-0") == 1


def test_whatever_lies_in_a_folder_is_compared(three: Path) -> None:
    swept = SimpleNamespace(folder=three)
    assert len(compare(swept).groups) == 3
    rows = finding.find_runs(three, where=["planner.horizon=2"])
    assert [group.label for group in compare(rows).groups] == ["energy"], "the rows, and not all that is in the folder"
    both = compare({"two": rows, "three": [Record.open(three / "h3-0"), three / "h3-1"]})
    assert [len(group.trials) for group in both.groups] == [4, 2]
    with pytest.raises(UserError, match="this SimpleNamespace lies in no folder"):
        compare(SimpleNamespace(folder=None))


def test_a_sweep_of_which_all_runs_failed_points_to_its_table(tmp_path: Path) -> None:
    sweep = tmp_path / "0001-sweep"
    (sweep / "units" / "a" / "seed-0").mkdir(parents=True)
    (sweep / "runs.csv").write_text("run,status\n")
    with pytest.raises(UserError, match=r"holds no run: what became of the runs of this sweep is in .*runs\.csv"):
        compare(sweep)


def test_a_comparison_is_a_table_of_pandas(three: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = compare(three).to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert table["planner.horizon"].tolist() == [1, 2, 3]
    assert table["value"].tolist() == [np.mean(each) for each in (LOW, HIGH, OTHER)]
    assert table["seeds"].tolist() == [4, 4, 4]
    assert table["difference"].tolist()[1:] == pytest.approx([4.25, 0.125])
    assert table["verdict"].tolist()[1:] == ["above", "not told apart"]
