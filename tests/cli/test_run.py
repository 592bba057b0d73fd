"""`agentic run`, as a user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentic import Experiment, Record, load
from agentic.cli import main
from agentic.cli.progress import progress
from agentic.cli.starting import retarget

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = main(["run", *map(str, arguments)])
    return code, *capsys.readouterr()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_table_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, EXAMPLES / "tmaze.toml", "--episodes", 4)
    assert code == 0
    for part in ("return", "free energy", "complexity", "accuracy", "state gain", "steps/s", "runs/0001-agentic-tmaze"):
        assert part in out
    assert "evaluation: 4 of 4 episodes, 16 steps" in err


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, EXAMPLES / "cartpole.toml", "--episodes", 2, "--steps", 20, "--json")
    summary = json.loads(out)
    assert code == 0
    keys = {"run", "steps", "evaluation_steps", "episodes", "return", "energy", "seconds", "components", "problems"}
    assert set(summary) == keys
    assert set(summary["return"]) == {"mean", "low", "high", "method", "values"}
    assert (summary["steps"], summary["episodes"]) == (20, 2)
    assert summary["evaluation_steps"] == sum(summary["return"]["values"])
    assert summary["energy"]["free_energy"] == pytest.approx(
        summary["energy"]["complexity"] - summary["energy"]["accuracy"]
    )
    assert Record.open(summary["run"]).returns().tolist() == summary["return"]["values"]


def test_flags_are_settings(capsys: pytest.CaptureFixture[str]) -> None:
    own = ("--seed", 3, "--envs", 2, "--episodes", 3, "--set", "run.dtype=float64")
    assert run(capsys, EXAMPLES / "tmaze.toml", *own, "--quiet") == (0, "runs/0001-agentic-tmaze-v0-energy\n", "")
    resolved = Experiment.load("runs/0001-agentic-tmaze-v0-energy/experiment.toml")
    assert (resolved.run.seed, resolved.run.envs, resolved.run.dtype, resolved.evaluate.episodes) == (
        3,
        2,
        "float64",
        3,
    )


def test_a_run_may_only_learn(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--env", "FrozenLake-v1", "--episodes", 0)
    code, out, err = run(capsys, *only, "--agent", "habit", "--steps", 300, "--json")
    summary = json.loads(out)
    assert code == 0
    assert (summary["steps"], summary["evaluation_steps"], summary["episodes"]) == (300, 0, 0)
    assert summary["return"] == {"mean": None, "low": None, "high": None, "method": None, "values": []}
    assert "evaluation" not in err
    assert main(["run", "--resume", summary["run"], "--steps", "+100", "--quiet"]) == 0
    assert main(["show", summary["run"]]) == 0
    assert "400 learned from, 0 evaluated" in capsys.readouterr().out
    other = retarget(Experiment.load(Path(summary["run"], "experiment.toml")), "random", load())
    assert (other.learn.steps, other.evaluate.episodes) == (0, 20)  # which a measure compares it with
    code, _, err = run(capsys, *only, "--agent", "random")
    assert code == 2
    assert "[evaluate] episodes and [learn] steps are both 0" in err


def test_same_seed_same_record(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run(capsys, EXAMPLES / "tmaze-open-loop.toml", "--episodes", 5, "--quiet")[0] == 0
    first, second = sorted(Path("runs").glob("*/ticks-*.parquet"))
    assert first.read_bytes() == second.read_bytes()


def test_environment_without_a_file_takes_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--env", "tmaze", "--episodes", 1, "--quiet")[0] == 0
    assert run(capsys, "--env", "CartPole-v1", "--agent", "rock", "--episodes", 1, "--quiet")[0] == 0
    energy, rock = (Experiment.load(path) for path in sorted(Path("runs").glob("*/experiment.toml")))
    assert (energy.agent.name, energy.model and energy.model.name) == ("energy", "categorical")
    assert (rock.agent.name, rock.model, rock.env.changes) == ("rock", None, ())


def test_environment_without_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--env", "MountainCar-v0", "--agent", "rock", "--episodes", 1, "--quiet")[0] == 0
    large = ("--set", 'env.wrappers=[{ name = "gymnasium.wrappers:FrameStackObservation", stack_size = 40 }]')
    code, _, err = run(capsys, "--env", "MountainCar-v0", "--agent", "energy", *large)
    assert code == 2
    assert "needs the table(s) [model], [goal], [inference], [planner]" in err
    code, _, err = run(capsys, "--env", "MountainCar-v0", *large, "--explain")
    assert code == 0
    assert "its 83 numbers are more than the 64 that a model is learned of: it acts at random" in err


def test_agent_of_a_plugin_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("still.py").write_text(
        "from agentic import hookimpl\n@hookimpl\ndef agentic_agents(): return {'still': 'agentic_agents.rock:Rock'}\n"
    )
    own = ("--env", "CartPole-v1", "--agent", "still", "--set", "agent.action=1", "--plugin", "still.py")
    code, out, _ = run(capsys, *own, "--episodes", 1, "--json")
    row = json.loads(out)["components"][-1]
    assert code == 0
    assert (row["name"], row["plugin"], row["version"], row["parameters"]) == ("still", "still", None, {"action": 1})
    assert len(row["sha256"]) == 64


@pytest.mark.parametrize(
    ("name", "shorter"),
    [
        ("frozenlake", []),
        ("tiger", []),
        ("continuous", ["--steps", 110, "--set", "learner.sweeps=2", "--set", "learner.updates=5"]),
        ("continuous", ["--steps", 10, "--set", "env.id=MountainCarContinuous-v0"]),
        ("cartpole-long", []),
        ("cartpole-swapped", []),
    ],
)
def test_examples_run(name: str, shorter: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--episodes", 1, "--set", "env.kwargs.max_episode_steps=20", *shorter]
    code, _, err = run(capsys, EXAMPLES / f"{name}.toml", *short, "--quiet")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(("steps", "why"), [(10, "in 10 steps Imagination found nothing"), (0, "learn.steps is 0")])
def test_an_agent_that_has_learned_nothing_says_so(steps: int, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--episodes", 1, "--set", "env.kwargs.max_episode_steps=5", "--steps", steps]
    code, _, err = run(capsys, EXAMPLES / "continuous.toml", *short)
    assert code == 0
    assert f"the Ensemble of this agent has learned nothing, {why}" in err


def test_a_terminal_energy_that_nobody_teaches_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["learner.name=gradient_learner", "learner.updates=2", "env.kwargs.max_episode_steps=5"]
    words = [word for setting in settings for word in ("--set", setting)]
    code, _, err = run(capsys, EXAMPLES / "continuous.toml", "--episodes", 1, "--steps", 105, *words)
    assert code == 0
    assert (
        "the CostToGoNetworks of this agent, what is to come where its plans end, is 0 everywhere, as GradientL" in err
    )


def test_what_was_set_stands_in_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--env", "Pendulum-v1", "--episodes", 1, "--set", "learn.warmup=50", "--explain"]
    code, out, err = run(capsys, *words)
    assert code == 0
    assert "but here learn.warmup=50, evaluate.episodes=1" in out.splitlines()[0]
    assert "but here" in err


def test_a_flag_wins_over_a_setting_and_only_what_wins_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--env", "Pendulum-v1", "--seed", 3, "--set", "run.seed=5", "--explain")
    assert code == 0
    assert "but here run.seed=3\n" in out
    assert "\nseed = 3\n" in out


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, _, err = run(capsys, EXAMPLES / "cartpole.toml", "--episodes", 1, "--steps", 30)
    assert code == 0
    assert "experience" in err
    assert "30/30" in err


def test_no_progress_when_quiet() -> None:
    experiment = Experiment.load(EXAMPLES / "tmaze.toml")
    with progress(experiment, quiet=True) as observer:
        assert observer is None


CAVE = """
from agentic import Proposal, hookimpl

@hookimpl
def agentic_defaults(environment):
    if environment.id != "CliffWalking-v1":
        raise OSError("no cave")
    return Proposal(1.0, "who stays stays dry", {"agent": {"name": "rock"}, "evaluate": {"episodes": 2}})
"""


@pytest.mark.filterwarnings("always::agentic.errors.ThirdPartyWarning")
def test_a_plugin_proposes_what_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cave.py").write_text(CAVE)
    short = ("--plugin", "cave.py", "--set", "env.kwargs.max_episode_steps=5")
    code, _, err = run(capsys, "--env", "CliffWalking", *short)
    said = "CliffWalking, which is CliffWalking-v1: who stays stays dry; but here env.kwargs.max_episode_steps=5"
    assert (code, err.splitlines()[0]) == (0, said)
    resolved = Experiment.load("runs/0001-cliffwalking-v1-rock/experiment.toml")
    assert (resolved.agent.name, resolved.evaluate.episodes) == ("rock", 2)
    code, _, err = run(capsys, "--env", "Blackjack", "--plugin", "cave.py", "--explain")
    assert code == 0
    left_out = "warning: plugin cave: its proposal for Blackjack-v1 is left out, it broke, OSError: no cave"
    assert [line for line in err.splitlines() if "cave:" in line] == [f"agentic: {left_out}"]


def test_what_is_explained_runs_to_the_same_bits(capsys: pytest.CaptureFixture[str]) -> None:
    short = ("--env", "CliffWalking", "--episodes", 3, "--seed", 4)
    code, out, err = run(capsys, *short, "--explain")
    assert (code, Path("runs").exists()) == (0, False)
    assert out.startswith(
        "# CliffWalking, which is CliffWalking-v1: its states are seen and its truth is known: planned"
    )
    assert "its episodes are cut at 1,000 steps" in err
    Path("x.toml").write_text(out)
    assert run(capsys, *short, "--quiet")[0] == run(capsys, "x.toml", "--quiet")[0] == 0
    for kind in ("ticks-*.parquet", "experiment.toml"):
        first, second = sorted(Path("runs").glob(f"*/{kind}"))
        assert first.read_bytes() == second.read_bytes()


def test_an_agent_of_parts_takes_those_that_are_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--env", "CliffWalking-v1", "--agent", "energy", "--explain")
    assert (code, "[model]" in out, "its states are seen" in err) == (0, True, True)
    code, out, err = run(capsys, "--env", "CliffWalking-v1", "--agent", "random", "--explain")
    assert (code, "[model]" in out, "its states are seen" in err) == (0, False, False)


def test_an_id_without_a_version_is_kept_with_the_newest(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--env", "MountainCar", "--agent", "rock", "--episodes", 1)
    assert (code, err.splitlines()[0]) == (0, "MountainCar is taken as MountainCar-v0, its newest version")
    assert Experiment.load("runs/0001-mountaincar-v0-rock/experiment.toml").env.id == "MountainCar-v0"
    code, _, err = run(capsys, "--env", "FrozenLake", "--explain")
    assert (code, err) == (0, "FrozenLake, which is FrozenLake-v1: as in the example made for it\n")
