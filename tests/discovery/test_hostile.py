"""Recordings and settings that are odd, hostile or damaged: one sentence, or an answer; nothing is half written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pytest
from click.testing import CliRunner

from agentic import Record, UserError
from agentic_discovery import Discovery, Role, discover
from agentic_discovery.command import discover as command
from agentic_discovery.couplings import Moments, gaussian_couplings
from agentic_discovery.recording import read
from agentic_discovery.verdict import copies

NOISE = np.random.default_rng(0).standard_normal((60, 5))
BASE: dict[Any, Any] = {f"c{place}": column for place, column in enumerate(NOISE.T)}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"a": [[1, 2], [3]] * 30}, "'a' is no array of numbers"),
        ({"a": np.ma.masked_greater(NOISE[:, 0], 1)}, "'a' has [0-9]+ masked values: fill them"),
        ({"a": np.arange(60).astype("datetime64[D]")}, "of type datetime64"),
        ({"a": NOISE[:, 0] + 1j}, "of type complex128"),
        ({"a": [10**30] * 60}, "of type object"),
        ({"a": np.full(60, np.inf)}, "is inf at step 0"),
        ({"c": NOISE[:, :2], "c[0]": NOISE[:, 2]}, r"two columns named 'c\[0\]'"),
        ({0: NOISE[:, 0], "0": NOISE[:, 1]}, "two columns named '0'"),
    ],
)
def test_columns_that_are_no_numbers_are_refused_in_a_sentence(more: dict[Any, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        discover({**BASE, **more})
    assert "\n" not in str(caught.value)
    assert discover({**BASE, **more}, columns=["c1", "c2"]).frame.variables == ("c1", "c2")  # and looked away from


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((0, 4)), "has no steps"),
        ({"a": np.zeros(0)}, "has no steps"),
        (np.zeros((9, 0)), "has no columns"),
        (pa.table({"a": pa.array([], pa.float64())}), "has no steps"),
        (pa.table([pa.array([1.0])] * 2, names=["a", "a"]), "two columns named 'a'"),
        (pa.table({"a": [1.0, None]}), "has 1 gap: fill"),
    ],
)
def test_recordings_without_steps_columns_or_values_are_refused(given: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        discover(given)


@pytest.mark.parametrize(
    ("episode", "said"),
    [
        (np.full(60, np.nan), "does not number episodes"),
        (np.array([{}] * 60, dtype=object), "does not number episodes"),
        ([[1], [2, 3]] * 30, "does not number episodes"),
        (np.arange(30), "30 steps in all do not fit a recording of 60"),
        (np.arange(60) % 2, "not together"),
    ],
)
def test_columns_that_number_no_episodes_are_refused(episode: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        discover({**BASE, "e": episode}, episode="e")


def test_a_column_of_episodes_is_not_asked_of_what_tells_its_own() -> None:
    for recording in (NOISE, read(BASE)):
        with pytest.raises(UserError, match="a column of episodes"):
            discover(recording, episode="e")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lag": 1.5}, "a whole number as lag, got 1.5"),
        ({"lag": "1"}, "a whole number as lag"),
        ({"window": 30.5}, "a whole number as window"),
        ({"window": 61}, "windows of 61 steps do not fit into a recording of 60"),
        ({"seed": -1}, "a seed >= 0"),
        ({"seed": "a"}, "a whole number as seed"),
        ({"objects": True}, "objects, got True"),
        ({"resolution": "fine"}, "a resolution between 1e-06 and 1, got 'fine'"),
        ({"resolution": float("nan")}, "a resolution between"),
        ({"resolution": 1e-9}, "a resolution between"),
        ({"order": 3}, "an order looks like"),
        ({"order": "c0<c*"}, "names the column 'c0' twice"),
        ({"columns": [1]}, "no column is called '1'"),
        ({"estimator": ["plugin"]}, "an estimator of gaussian, neighbors, plugin, got "),
        ({"particles": 2}, "particles by the endings of their coordinates"),
        ({"particles": "x", "reach": "far"}, "a reach above 0, got 'far'"),
        ({"estimator": "neighbors", "lag": 10**9}, "takes too long"),
    ],
)
def test_settings_of_other_kinds_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        discover(BASE, **options)


def test_few_steps_are_an_answer_however_long_the_lag_or_short_the_episodes() -> None:
    assert discover(BASE, lag=10**9).reasons[0].startswith("0 steps are too few")
    assert discover({**BASE, "e": np.arange(60)}, episode="e").reasons[0].startswith("0 steps are too few")
    assert not discover({name: column[:1] for name, column in BASE.items()}).detected
    pairs = discover({**BASE, "e": np.arange(60) // 2}, episode="e")
    assert not any("share" in reason for reason in pairs.reasons)  # two steps tell nothing of the one before the last


def test_units_do_not_matter() -> None:
    values = NOISE.cumsum(0)
    units = 10.0 ** np.array([-300, -12, 0, 150, 300])
    one, other = (Moments.of(each, (60,)) for each in (values, values * units))
    assert np.allclose(one.covariance, other.covariance, atol=1e-12)
    kept, twins, still = copies(read(values * units), 0.01)
    assert (kept, twins, still) == ([0, 1, 2, 3, 4], [], [])
    huge = np.where(np.arange(60) % 2, 1.7e308, -1.7e308)
    assert np.isfinite(Moments.of(np.stack([huge, NOISE[:, 0]], 1), (60,)).covariance).all()
    ranks = np.zeros(5, np.intp)
    assert np.allclose(gaussian_couplings(one, ranks).nats, gaussian_couplings(other, ranks).nats, atol=1e-8)


def test_the_same_seed_gives_the_same_bits_and_json_without_nan() -> None:
    walks = np.random.default_rng(1).standard_normal((300, 6)).cumsum(0)
    walks[1:] += 0.5 * np.roll(walks[:-1], 1, axis=1)
    whole: dict[str, Any] = {"lag": np.int64(1)}
    said = [json.dumps(discover(walks, **whole).to_dict(), allow_nan=False) for _ in range(2)]
    assert said[0] == said[1]


def test_data_frames_are_taken_and_their_index_is_no_column() -> None:
    assert read(pa.table(BASE)).names == tuple(BASE)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(BASE, index=np.arange(60)[::-1])
    assert read(frame).names == tuple(BASE)
    assert read(frame).values.tolist() == NOISE.tolist()
    with pytest.raises(UserError, match="Duplicate column names"):
        read(frame.set_axis(["a"] * 5, axis=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,a\n1,2\n", "two columns named 'a'"),
        ("a,b\n", "has no steps"),
        ("a;b\n1,5;2\n", "commas between columns"),
        ("a,b\n1,nan\n2,3\n", "has 1 gap"),
        ("when,b\n2020-01-01,2\n", "expected numbers"),
    ],
)
def test_odd_files_are_refused_in_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path / "r.csv")
    assert "\n" not in str(caught.value)


def some() -> Discovery:
    """A discovery of noise, with roles as if a boundary had been told."""
    words = ("world", "sensor", "actuator", "inside", "world")
    found = discover(BASE)
    roles = tuple(Role(name, int(word != "world"), word, 1.0, 1) for name, word in zip(BASE, words, strict=True))
    return replace(found, roles=roles, detected=True, reasons=())


def test_what_is_killed_while_it_saves_leaves_nothing_that_is_read_as_whole(tmp_path: Path) -> None:
    def half(rows: Any, file: Path) -> None:
        file.write_bytes(b"PAR1 and then")
        raise KeyboardInterrupt

    with mock.patch("pyarrow.parquet.write_table", half), pytest.raises(KeyboardInterrupt):
        some().save(tmp_path / "found")
    assert not (tmp_path / "found" / "ticks-000000.parquet").exists()
    assert not Record.open(tmp_path / "found").episodes()
    some().save(tmp_path / "found")  # and once more in the same place
    assert Record.open(tmp_path / "found").episodes()[0].length == 59


def test_a_folder_that_has_a_record_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    saved = some().save(tmp_path / "found")
    answered = CliRunner().invoke(command, [str(tmp_path / "nowhere.csv"), "--save", str(saved)])
    assert "already holds a record" in str(answered.exception)


def test_what_was_discovered_is_shown_where_it_cannot_be_saved(tmp_path: Path) -> None:
    pc.write_csv(pa.table(BASE), tmp_path / "r.csv")
    (tmp_path / "file").write_text("")
    found = some()
    with mock.patch("agentic_discovery.asked.discovered", return_value=found):
        answered = CliRunner().invoke(command, [str(tmp_path / "r.csv"), "--save", str(tmp_path / "file")])
    assert "sensor" in answered.output
    assert isinstance(answered.exception, UserError)


def test_of_many_copies_four_pairs_are_named_and_a_table_of_world_alone_is_no_proposal(tmp_path: Path) -> None:
    pa_table = pa.table({**BASE, **{f"again {name}": column for name, column in BASE.items()}})
    pc.write_csv(pa_table, tmp_path / "twice.csv")
    said = CliRunner().invoke(command, [str(tmp_path / "twice.csv")]).output
    assert "c3 and again c3, and 1 more are copies of each other" in " ".join(said.split())
    assert "least energy: all is world" in said
