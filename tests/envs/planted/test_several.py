"""Networks with several objects, and with roles that change: who reaches whom is as it was planted."""

import numpy as np
import pytest

from agentic_envs.planted import Planted
from agentic_envs.planted.recording import REACHED
from agentic_envs.planted.several import objects, switching


def effects(planted: Planted, first: int, last: int) -> np.ndarray:
    """Regressions of each column's next value, (target, source), in standard errors."""
    before, after = planted.values[first : last - 1], planted.values[first + 1 : last]
    weights, *_ = np.linalg.lstsq(before, after, rcond=None)
    left = (after - before @ weights).var(0)
    errors = np.sqrt(np.outer(np.diag(np.linalg.inv(before.T @ before)), left))
    return np.asarray((weights / errors).T)


def forbidden(roles: tuple[str, ...], owners: tuple[int, ...]) -> np.ndarray:
    """The pairs (target, source) of which the one may not reach the other."""
    apart = np.array([[a != b and 0 not in (a, b) for a in owners] for b in owners])
    unheard: np.ndarray = np.array([[two not in REACHED[one] for one in roles] for two in roles])
    return np.asarray(apart | unheard)


def test_two_objects_meet_through_the_world_alone() -> None:
    pair = objects(3)
    assert sorted(set(pair.objects)) == [0, 1, 2]
    assert pair.values.shape == (2000, 32)
    found = effects(pair, 0, 2000)
    none = forbidden(pair.roles, pair.objects)
    assert np.abs(found[none]).max() < 5
    assert (np.abs(found[~none]) > 8).sum() > 100


def test_roles_change_half_way_and_the_state_goes_on() -> None:
    changed = switching(3)
    assert changed.switches == (1000,)
    later = changed.later[0]
    assert sorted(later) == sorted(changed.roles)
    assert later != changed.roles
    ones = tuple(int(role != "world") for role in changed.roles), tuple(int(role != "world") for role in later)
    assert np.abs(effects(changed, 0, 1000)[forbidden(changed.roles, ones[0])]).max() < 5
    assert np.abs(effects(changed, 1001, 2000)[forbidden(later, ones[1])]).max() < 5
    assert np.abs(effects(changed, 1001, 2000)[forbidden(changed.roles, ones[0])]).max() > 8
    assert np.abs(np.diff(changed.values, axis=0)).max(1)[999] < 12


@pytest.mark.parametrize("make", [objects, switching])
def test_a_seed_says_all(make: object) -> None:
    assert callable(make)
    one, same, other = make(1, steps=20), make(1, steps=20), make(2, steps=20)
    assert (one.values == same.values).all()
    assert one.roles == same.roles
    assert not np.array_equal(one.values, other.values)
