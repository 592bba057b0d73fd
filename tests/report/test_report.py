"""The page of a bench, of a run, and the index: whole from whole folders, and never broken by what is missing."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import Any

import pytest

import agentic
from agentic import UserError, Verdict
from agentic.cli import main
from agentic.runs import RunFolder
from agentic_bench import Cell
from agentic_report.command import SECONDS
from agentic_report.grid import shown
from agentic_report.listing.finding import SAID
from agentic_report.replays import replays
from tests.report.folders import AGENTS, SCORES, STRANGE, WORLDS, bench_cells, bench_folder, run_folder
from tests.report.made_runs import made_run


class Page(HTMLParser):
    """What a browser finds in a page: tags with attributes, and the text outside of scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[Any] = []
        self.text = ""
        self._inside = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "application/json":
            self.data.append(json.loads(data))
        elif self._inside not in ("script", "style"):
            self.text += data

    @property
    def charts(self) -> list[list[dict[str, Any]]]:
        """The views of each chart."""
        return [each for each in self.data if isinstance(each, list)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    bench_folder(runs / "0001-bench-battery", seeds=1)
    run_folder(runs / "0002-maze")
    return runs


@pytest.fixture(scope="module")
def bench(folders: Path) -> Page:
    return Page(agentic.report(folders / "0001-bench-battery"))


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A bench whose runs are gone, to be broken."""
    return bench_cells(tmp_path / "bench", seeds=1)


def test_a_bench_is_one_page(folders: Path, bench: Page) -> None:
    file = folders / "0001-bench-battery" / "report.html"
    assert file.stat().st_size < 8e6
    assert [attrs["lang"] for tag, attrs in bench.tags if tag == "html"] == ["en"]
    levels = [int(tag[1]) for tag, _ in bench.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_no_request_leaves_the_page(bench: Page) -> None:
    addresses = [attrs.get(name) for _, attrs in bench.tags for name in ("src", "href") if attrs.get(name)]
    assert addresses
    assert all(str(address).startswith(("#", "data:")) for address in addresses)
    policies = [attrs["content"] for tag, attrs in bench.tags if tag == "meta" and "http-equiv" in attrs]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'")


def test_every_agent_and_column_is_there(bench: Page) -> None:
    cells = [attrs["title"] for tag, attrs in bench.tags if tag == "td" and "title" in attrs]
    assert len(cells) == len(WORLDS) * len(AGENTS) * len(SCORES)
    assert f"{STRANGE}, empowerment: 1.58 bits, exact; no null; 2 seeds; estimator: by hand" in cells
    assert "rock, empowerment: does not apply: rock has no channel & <none>" in cells


def test_cells_say_how_they_stand_to_their_null(bench: Page) -> None:
    looks = {str(attrs["title"]).partition(":")[0]: attrs["class"] for tag, attrs in bench.tags if "title" in attrs}
    assert looks["planner-40, AI under swap"] == "outside"
    assert looks["clone, AI under swap"] == "inside"
    assert looks["rock, empowerment"] == "missing"
    assert looks["rock, episode_return"] == ""


def test_texts_of_files_stay_texts(bench: Page) -> None:
    assert bench.text.count(STRANGE) > 4
    assert STRANGE not in bench.source
    assert [attrs for tag, attrs in bench.tags if tag == "title"] == [{}]


def test_charts_hold_the_values_and_say_what_they_show(bench: Page) -> None:
    labels = [attrs.get("aria-label") for _, attrs in bench.tags if attrs.get("class") == "drawing"]
    assert len(labels) == len(bench.charts) == 4
    assert labels[0] == "Profile of 5 agents on 6 metrics in maze; the table above holds the same values."
    planner, clone = bench.charts[0][0]["data"][:2]
    assert planner["y"] == clone["y"]
    assert [a - b for a, b in zip(planner["x"], clone["x"], strict=True)] == [
        0,
        0,
        0,
        0,
        1,
        1,
    ]  # apart where it changes
    assert max(max(trace["x"]) for trace in bench.charts[0][0]["data"]) == 1
    assert min(min(trace["x"]) for trace in bench.charts[0][0]["data"]) == 0


def test_energies_of_a_view_add_up(bench: Page) -> None:
    view = next(view for view in bench.charts[3] if view["label"] == "planner-40 in maze")
    terms = {trace["name"]: trace["y"] for trace in view["data"]}
    for free, complexity, accuracy in zip(*(terms[k] for k in ("free energy", "complexity", "accuracy")), strict=True):
        assert free == pytest.approx(complexity - accuracy, abs=1e-3)


def test_learning_is_drawn_for_those_that_learn(bench: Page) -> None:
    (view,) = bench.charts[2]
    assert view["label"] == "pole & cart"
    assert {trace["name"] for trace in view["data"]} == {"planner-40", "clone"}
    assert all(0 < step <= 40 for trace in view["data"] for step in trace["x"])


def test_replays_can_be_chosen(bench: Page) -> None:
    slots = [attrs["data-replay"] for _, attrs in bench.tags if "data-replay" in attrs]
    options = [attrs["value"] for tag, attrs in bench.tags if tag == "option" and "/" in str(attrs.get("value"))]
    assert sorted(map(str, slots)) == sorted(map(str, options))
    assert {"maze/planner-40", f"pole & cart/{STRANGE}"} <= {*slots}
    (first,) = [attrs["value"] for tag, attrs in bench.tags if "selected" in attrs and "/" in str(attrs["value"])]
    assert first in ("maze/planner-40", "maze/clone")  # the only ones with beliefs and plans


def test_replays_without_room_are_named(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [("maze", agent, folders / "0002-maze") for agent in ("a", "b")]
    monkeypatch.setattr("agentic_report.replays.ROOM", 1 + len(replays(runs).shown[0][2]))
    cut = replays(runs)
    assert [agent for _, agent, _ in cut.shown] == ["a"]
    assert cut.left == ["b in maze"]


@pytest.mark.parametrize(("value", "tag", "said"), [(0.01, "in null", ""), (-0.5, "below null", "it lies below, and ")])
def test_a_value_inside_its_null_says_that_the_test_is_one_sided(value: float, tag: str, said: str) -> None:
    cell = Cell(agent="a", world="w", metric="m", value=value, low=value, high=value, verdict=Verdict.INSIDE)
    found = shown(replace(cell, null=0.0, null_low=-0.1, null_high=0.1), {})
    assert (found.tag, found.look) == (tag, "inside")
    judged = f"inside the null ({said}the test is one-sided: only values above the null are told from it)"
    assert judged in found.details


def test_every_column_says_what_it_is(bench: Page) -> None:
    heads = [attrs["title"] for tag, attrs in bench.tags if tag == "th" and attrs.get("class") == "column"]
    assert len(heads) == len(WORLDS) * len(SCORES)
    assert heads[0] == (
        "episode_return, reward; Mean return of complete evaluation episodes, in units of reward; "
        "measured from records; goal: reward"
    )


def test_columns_are_in_the_order_of_the_terminal(bench: Page) -> None:
    heads = [str(attrs["title"]) for tag, attrs in bench.tags if tag == "th" and attrs.get("class") == "column"]
    assert [head.partition(", ")[0] for head in heads] == [*SCORES] * len(WORLDS)


def test_measures_of_one_metric_with_several_goals_are_kept_apart(cells: Path) -> None:
    for path in cells.glob("units/*/*/*/measurements.json"):
        table = json.loads(path.read_text())
        for label, goal in (("policy_complexity", "to win"), ("transfer_entropy", "to lose")):
            table["measurements"][label] |= {"metric": "policy_complexity"}
            table["measurements"][label]["frame"]["goal"] = goal
        path.write_text(json.dumps(table))
    (cells / "battery.toml").write_text(
        (cells / "battery.toml")
        .read_text()
        .replace(
            'label = "transfer_entropy"\nname = "transfer_entropy"',
            'label = "transfer_entropy"\nname = "policy_complexity"',
        )
    )
    text = Page(agentic.report(cells)).text
    assert text.count("goal: to win") == text.count("goal: to lose") == len(WORLDS)
    assert "goal: reward" not in text


def test_a_value_without_bound_is_shown() -> None:
    empty = Cell(agent="a", world="w", metric="beta", verdict=Verdict.OUTSIDE)
    assert shown(empty, {"value": "inf"}).value == "∞"
    assert shown(empty, {"value": "nan"}).value == "–"


def test_how_to_get_it_again(bench: Page) -> None:
    for said in ("agentic bench battery.toml", "agentic run units/maze/planner-40/seed-0/experiment.toml", "ab" * 32):
        assert said in bench.text
    assert "policy_adaptation" in bench.text
    assert "Kenton et al. 2022" in bench.text


def test_the_same_folder_gives_the_same_bytes(folders: Path, tmp_path: Path, bench: Page) -> None:
    again = agentic.report(folders / "0001-bench-battery", tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == bench.source


def test_a_run(folders: Path) -> None:
    page = Page(agentic.report(folders / "0002-maze"))
    for said in ("energy in agentic/TMaze-v0", "mean return of 2 episodes", "agentic run experiment.toml"):
        assert said in page.text
    assert any(str(attrs.get("title")).startswith("energy, policy_complexity: 0.516") for _, attrs in page.tags)
    assert len(page.charts) == 1  # nothing was learned
    assert sum("data-replay" in attrs for _, attrs in page.tags) == 1


def test_the_command_writes_the_page_of_a_bench_that_jobs_were_carried_out_for(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Path(copytree(folders / "0001-bench-battery", tmp_path / "bench"))
    RunFolder(place).manifest_file.write_text('{"status": "finished", "executor": "processes"}')
    assert main(["report", str(place)]) == 0
    assert capsys.readouterr().out == f"{place / 'report.html'}\n"


def test_the_index(folders: Path, bench: Page, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folders), "--json"]) == 0
    path = Path(json.loads(capsys.readouterr().out)["report"])
    assert path == folders / "index.html"
    page = Page(path)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("href") != "#main"]
    assert "0001-bench-battery/report.html" in links
    assert all((folders / str(link)).is_file() for link in links)
    for said in ("0002-maze", "agentic/TMaze-v0", "5 agents"):
        assert said in page.text


def rows(page: Page) -> list[str]:
    """The names of the lines of an index."""
    return [str(attrs["data-value"]) for tag, attrs in page.tags if tag == "th" and "data-value" in attrs]


def test_the_index_has_every_run_of_benches_and_sweeps_and_the_columns_of_the_terminal(tmp_path: Path) -> None:
    bench_cells(tmp_path / "0001-bench")
    for seed in range(2):
        made_run(tmp_path / "0002-sweep" / "units" / "as-it-is" / f"seed-{seed}", [1.0], seed=seed)
    inner = made_run(tmp_path / "0001-bench" / "units" / "maze" / "rock" / "seed-7", [float("nan"), 2.0], seed=7)
    made_run(tmp_path / "0003-alone", [2.0, 4.0], [1.0])
    agentic.report(inner)
    page = Page(agentic.report(tmp_path))
    sweep = [f"0002-sweep/units/as-it-is/seed-{seed}" for seed in range(2)]
    assert rows(page) == ["0003-alone", "0002-sweep", *sweep, "0001-bench", "0001-bench/units/maze/rock/seed-7"]
    assert "0001-bench/units/maze/rock/seed-7/report.html" in [attrs.get("href") for _, attrs in page.tags]
    heads = [attrs["title"] for tag, attrs in page.tags if tag == "th" and attrs.get("scope") == "col"]
    assert heads == [*SAID.values()]
    assert all(said in page.text for said in SAID.values()), "in words too"
    assert "nan" not in page.text
    assert "1 run, 1 bench, 1 sweep, the newest first, each followed by the runs in it (3 in all)." in page.text
    names = [attrs["data-name"] for tag, attrs in page.tags if tag == "td"]
    assert names == [*SAID][1:] * len(rows(page)), "a card on a phone has the columns' names"


def test_experience_without_a_whole_episode_is_said(tmp_path: Path) -> None:
    record = agentic.run("cartpole", steps=3, episodes=1, planner={"horizon": 2}, out=tmp_path)
    text = Page(agentic.report(record)).text
    assert "No episode ended in the 3 steps of experience: there is no curve of returns." in text
    assert "Energies in the first evaluated episode" in text
    assert "Nothing was learned" not in text
    assert "95 % interval" not in text, "of one episode there is none"


def test_a_page_of_what_goes_on_looks_again(tmp_path: Path) -> None:
    for status, looks in (("running", True), ("finished", False), ("interrupted", False)):
        for folder in (made_run(tmp_path / status, [1.0], status=status), bench_cells(tmp_path / f"b{status}")):
            table = json.loads((folder / "manifest.json").read_text())
            (folder / "manifest.json").write_text(json.dumps({**table, "status": status}))
            page = Page(agentic.report(folder))
            assert any(attrs.get("data-refresh") == "5" for _, attrs in page.tags) is looks, folder
            assert any(attrs.get("id") == "stay" for _, attrs in page.tags) is looks


def test_a_run_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made_run(tmp_path / "run", [1.0], status="running")
    texts = list[str]()

    def meanwhile(seconds: float) -> None:
        assert seconds == SECONDS
        texts.append((folder / "report.html").read_text())
        if len(texts) == 2:
            rmtree(folder)
            made_run(folder, [1.0, 3.0])

    monkeypatch.setattr("agentic_report.command.sleep", meanwhile)
    assert main(["report", str(folder), "--follow"]) == 0
    assert ["mean return of 1 episode" in text for text in texts] == [True, True]
    assert "mean return of 2 episodes" in (folder / "report.html").read_text()


def test_the_page_of_a_killed_run_says_so(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", [1.0], status="running", returns=None, chunks={})
    assert "Not finished: interrupted: killed before it could say so." in Page(agentic.report(folder)).text


def test_a_killed_bench_says_so(tmp_path: Path) -> None:
    folder = bench_cells(tmp_path, status="running")
    (folder / "cells.json").unlink()
    rmtree(folder / "units" / "maze")
    page = Page(agentic.report(folder))
    assert "Unfinished: 30 of 60 cells." in page.text
    assert any(str(attrs.get("title")).startswith("clone, AI under swap: 0") for _, attrs in page.tags)


def test_an_interrupted_bench_says_so(tmp_path: Path) -> None:
    folder = bench_cells(tmp_path, status="interrupted")
    table = json.loads((folder / "cells.json").read_text())
    (folder / "cells.json").write_text(json.dumps({**table, "cells": table["cells"][:12]}))
    assert "Unfinished: 12 of 60 cells." in Page(agentic.report(folder)).text


@pytest.mark.parametrize("name", ["manifest.json", "cells.json", "battery.toml"])
@pytest.mark.parametrize("content", [None, "{", '{"cells": [1, {"agent": 2}], "worlds": 3, "git": 4}'])
def test_half_written_files_break_nothing(cells: Path, name: str, content: str | None) -> None:
    (cells / name).unlink()
    if content is not None:
        (cells / name).write_text(content)
    assert "planner-40" in Page(agentic.report(cells)).text


def with_verdict(folder: Path, word: Any) -> Path:
    """A bench whose first cell has another verdict."""
    table = json.loads((folder / "cells.json").read_text())
    table["cells"][0]["verdict"] = word
    (folder / "cells.json").write_text(json.dumps(table))
    return folder


def test_a_word_that_is_no_verdict_is_one_sentence(cells: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(with_verdict(cells, "outside the hull"))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cells.json: maze, planner-40, " in line
    assert "'outside the hull' is no verdict, did you mean 'outside the null'?" in line


def test_a_bench_that_cannot_be_read_costs_the_index_its_own_line_only(tmp_path: Path) -> None:
    with_verdict(bench_cells(tmp_path / "0001-received", seeds=1), "perhaps")
    bench_cells(tmp_path / "0002-ours", seeds=1)
    text = Page(agentic.report(tmp_path)).text
    assert "cannot be read: cells.json: maze, planner-40, " in text
    assert "'perhaps' is no verdict" in text
    assert "5 agents" in text


@pytest.mark.parametrize("verdict", [None, 3])
def test_a_cell_without_a_verdict_is_undefined(cells: Path, verdict: Any) -> None:
    assert "; undefined; " in Page(agentic.report(with_verdict(cells, verdict))).source


def test_half_written_units_break_nothing(folders: Path, tmp_path: Path) -> None:
    folder = copytree(folders / "0001-bench-battery", tmp_path / "bench", ignore=ignore_patterns("pole-cart*", "r*"))
    unit = folder / "units" / "maze" / "planner-40" / "seed-0"
    (unit / "ticks-000000.parquet").write_bytes(b"PAR1 and no more")
    (unit / "measurements.json").write_text('{"measurements": {"AI under swap": {"value": "much"}}}')
    page = Page(agentic.report(folder))
    (energies,) = page.charts[2:]
    assert [view["label"] for view in energies] == ["clone in maze"]
    assert "planner-40 in maze: " in page.text  # among those that cannot be replayed


@pytest.mark.parametrize("left", ["manifest.json", "ticks-000000.parquet"])
def test_a_run_of_which_little_is_left(folders: Path, tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_bytes((folders / "0002-maze" / left).read_bytes())
    page = Page(agentic.report(tmp_path))
    assert ("mean return of 2 episodes" in page.text) is left.startswith("ticks")


def test_folders_that_hold_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="holds no run and no bench"):
        agentic.report(tmp_path)
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_page_that_cannot_be_written(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folders / "0002-maze"), "--out", str(folders / "nowhere" / "page.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_sweep_is_no_bench_of_nothing(tmp_path: Path) -> None:
    for seed in range(2):
        made_run(tmp_path / "0001-sweep" / "units" / "as-it-is" / f"seed-{seed}", [1.0], seed=seed)
    with pytest.raises(UserError, match="is a sweep: its page is made by agentic compare"):
        agentic.report(tmp_path / "0001-sweep")
    text = Page(agentic.report(tmp_path)).text
    assert "0001-sweepsweep2 runs" in text.replace("\n", "")
