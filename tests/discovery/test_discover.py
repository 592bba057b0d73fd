"""Boundaries that were planted are discovered, and none where there is none; what is saved can be measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pytest
from click.testing import CliRunner

from agentic import Record, UserError
from agentic_discovery import Discovery, discover
from agentic_discovery.command import discover as command
from agentic_discovery.recording import read
from agentic_envs.planted import Planted, network, structureless

SMALL: dict[str, Any] = {"world": 7, "sensors": 2, "actuators": 2, "inside": 5, "steps": 1000, "density": 0.4}


def found_in(planted: Planted, **options: Any) -> Discovery:
    return discover(dict(zip(planted.names, planted.values.T, strict=True)), **options)


def exact(found: Discovery, planted: Planted) -> bool:
    return [role.role for role in found.roles] == list(planted.roles)


@pytest.fixture(scope="module")
def small() -> tuple[Planted, Discovery]:
    planted = network(3, **SMALL)
    return planted, found_in(planted, objects=1)


def test_a_planted_boundary_is_discovered(small: tuple[Planted, Discovery]) -> None:
    planted, found = small
    assert found.detected
    assert exact(found, planted)
    assert [role.object for role in found.roles] == list(planted.objects)
    assert found.objects == 1
    assert found.boundary_evidence > 3
    assert abs(found.leak) < 0.05
    assert all(role.probability > 0.3 for role in found.roles)
    assert all(other.more >= 0 for other in found.alternatives)


@pytest.mark.slow
def test_permuted_columns_have_permuted_roles(small: tuple[Planted, Discovery]) -> None:
    planted, found = small
    order = np.random.default_rng(0).permutation(len(planted.names))
    again = discover({planted.names[place]: planted.values[:, place] for place in order}, objects=1)
    assert [role.role for role in again.roles] == [found.roles[place].role for place in order]
    assert again.energy == pytest.approx(found.energy)


def test_nothing_is_detected_in_noise_and_of_structureless_data() -> None:
    source = np.random.default_rng(0)
    for recording in (source.standard_normal((500, 8)), source.standard_normal((500, 8)).cumsum(0)):
        assert not discover(recording).detected
    found = found_in(structureless(0, 8, 0.2, steps=500))
    assert not found.detected
    assert "too little evidence" in str(found)


@pytest.mark.slow
def test_every_second_step_is_not_trusted() -> None:
    planted = network(1, **{**SMALL, "steps": 3000})
    found = discover(planted.values[::2])
    doubts = [*found.reasons, *found.cautions]
    assert any("steps are longer than the loop" in doubt for doubt in doubts)


@pytest.mark.slow
def test_copies_and_columns_that_never_change_are_said(small: tuple[Planted, Discovery]) -> None:
    planted, found = small
    twin = planted.values[:, :1] + 1e-5 * np.random.default_rng(0).standard_normal((len(planted.values), 1))
    wide = np.concatenate([planted.values, twin, np.ones_like(twin)], axis=1)
    again = discover(wide)
    assert [role.role for role in again.roles[:-2]] == [role.role for role in found.roles]
    assert again.roles[-2].role == found.roles[0].role
    assert again.roles[-1].part == 0
    assert any("copies of each other" in caution for caution in again.cautions)
    assert any("never changes" in caution for caution in again.cautions)


def test_a_belief_that_copies_what_is_seen_is_no_inside() -> None:
    source = np.random.default_rng(0)
    obs = source.standard_normal((600, 3)).cumsum(0) * 0.1
    recording = {
        "obs": obs,
        "belief.mean": obs + 1e-6 * source.standard_normal(obs.shape),
        "action": source.standard_normal(600),
    }
    found = discover(recording)
    assert not found.detected
    assert "holds no inside apart from them" in str(found)


def test_a_single_loop_has_no_inside() -> None:
    noise = np.random.default_rng(0).standard_normal((3000, 6))
    for step in range(1, 3000):
        noise[step] += 0.8 * np.roll(noise[step - 1], 1)
    found = discover(noise)
    assert not found.detected
    assert any("single loop" in reason for reason in found.reasons)


def test_too_few_steps_are_an_answer() -> None:
    found = discover(np.random.default_rng(0).standard_normal((20, 8)))
    assert found.reasons == ("19 steps are too few for so many columns: give at least 24",)


def test_windows_that_are_too_short_are_refused_before_anything_is_looked_at() -> None:
    with pytest.raises(UserError, match="windows of 12 steps are too short for 8 columns: give at least 13"):
        discover(np.random.default_rng(0).standard_normal((2000, 8)), window=12)
    assert len(discover(np.random.default_rng(0).standard_normal((40, 8)), window=13).windows) == 3


@pytest.mark.slow
def test_windows_have_roles_of_their_own() -> None:
    planted = network(3, **{**SMALL, "steps": 1200})
    found = found_in(planted, window=600)
    assert [(window.first, window.last) for window in found.windows] == [(0, 600), (600, 1200)]
    assert all(len(window.roles) == len(planted.names) for window in found.windows)
    assert found.windows[0].roles == planted.roles


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lag": 0}, "lag >= 1"),
        ({"resolution": 0.0}, "between 1e-06 and 1"),
        ({"window": 1}, "at least 2 steps"),
        ({"objects": 0}, "objects, got 0"),
        ({"objects": "many"}, "'auto' or"),
        ({"columns": "y"}, "no column is called"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        discover(np.zeros((10, 4)), **options)


def test_the_record_of_an_object_has_its_boundary(small: tuple[Planted, Discovery], tmp_path: Path) -> None:
    planted, found = small
    saved = found.save(tmp_path / "found")
    for record in (found.record(), Record.open(saved)):
        (episode,) = record.episodes("evaluate")
        sensors = [place for place, role in enumerate(planted.roles) if role == "sensor"]
        assert episode.length == 999
        assert episode.complete
        assert np.array_equal(episode.arrays["obs"], planted.values[:-1, sensors])
        assert np.array_equal(episode.arrays["next_obs"], planted.values[1:, sensors])
        assert episode.arrays["belief.internal"].shape == (999, 5)
        assert episode.arrays["belief.external"].shape == (999, 7)
    assert Record.open(saved).manifest["discovered"]["object"] == 1
    assert read(saved).order is None
    with pytest.raises(UserError, match="already holds a record"):
        found.save(tmp_path / "found")
    with pytest.raises(UserError, match="there is no object 2"):
        found.record(2)


def test_without_a_boundary_nothing_is_saved() -> None:
    with pytest.raises(UserError, match="nothing to save"):
        discover(np.random.default_rng(0).standard_normal((100, 4))).record(proposal=True)
    ring = np.random.default_rng(0).standard_normal((500, 5))
    for step in range(1, 500):
        ring[step, 1:] += 0.8 * ring[step - 1, :-1]
        ring[step, 0] += 0.5 * ring[step - 1, 3]
    found = discover(ring)
    assert not found.detected
    with pytest.raises(UserError, match="nothing to save"):
        found.record()
    assert found.record(proposal=True).columns[4:7] == ["obs", "next_obs", "action"]


def test_the_command_saves_and_answers_in_json(small: tuple[Planted, Discovery], tmp_path: Path) -> None:
    planted, found = small
    pc.write_csv(pa.table(dict(zip(planted.names, planted.values.T, strict=True))), tmp_path / "r.csv")
    options = ["--objects", "1", "--save", str(tmp_path / "found"), "--json"]
    answered = CliRunner().invoke(command, [str(tmp_path / "r.csv"), *options])
    assert answered.exit_code == 0, answered.output
    assert (tmp_path / "found" / "manifest.json").exists()
    content = json.loads(answered.stdout)
    assert content["folder"] == str(tmp_path / "found")
    assert content["detected"] is True
    assert [role["role"] for role in content["roles"]] == [role.role for role in found.roles]
    assert content["boundary_evidence"] == found.boundary_evidence


def test_no_boundary_ends_with_zero(tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", x=np.random.default_rng(0).standard_normal((200, 4)))
    shown = CliRunner().invoke(command, [str(tmp_path / "r.npz"), "--save", str(tmp_path / "found")])
    assert shown.exit_code == 0
    assert "no boundary told" in shown.output
    assert not (tmp_path / "found").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_networks_of_28_columns(seed: int) -> None:
    for steps in (2000, 300):
        planted = network(seed, steps=steps)
        found = found_in(planted)
        assert found.detected
        assert exact(found, planted)


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.06, 0.1, 0.2, 0.35])
def test_structureless_networks_of_28_columns(density: float) -> None:
    assert not found_in(structureless(100, density=density)).detected
