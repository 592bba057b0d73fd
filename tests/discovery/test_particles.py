"""Particles: coordinates that are one thing, forces between them, and what is refused."""

from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from agentic import UserError
from agentic_discovery import discover
from agentic_discovery.columns import Columns
from agentic_discovery.command import discover as command
from agentic_discovery.particles import Forces, axes_of, fitted_reach, force_couplings, of_things, particles, things
from agentic_envs.planted import Planted
from agentic_envs.planted.cell import cell

NAMES = ("a.x", "t", "a.y", "b_x", "b_y", "c.x")


def columns(planted: Planted) -> Columns:
    return Columns(planted.names, planted.values, planted.episodes)


def test_columns_of_one_stem_are_one_thing_and_others_single() -> None:
    assert axes_of("x, y") == ("x", "y")
    assert particles(NAMES, ("x", "y")) == [[0, 2], [3, 4]]
    assert things(NAMES, ("x", "y")).tolist() == [0, 1, 0, 2, 2, 3]
    assert things(NAMES, ()).tolist() == [0, 1, 2, 3, 4, 5]
    nats = np.arange(36.0).reshape(6, 6)
    summed = of_things(nats, things(NAMES, ("x", "y")))
    assert summed[0, 2] == nats[0, 3] + nats[0, 4] + nats[2, 3] + nats[2, 4]
    assert np.diagonal(summed).tolist() == [0, 0, 0, 0]


def test_a_force_falls_off_with_the_distance() -> None:
    values = np.array([[0.0, 0.0, 3.0, 4.0]])
    found = Forces(Columns(("a.x", "a.y", "b.x", "b.y"), values, (1,)), [[0, 1], [2, 3]], 5.0)
    forces = found.on(0).values[0, 4:].tolist()  # by axis and then by particle
    assert forces == pytest.approx([0, 3 * np.exp(-0.5), 0, 4 * np.exp(-0.5)])
    assert found.owners.tolist() == [0, 0, 2, 2]


def test_a_force_of_short_reach_is_heard_and_its_reach_found() -> None:
    source = np.random.default_rng(0)
    places = source.uniform(-2, 2, (1500, 2, 2))
    noise = 0.3 * source.standard_normal((1500, 2))
    for step in range(1, 1500):
        way = places[step - 1, 0] - places[step - 1, 1]
        places[step, 1] = 4 * way * np.exp(-(way @ way) / (2 * 0.5**2)) + noise[step]
    recording = Columns(("a.x", "a.y", "b.x", "b.y"), places.reshape(1500, 4), (1500,))
    ranks = np.zeros(4, np.intp)
    found = force_couplings(Forces(recording, [[0, 1], [2, 3]], 0.5), 1, 0.01, ranks)
    assert (of_things(found.nats, np.array([0, 0, 1, 1])) > 0).tolist() == [[False, True], [False, False]]
    assert found.nats[0, 2] == found.nats[1, 2] > 100  # the part of a particle is shared by its coordinates


def test_a_small_cell_is_coupled_as_its_forces_are() -> None:
    planted = cell(3, inside=3, membrane=4, bath=5, steps=1000)
    places, numbers = particles(planted.names, ("x", "y")), things(planted.names, ("x", "y"))
    still = np.zeros(24, np.intp)
    nats = of_things(force_couplings(Forces(columns(planted), places, 1.0), 1, 0.01, still).nats, numbers)
    roles = planted.roles[::2]
    inner, outer = ([place for place, role in enumerate(roles) if role == wanted] for wanted in ("inside", "world"))
    assert (nats[np.ix_(inner, outer)] == 0).all()
    assert (nats[np.ix_(outer, inner)] == 0).all()
    assert (nats[np.ix_(inner, inner)] > 0).sum() == 6
    assert fitted_reach(columns(planted), places, 1, 0.01, still) > 0.4


def test_particles_in_one_place_have_a_reach() -> None:
    still = Columns(("a.x", "a.y", "b.x", "b.y"), np.zeros((20, 4)), (20,))
    assert fitted_reach(still, [[0, 1], [2, 3]], 1, 0.01, np.zeros(4, np.intp)) == 1.0


@pytest.mark.slow
def test_a_cell_is_one_object_and_coordinates_have_one_role() -> None:
    planted = cell(100)
    found = discover(dict(zip(planted.names, planted.values.T, strict=True)), particles="x,y")
    assert [role.role for role in found.roles] == list(planted.roles)
    assert [role.object for role in found.roles] == list(planted.objects)
    assert 0.5 < found.settings["reach"] < 2


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        ("ax ay bx by", {"particles": "x,y"}, r"that end in \.x or _x and \.y or _y, and there are 0"),
        ("a.x a.y b.x c.y", {"particles": "x,y"}, "and there are 1"),
        ("a.x a.y b.x b.y", {"particles": "x,,y"}, "as 'x,y', got 'x,,y'"),
        ("a.x a.y b.x b.y", {"particles": "x,y", "estimator": "plugin"}, "the gaussian estimator with particles"),
        ("a.x a.y b.x b.y", {"reach": 1.0}, "particles where a reach is given"),
        ("a.x a.y b.x b.y", {"particles": "x,y", "reach": 0.0}, "a reach above 0, got 0.0"),
        ("a.x a.y b.x b.y", {"particles": "x,y", "order": "a.x<a.y<b"}, "a.x and a.y at different places"),
    ],
)
def test_particles_that_are_none_are_refused(names: str, options: dict[str, Any], said: str) -> None:
    values = np.random.default_rng(0).standard_normal((40, 4))
    with pytest.raises(UserError, match=said) as caught:
        discover(dict(zip(names.split(), values.T, strict=True)), **options)
    assert "\n" not in str(caught.value)


def test_the_command_takes_particles(tmp_path: Any) -> None:
    values = np.random.default_rng(0).standard_normal((200, 8))
    names = [f"p{number}_{axis}" for number in range(4) for axis in "xy"]
    np.savez(tmp_path / "r.npz", **dict(zip(names, values.T, strict=True)))
    shown = CliRunner().invoke(command, [str(tmp_path / "r.npz"), "--particles", "x,y", "--reach", "0.5", "--json"])
    assert shown.exit_code == 0, shown.output
    assert '"particles": "x,y"' in shown.output
    assert "x,y of a particle are one thing" in shown.output
