"""Sweeps and benches on a Ray cluster of two nodes, one of which may be lost: the tables of one process here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentic.errors import RunError, UserError
from agentic.experiments import example
from agentic.jobs import Processes, Resources, carry_out
from agentic_bench import Battery, carried_out_bench
from agentic_sweep import sweep
from tests.agentic.jobs.work import Work, killed, late, stopping

ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

from agentic_ray import RayExecutor  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

SWEEP = {
    "sweep": {"seeds": 20, "values": {"run.envs": [1, 2]}},
    "env": {"id": "CartPole-v1"},
    "agent": {"name": "random"},
    "evaluate": {"episodes": 3},
}


@pytest.fixture
def cluster() -> Iterator[Any]:
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    made.connect()
    yield made
    ray.shutdown()
    made.shutdown()


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("runs.csv", "table.csv", "sweep.toml")}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sweep as one process did it."""
    folder = tmp_path_factory.mktemp("alone")
    assert len(sweep(SWEEP, folder, executor=Processes(1)).rows) == 40
    return folder


def test_two_nodes_one_of_them_lost_and_processes_leave_the_same_tables(
    cluster: Any, alone: Path, tmp_path: Path
) -> None:
    sweep(SWEEP, tmp_path / "two", executor=Processes(2))
    assert tables(tmp_path / "two") == tables(alone)
    swept = sweep(SWEEP, tmp_path / "ray", executor=RayExecutor())
    assert not swept.broken
    assert tables(tmp_path / "ray") == tables(alone)
    chunk = "units/run-envs-2-*/seed-7/ticks-000000.parquet"
    (ours,), (theirs,) = (list(place.glob(chunk)) for place in (alone, tmp_path / "ray"))
    assert ours.read_bytes() == theirs.read_bytes()

    def observe(_: Any, count: int, __: int) -> None:
        if count == 10:
            cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)

    swept = sweep(SWEEP, tmp_path / "lost", executor=RayExecutor(), observer=observe)
    assert not swept.broken
    assert tables(tmp_path / "lost") == tables(alone)


def test_the_demonstrations_bench_is_the_same_on_a_cluster(cluster: Any, tmp_path: Path) -> None:
    battery = Battery.load(example("bench/demo")).only(["reflex", "thermostat", "planner-40"], seeds=1)
    here = carried_out_bench(battery, tmp_path / "here", executor=Processes(2))
    there = carried_out_bench(battery, tmp_path / "there", executor=RayExecutor(2))
    assert not here.broken
    assert there.cells == here.cells
    one, other = (tmp_path / place / "cells.json" for place in ("here", "there"))
    assert one.read_bytes() == other.read_bytes()


def test_what_is_lost_and_what_ends_all_is_said_as_by_processes(cluster: Any, tmp_path: Path) -> None:
    units = [Work(1), Work(2, late), Work(3, killed), Work(4)]
    assert len(list(carry_out(units, tmp_path, RayExecutor(2), 6.0))) == 4
    assert (tmp_path / "units/1/square").read_text() == "1"
    assert (tmp_path / "units/4/threads").read_text() == "1"
    assert (tmp_path / "units/2/lost").read_text() == "it took longer than its time_limit of 6 s"
    assert (tmp_path / "units/3/lost").read_text().startswith("its process was ended by signal 9")
    with pytest.raises(RunError, match="the disk of 5 is full"):
        list(carry_out([Work(5, stopping)], tmp_path, RayExecutor(1), 60.0))
    with pytest.raises(UserError, match="no node of this Ray cluster has room for a job of cpus=8"):
        list(carry_out([Work(6)], tmp_path, RayExecutor(resources=Resources(8.0)), 60.0))


def test_no_cluster_at_an_address(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no Ray cluster answers at 127\.0\.0\.1:1, ConnectionRefusedError"):
        list(carry_out([Work(1)], tmp_path, RayExecutor(address="127.0.0.1:1"), 60.0))
