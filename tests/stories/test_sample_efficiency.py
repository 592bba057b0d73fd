"""The example of sample efficiency: its protocol on worlds worked out by hand, and runs that are kept."""

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gymnasium
import matplotlib
import numpy as np
import pytest

from agentic import Environment, PolicyAgent, RunError, make
from examples.sample_efficiency import command, jobs, ours, protocol, tasks
from examples.sample_efficiency.jobs import Job, Row
from examples.sample_efficiency.peers import PEERS
from examples.sample_efficiency.protocol import Look, Task
from examples.sample_efficiency.report import line, table
from figures import sample_efficiency as pictures

PENDULUM = str(jobs.ROOT / "examples" / "continuous.toml")
TASK = Task("Walk-v0", threshold=4.0, wanted=100, cap=200, limit=10, best=1.0)


class Walk(gymnasium.Env[np.ndarray, np.int64]):
    """Ten steps, each worth its action, 0 or 1; it counts the steps made in all copies."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)
    made = 0

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[np.ndarray, dict[str, object]]:
        super().reset(seed=seed)
        self.left = TASK.limit
        return np.zeros(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, object]]:
        Walk.made += 1
        self.left -= 1
        return np.zeros(1, np.float32), float(action), self.left == 0, False, {}


@pytest.fixture
def walk() -> Iterator[Environment]:
    Walk.made = 0
    world = make(Walk, envs=protocol.EPISODES)
    yield world
    world.close()


def always(action: int, world: Environment) -> PolicyAgent:
    return PolicyAgent(lambda obs: action, world.observation_layout, world.action_layout)


def looks(*means: float) -> list[Look]:
    return [Look(50 * (place + 1), (mean,)) for place, mean in enumerate(means)]


def test_a_look_has_the_return_of_every_episode(walk: Environment) -> None:
    found = protocol.look(always(1, walk), walk, TASK, 50)
    assert found == Look(50, (10.0,) * protocol.EPISODES)
    assert str(found) == "50: 10.0"
    assert Walk.made == TASK.limit * protocol.EPISODES


def test_a_look_ends_when_the_best_rest_would_not_reach_the_threshold(walk: Environment) -> None:
    found = protocol.look(always(0, walk), walk, TASK, 50)
    assert found == Look(50, (3.0,) * protocol.EPISODES, cut=True)
    assert str(found) == "50: <=3.00"
    assert Walk.made == 7 * protocol.EPISODES, "after 7 of 10 steps without reward 3 are left, and 4 are wanted"


def test_a_look_that_can_still_reach_the_threshold_goes_on(walk: Environment) -> None:
    once = replace(TASK, best=0.0, once=4.0)
    assert protocol.look(always(0, walk), walk, once, 50) == Look(50, (0.0,) * protocol.EPISODES)


def test_the_bounds_of_the_tasks_are_those_of_their_worlds() -> None:
    for task in tasks.TASKS.values():
        spec = gymnasium.spec(task.id)
        assert spec.max_episode_steps == task.limit
    found = {task.id: task.once + task.best * task.limit for task in tasks.TASKS.values()}
    assert found == {"Pendulum-v1": 0, "CartPole-v1": 500, "MountainCarContinuous-v0": 100, "Acrobot-v1": 0}


@pytest.mark.parametrize(
    ("means", "solved", "enough", "stays"),
    [
        ((1, 2, 3), None, False, None),
        ((1, 2, 3, 3), None, True, None),
        ((1, 4), 1, False, None),
        ((1, 4, 5, 5), 1, False, None),
        ((1, 4, 5, 5, 4), 1, True, True),
        ((1, 4, 5, 3, 4), 1, True, False),
        ((1, 2, 3, 4, 4, 4, 4), 3, True, True),
    ],
)
def test_the_first_look_and_the_three_after_it(
    means: tuple[float, ...], solved: int | None, enough: bool, stays: bool | None
) -> None:
    found = looks(*means)
    assert (protocol.first(found, TASK), protocol.enough(found, TASK)) == (solved, enough)
    assert protocol.stays(found, TASK) is stays


def test_a_bound_is_never_at_the_threshold() -> None:
    assert protocol.first([Look(50, (3.9,), cut=True)], TASK) is None


def job(seed: int, *settings: str) -> Job:
    more = ("goal.name=quadratic", "goal.weights=[1.0, 1.0, 1.0]", *settings)
    return Job.ours("pendulum", tasks.TASKS["pendulum"], seed, Path(PENDULUM), more)


def measured(each: Job) -> Row:
    """A row that nobody had to learn for: solved at 100 steps, on odd seeds not for long."""
    good, bad = each.task.threshold + 1, each.task.threshold - 1
    return each.row([Look(50, (bad,)), *looks(0, good, good, bad if each.seed % 2 else good, good)[1:]], 1.5)


def test_the_key_is_of_everything_that_the_outcome_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert job(0).key == job(0).key
    assert len({job(0).key, job(1).key, job(0, "planner.horizon=3").key}) == 3
    sooner = replace(job(0), task=replace(job(0).task, wanted=1))
    assert sooner.key == job(0).key, "what is wanted changes what is said of a run, not the run"
    before, begun = job(0).key, job(0)
    assert begun.key == before
    monkeypatch.setattr(jobs, "code_hash", lambda: "other")
    assert job(0).key != before
    assert pickle.loads(pickle.dumps(begun)).key == before, "of the code that it was begun with"


def test_the_code_is_all_sources(tmp_path: Path) -> None:
    for home in ("agentic", "plugins", "envs"):
        (tmp_path / home).mkdir()
        (tmp_path / home / "part.py").write_text("x = 1\n")
    before = jobs.code_hash.__wrapped__(tmp_path)
    (tmp_path / "plugins" / "notes.txt").write_text("not code")
    assert jobs.code_hash.__wrapped__(tmp_path) == before
    (tmp_path / "plugins" / "part.py").write_text("x = 2\n")
    assert jobs.code_hash.__wrapped__(tmp_path) != before


def test_what_was_finished_before_an_interrupt_is_not_run_again(tmp_path: Path) -> None:
    ran = list[int]()

    def measure(each: Job) -> Row:
        ran.append(each.seed)
        if each.seed == 2 and len(ran) == 3:
            raise KeyboardInterrupt
        return measured(each)

    wanted, found = [job(seed) for seed in range(4)], list[Row]()
    with pytest.raises(KeyboardInterrupt):
        found.extend(jobs.rows(wanted, tmp_path, measure=measure))
    assert ran == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 2, "the runs that were finished, and no half of one"
    again = list(jobs.rows(wanted, tmp_path, measure=measure))
    assert ran == [0, 1, 2, 2, 3]
    assert [row["seed"] for row in again] == [0, 1, 2, 3]
    next(tmp_path.glob("*seed_3*")).write_text('{"half of')
    assert len(list(jobs.rows(wanted, tmp_path, measure=measure))) == 4
    assert ran == [0, 1, 2, 2, 3, 3], "a file that cannot be read is a run that was not made"
    list(jobs.rows(wanted[:1], tmp_path, measure=measure, fresh=True))
    assert ran[-1] == 0


def test_a_run_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    def measure(each: Job) -> Row:
        if each.seed == 0:
            raise RunError("not a number")
        return measured(each)

    found = list(jobs.rows([job(0), job(2)], tmp_path, measure=measure))
    assert len(list(tmp_path.iterdir())) == 1
    assert line(found[0]) == "pendulum agentic  seed 0  failed: not a number"
    assert list(table(found))[2].endswith("| 1 of 2 in 200 | 1 of 1 | > 400 | failed, 100 |")
    assert not any(row["failed"] for row in jobs.rows([job(0)], tmp_path, kept=found, measure=measured)), "tried again"


def test_a_run_that_ended_too_soon_is_not_kept() -> None:
    with pytest.raises(RuntimeError, match="before the protocol had seen enough"):
        job(0).row(looks(-1000.0), 1.0)


def test_the_table_counts_who_is_in_time_and_who_stays() -> None:
    found = [measured(job(seed)) for seed in range(3)]
    unsolved = job(3).row([Look(50 * (place + 1), (-900.0,), cut=True) for place in range(8)], 2.0)
    assert list(table([*found, unsolved]))[2:] == [
        "| pendulum (-200) | agentic | 3 of 4 in 200 | 2 of 3 | 100 | 100, 100 (falls), 100, > 400 |"
    ]
    assert "solved at 100  stays False   50: -201.0  100: -199.0" in line(found[1])
    assert "solved at > 400  stays None   50: <=-900.00" in line(unsolved)


def test_the_command_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rows.json"
    monkeypatch.setattr(command, "rows", lambda *a, **k: jobs.rows(*a, **k, measure=measure))
    monkeypatch.setattr(command, "PEERS_FILE", tmp_path / "none.json")
    broken = [True]

    def measure(each: Job) -> Row:
        if each.seed == 201 and broken.pop():
            raise KeyboardInterrupt
        return measured(each)

    words = ["pendulum", "--config", PENDULUM, "--set", "goal.name=quadratic", "--set", "goal.weights=[1.0, 1.0, 1.0]"]
    words += ["--first", "200", "--seeds", "2", "--workers", "1", "--cache", str(tmp_path / "kept"), "--json", str(out)]
    with pytest.raises(SystemExit, match="130"):
        command.main("", words)
    assert "1 of 2 runs are kept" in capsys.readouterr().err
    assert [row["seed"] for row in json.loads(out.read_text())["rows"]] == [200]
    broken.append(False)
    command.main("", words)
    assert "| 2 of 2 in 200 | 1 of 2 | 100 | 100, 100 (falls) |" in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert [row["seed"] for row in content["rows"]] == [200, 201]
    assert content["command"].startswith("python examples/sample_efficiency.py pendulum --config")


@pytest.mark.parametrize("content", ['{"rows": 3', '{"rows": 3}', "[]", '{"rows": [{"failed": ""}]}'])
def test_a_file_of_rows_that_is_none_is_refused(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ablations.json"
    file.write_text(content)
    monkeypatch.setattr(command, "ABLATIONS_FILE", file)
    with pytest.raises(SystemExit, match="2"):
        command.main("", ["--ablations", "pendulum", "--cache", str(tmp_path / "kept")])
    assert "ablations.json holds no rows of this script: mend it, or take it away" in capsys.readouterr().err
    assert file.read_text() == content


def test_ablations_of_one_task_leave_those_of_others_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ablations.json"
    monkeypatch.setattr(command, "rows", lambda *a, **k: jobs.rows(*a, **k, measure=measured))
    monkeypatch.setattr(command, "ABLATIONS_FILE", file)
    words = ["--ablations", "--config", PENDULUM, "--seeds", "1", "--workers", "1", "--cache", str(tmp_path / "kept")]
    for task in tasks.ABLATED:
        command.main("", [task, *words])
    rows = command.stored(file)
    assert [(row["task"], row["variant"]) for row in rows] == [(t, v) for t in tasks.ABLATED for v in tasks.ABLATIONS]
    assert {row["seed"] for row in rows} == {100}
    monkeypatch.delitem(tasks.ABLATIONS, "one network")
    command.main("", ["pendulum", *words])
    assert len(command.stored(file)) == 2 * len(tasks.ABLATIONS)
    assert "agentic, as it is | 1 of 1 in 200 | 1 of 1 | 100 | 100 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pendulim"], "unknown task 'pendulim'; known: pendulum, cartpole"),
        (["--seeds", "0"], "at least 1 seed"),
        (["--peers", "pendulum, learned"], "unknown task 'pendulum, learned'; known: pendulum, cartpole"),
        (["--hidden", "acrobot"], "unknown task 'acrobot'; known: pendulum, memory"),
        (["pendulum", "--set", "run.seed=7"], "--set run.seed=7 belongs to the protocol"),
        (["pendulum", "--set", "env.id=CartPole-v1"], "belongs to the protocol"),
        (["--peers", "pendulum", "--set", "planner.horizon=3"], "leave out --set"),
        (["--cache", "pyproject.toml"], "pyproject.toml is no folder"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["pendulum", "--config", PENDULUM, "--set", "planner.horizon=-1"], "horizon"),
    ],
)
def test_a_mistake_is_said_before_anything_runs(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main("", words)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--learned", "pendulum"], ["pendulum, learned"]),
        (["--hidden", "cartpole"], ["cartpole, memory", "cartpole, no memory"]),
        (["--ablations"], ["pendulum", "cartpole"]),
        ([], list(tasks.TASKS)),
    ],
)
def test_a_world_stands_for_its_tasks_of_the_kind_asked_for(words: list[str], names: list[str]) -> None:
    given = command.parser("").parse_args([*words, "--seeds", "1"])
    assert list(dict.fromkeys(each.name for each in command.jobs(given))) == names


def test_learning_stops_when_enough_was_seen() -> None:
    task = Task("CartPole-v1", 5.0, wanted=4, cap=8, limit=500, best=1.0, every=2, later=1)
    file = jobs.ROOT / "examples" / "cartpole.toml"
    table = ours.experiment(task, file, ["goal.weights=[1.0, 0.0, 1.0, 0.0]", "planner.horizon=2"], seed=100)
    seen = list[Look]()
    found = ours.learn(task, table, seen.append)
    assert found == seen
    assert [each.steps for each in found] == [2, 4], "any CartPole episode lasts 5 steps"
    assert protocol.stays(found, task)
    seldom = ours.learn(replace(task, every=4, later=0), table, seen.append)
    assert seldom == found[1:], "looking changes nothing"


def test_every_task_has_two_peers() -> None:
    assert {name for name, _ in PEERS} == set(tasks.TASKS)
    boxes = {"pendulum", "mountaincar"}
    assert set(PEERS) == {(name, other) for name in tasks.TASKS for other in ("PPO", "SAC" if name in boxes else "DQN")}
    seldom = Job.peer("acrobot", tasks.TASKS["acrobot"], 0, "DQN", {})
    assert (seldom.task.every, seldom.task.cap) == (1_000, 20_000)


def test_the_peers_that_are_kept_are_those_of_the_settings() -> None:
    seeds = [(name, learner, seed) for name, learner in PEERS for seed in range(3)]
    wanted = [Job.peer(name, tasks.TASKS[name], seed, learner, PEERS[name, learner]) for name, learner, seed in seeds]
    rows = command.stored(command.PEERS_FILE)
    assert [row["key"] for row in rows] == [each.key for each in wanted], "run examples/sample_efficiency.py --peers"
    assert [(row["task"], row["learner"], row["seed"]) for row in rows] == seeds
    for row, each in zip(rows, wanted, strict=True):
        first = next((look["steps"] for look in row["looks"] if look["mean"] >= each.task.threshold), None)
        assert row["solved"] == first
        assert row["versions"].keys() >= {"python", "torch", "gymnasium", "stable-baselines3"}


def test_the_picture_shows_every_variant(tmp_path: Path) -> None:
    assert not list(pictures.draw(tmp_path, tmp_path / "none.json"))
    rows = [measured(replace(job(seed), variant=variant)) for variant in ("as it is", "less") for seed in range(3)]
    rows.append(replace(job(0), variant="never").row([Look(400, (-900.0,))], 1.0))
    file = tmp_path / "rows.json"
    command.store(file, rows, [])
    matplotlib.use("svg")
    with matplotlib.rc_context({"svg.hashsalt": "agentic"}):
        (path,) = pictures.draw(tmp_path, file)
        drawn = path.read_bytes()
        (again,) = pictures.draw(tmp_path, file)
    assert again.read_bytes() == drawn
    assert pictures.interval([100.0, 200.0]) == pytest.approx((150 - 12.7062 * 50, 150 + 12.7062 * 50))
