"""A cell of particles: what its membrane keeps apart, and what its columns are."""

import numpy as np

from agentic_envs.planted.cell import cell


def test_columns_are_the_coordinates_of_thirty_particles() -> None:
    found = cell(0, steps=50)
    assert found.values.shape == (50, 60)
    assert found.names[:3] == ("p0.x", "p0.y", "p1.x")
    assert {role: found.roles.count(role) // 2 for role in set(found.roles)} == {
        "world": 14,
        "sensor": 5,
        "actuator": 5,
        "inside": 6,
    }
    assert all(found.roles[place] == found.roles[place + 1] for place in range(0, 60, 2))


def test_the_bath_lies_around_the_membrane_and_the_membrane_around_the_inside() -> None:
    found = cell(1, steps=2000)
    radius = np.hypot(*found.values.mean(0).reshape(-1, 2).T)
    roles = np.array(found.roles[::2])
    assert radius[roles == "inside"].max() < radius[np.isin(roles, ["sensor", "actuator"])].min()
    assert radius[np.isin(roles, ["sensor", "actuator"])].max() < radius[roles == "world"].min()


def test_a_particle_alone_is_held_as_in_its_trap() -> None:
    """Ornstein-Uhlenbeck in steps: the variance is noise^2 / (hold (2 - dt hold))."""
    lonely = cell(2, inside=0, membrane=0, bath=1, steps=10_000)
    assert abs(lonely.values.var(0).mean() / (0.3**2 / (0.5 * (2 - 0.1 * 0.5))) - 1) < 0.1


def test_a_seed_says_all() -> None:
    assert (cell(1, steps=5).values == cell(1, steps=5).values).all()
    assert (cell(1, steps=5).values != cell(2, steps=5).values).all()
