"""Our energy agent in worlds with things beside them: columns are what they are called, and it acts."""

import numpy as np
import pytest

from agentic_envs.planted.lived import ORDER, lived, point_mass, springs


def test_columns_have_the_roles_that_the_run_gives_them() -> None:
    one, other = lived(point_mass(steps=12, beside=2), 0, copies=2)
    assert one.names[:3] == ("world.position[0]", "world.velocity[0]", "world.beside_position[0]")
    assert dict(zip(one.names, one.roles, strict=True)) == {
        **{name: "world" for name in one.names if name.startswith("world.")},
        **dict.fromkeys(("obs[0]", "obs[1]"), "sensor"),
        **dict.fromkeys(("belief.mean[0]", "belief.mean[1]"), "inside"),
        "action[0]": "actuator",
    }
    assert (one.order, one.episodes) == (ORDER, (12,))
    assert set(one.objects) == {0, 1}
    assert not np.array_equal(one.values, other.values)


@pytest.mark.slow
def test_the_chain_is_calmer_than_without_its_agent() -> None:
    held = lived(springs(steps=600), 0)[0]
    free = lived(springs(steps=600, force=0.0), 0)[0]
    pushed = held.names.index("world.position[3]")
    assert held.values[:, pushed].std() != free.values[:, pushed].std()
    seen = held.names.index("world.position[0]")
    assert held.values[:, seen].std() < free.values[:, seen].std()
