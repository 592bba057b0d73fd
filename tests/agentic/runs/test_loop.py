"""The loop: the same ticks whatever steps the environments, quotas, learning, and every way a run can end."""

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import Tensor

from agentic import Agent, Decision, Learner, Record, Recording, RunError, Schedule, Tick, UserError, make, run, ticks
from agentic.runs.run import Progress
from agentic.runs.seeds import environment_seed
from tests.agentic.standins import Same
from tests.agentic.worlds import Walk

PUSH = torch.eye(2)


class Scripted(Agent):
    """Its n-th action in an episode is the n-th of a fixed script; remembers only n, so resets show."""

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch, dtype=torch.int64)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(PUSH[(state % 3 > 0).long()], state + 1)


class Counting(Learner):
    """Remembers the valid steps it was shown, and when."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.seen.append(int(tick.valid.sum()))
        return {"seen": float(sum(self.seen))}


class Student(Scripted):
    def __init__(self) -> None:
        self.learner = self.counting = Counting()


def rows(happened: list[Tick], batch: int) -> list[list[tuple[Any, ...]]]:
    """Every valid step of each row as plain numbers."""
    return [
        [
            (
                *(tick.native.obs[row].tolist(), tick.native.next_obs[row].tolist(), int(tick.native.action[row])),
                *(float(tick.reward[row]), bool(tick.terminated[row]), bool(tick.truncated[row])),
                *(int(tick.episode[row]), int(tick.t[row])),
            )
            for tick in happened
            if tick.valid[row]
        ]
        for row in range(batch)
    ]


def vector(mode: AutoresetMode) -> Callable[[], Any]:
    return lambda: SyncVectorEnv([Walk] * 3, autoreset_mode=mode)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("agent", [Scripted(), Same(make(Walk()).action), Same(make(Walk()).action, action=1)])
def test_every_autoreset_mode_gives_the_ticks_of_singles(mode: AutoresetMode, agent: Agent) -> None:
    singles = rows(list(ticks(agent, make(Walk, envs=3), seed=4, episodes=4)), 3)
    assert rows(list(ticks(agent, vector(mode)(), seed=4, episodes=4)), 3) == singles
    assert [row[-1][-2] for row in singles] == [3, 3, 3]


def test_a_step_leads_to_the_next_and_episodes_count_from_zero() -> None:
    (row,) = rows(list(ticks(Scripted(), Walk(), episodes=3)), 1)
    for before, after in pairwise(row):
        ended = before[4] or before[5]
        assert (after[0] == before[1]) != ended
        assert after[6:] == ((before[6] + 1, 0) if ended else (before[6], before[7] + 1))


@pytest.mark.parametrize("make_agent", [Scripted, lambda: Same(make("CartPole-v1").action)])
def test_eight_rows_are_eight_singles_bit_for_bit(make_agent: Callable[[], Agent]) -> None:
    together = list(ticks(make_agent(), make("CartPole-v1", envs=8), seed=2, episodes=3))
    by_row = rows(together, 8)
    sync = gymnasium.make_vec("CartPole-v1", num_envs=8, vectorization_mode="sync")
    assert rows(list(ticks(make_agent(), sync, seed=2, episodes=3)), 8) == by_row
    for row in range(8):
        single = gymnasium.make("CartPole-v1")
        obs, _ = single.reset(seed=environment_seed(2, row))
        for seen, _, action, reward, terminated, truncated, _, _ in by_row[row]:
            assert obs.tolist() == seen
            obs, gain, end, cut, _ = single.step(action)
            assert (gain, end, cut) == (reward, terminated, truncated)
            obs = single.reset()[0] if end or cut else obs


def test_cartpoles_own_vector_class_skips_its_dummy_steps() -> None:
    own = gymnasium.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    for row in rows(list(ticks(Scripted(), own, seed=1, episodes=3)), 4):
        assert [step[6] for step in row if step[4] or step[5]] == [0, 1, 2]
        for before, after in pairwise(row):
            assert (after[0] == before[1]) != (before[4] or before[5])


def test_quotas_and_steps_are_exact() -> None:
    uneven = list(ticks(Scripted(), make(Walk, envs=3), episodes=[2, 0, 1]))
    assert [len({step[6] for step in row}) for row in rows(uneven, 3)] == [2, 0, 1]
    for steps in (0, 1, 7, 9):
        assert sum(int(tick.valid.sum()) for tick in ticks(Scripted(), make(Walk, envs=3), steps=steps)) == steps
    with pytest.raises(UserError, match="at least 0"):
        next(ticks(Scripted(), Walk(), steps=-1))


def test_the_agent_sees_the_runs_number_type() -> None:
    tick = next(ticks(Same(make(Walk()).action), Walk(), dtype=torch.float64))
    assert tick.obs.dtype is tick.action.dtype is tick.next_obs.dtype is torch.float64
    assert tick.reward.dtype == np.float64


@pytest.mark.parametrize("envs", [1, 3])
def test_learning_then_evaluation(envs: int) -> None:
    student, reported = Student(), list[Progress]()
    record = run(student, make(Walk, envs=envs), Schedule(learn_steps=10, episodes=7), observer=reported.append)
    assert sum(student.counting.seen) == 10
    assert record.manifest["steps"] == 10
    assert len(record.returns()) == 7
    assert record.manifest["evaluation_steps"] == sum(e.length for e in record.episodes("evaluate"))
    learn = [progress for progress in reported if progress.phase == "learn"]
    assert (learn[-1].steps, learn[-1].learned["seen"], reported[-1].episodes) == (10, 10.0, 7)


def test_evaluation_does_not_depend_on_learning() -> None:
    long, short = (run(Student(), Walk(), Schedule(learn_steps=steps, episodes=3)) for steps in (3, 40))
    none = run(Scripted(), Walk(), Schedule(episodes=3))
    first = [[e.arrays["obs"].tolist() for e in record.episodes("evaluate")] for record in (long, short, none)]
    assert first[0] == first[1] == first[2]
    assert long.episodes("learn")[0].arrays["obs"][0].tolist() != first[0][0][0]


class Scribbler(Counting):
    """Writes to the ticks it learns from."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        tick.obs.fill_(7)
        tick.next_obs.fill_(7)
        return super().update(tick)


def test_a_learner_that_writes_to_its_ticks_falsifies_no_record() -> None:
    tidy, scribbling = Student(), Student()
    scribbling.learner = Scribbler()
    schedule = Schedule(learn_steps=9, episodes=1)
    assert run(scribbling, Walk(), schedule).table().equals(run(tidy, Walk(), schedule).table())


def test_warm_up_draws_uniformly_and_is_learned_from() -> None:
    student = Student()
    record = run(student, Walk(), Schedule(learn_steps=300, warmup=200, episodes=1))
    actions = record.table(["phase", "action"]).to_pydict()["action"]
    assert 60 < sum(actions[:200]) < 140
    assert sum(student.counting.seen) == 300
    again = run(Student(), Walk(), Schedule(learn_steps=300, warmup=200, episodes=1))
    assert again.table().equals(record.table())


@pytest.mark.parametrize("counts", [{"episodes": -1}, {"learn_steps": -1}, {"warmup": -2}, {"learn_steps": 5}])
def test_wrong_counts_are_refused_before_anything_runs(counts: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"at least 0|has no learner"):
        run(Scripted(), Walk(), Schedule(**counts), Recording(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("trouble", "error", "status"),
    [("raise", RunError, "failed"), ("nan", RunError, "failed"), ("interrupt", KeyboardInterrupt, "interrupted")],
)
def test_what_was_recorded_before_stays_readable(
    trouble: str, error: type[BaseException], status: str, tmp_path: Path
) -> None:
    with pytest.raises(error):
        run(Scripted(), Walk(trouble), recording=Recording(tmp_path))
    record = Record.open(tmp_path)
    assert record.manifest["status"] == status
    assert record.manifest["evaluation_steps"] == len(record.table()) == 2
    assert error.__name__ in (tmp_path / "error.txt").read_text()
    assert not record.episodes()[0].complete


def test_an_agent_that_breaks_fails_the_run_loudly(tmp_path: Path) -> None:
    class Broken(Scripted):
        def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
            raise LookupError("no idea")

    with pytest.raises(RunError, match="Broken in Walk, episode 0, step 0: LookupError: no idea"):
        run(Broken(), Walk(), recording=Recording(tmp_path))
    assert "LookupError: no idea" in (tmp_path / "error.txt").read_text()


def test_the_manifest_says_what_ran(tmp_path: Path) -> None:
    parts = [{"kind": "agents", "name": "scripted", "plugin": "here", "version": "1", "parameters": {}}]
    run(
        Scripted(),
        Walk(),
        Schedule(episodes=2),
        Recording(tmp_path / "new", components=parts),
        seed=9,
        dtype=torch.float64,
    )
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert (manifest["seed"], manifest["dtype"], manifest["components"]) == (9, "float64", parts)
    assert {"versions", "platform", "git", "threads", "device", "seconds", "steps"} <= set(manifest)
    with pytest.raises(UserError, match="already holds a record"):
        run(Scripted(), Walk(), recording=Recording(tmp_path / "new"))
