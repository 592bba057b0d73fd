"""`agentic run --env X` with nothing else said: what the list of worlds expects, and some of the list."""

import gymnasium
import pytest

from soak import odd_worlds
from soak.trying import Run, Tried, World, listed, tried

for name in odd_worlds.WORLDS:
    gymnasium.registry.pop(name)  # other tests see what they would without them
WORLDS = {world.id: world for world in listed()}
FINE = Run(0, "", (1.0, 2.0, 3.0), 10.0, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("id", ["CliffWalking-v1", "odd_worlds:DictImage-v0", "ALE/Pong-v5"])
def test_a_world_does_what_the_list_says(id: str) -> None:
    if not WORLDS[id].there:
        pytest.skip(f"{WORLDS[id].needs} is not installed")
    assert not tried(WORLDS[id], seeds=(0,)).fault


def test_the_list_has_enough_worlds_and_every_odd_one() -> None:
    odd = {name.removeprefix("odd_worlds:") for name in WORLDS if name.startswith("odd_worlds:")}
    assert odd == set(odd_worlds.WORLDS)
    assert len(odd) >= 10
    assert sum(world.beats for world in WORLDS.values()) >= 12
    for name, world in WORLDS.items():
        assert world.needs or name in gymnasium.registry or name.partition(":")[2] in odd


def test_whoever_must_beat_chance_does_so_with_the_lower_end_of_the_interval() -> None:
    world = World("X", True)
    assert not Tried(world, (FINE, FINE), Run(0, "", (0.0,), 1.0, 0.1)).fault
    assert "does not beat random actions" in Tried(world, (FINE, FINE), Run(0, "", (1.9,), 1.0, 0.1)).fault
    assert "beats random | 2 [" in Tried(world, (FINE, FINE), Run(0, "", (0.0,), 1.0, 0.1)).row


def test_a_run_may_take_so_much_time_and_memory() -> None:
    assert not FINE.fault
    assert Run(2, "agentic: no", (), 1.0, 0.1).fault == "exit code 2: agentic: no"
    assert Run(-9, "", (), 180.2, 0.1).fault == "took 180 s and more"
    assert Run(0, "", (1.0,), 1.0, 3.2).fault == "took 3.2 GB"
    assert Tried(World("X", False), (Run(1, "broke", (), 1.0, 0.1),)).fault == "exit code 1: broke"
