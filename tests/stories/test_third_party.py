"""A third party's distribution: a gain, a selection, a backup, a loss, an agent of two parts and a command, installed.

It is `examples/third_party`; all it knows of us is `agentic`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentic import Experiment, Record, build as build_experiment, load
from agentic.cli import main
from agentic.runs import Progress
from tests.third_parties import build

ROOT = Path(__file__).parents[2]
DISTRIBUTION = ROOT / "examples" / "third_party"
SOURCES = DISTRIBUTION / "src" / "acme_agency"
TWO = """
[env]
id = "agentic/TMaze-v0"

[agent]
name = "two"
radius = 0.5

[agent.critic]
name = "banana"
bend = 0.25

[agent.actor]
name = "epsilon_greedy"
epsilon = 0.0

[evaluate]
episodes = 2
"""
UMBRA = """
    from agentic import hookimpl

    @hookimpl
    def agentic_energies():
        return {"curiosity": "umbra:Curiosity"}

    class Curiosity:
        pass
"""

Run = Callable[..., Record]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where acme-agency 2.1 is installed for one test."""
    folder = tmp_path / "site"
    shutil.copytree(SOURCES, folder / "acme_agency", ignore=shutil.ignore_patterns("__pycache__"))
    commands = {"acme": "acme_agency.command:acme"}
    build.distribution(folder, "acme-agency", {}, {"acme": "acme_agency"}, commands=commands, version="2.1")
    for name in [name for name in os.environ if name.startswith("AGENTIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] in ("acme_agency", "umbra")]:
        del sys.modules[name]


@pytest.fixture
def run(site: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`agentic run FILE` with settings: the record it made."""

    def go(file: Path, *settings: str) -> Record:
        given = [word for setting in settings for word in ("--set", setting)]
        code = main(["run", str(file), *given, "--out", "runs", "--quiet"])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return Record.open(out.strip())

    return go


def refused(capsys: pytest.CaptureFixture[str], file: Path, *settings: str) -> str:
    """What `agentic run FILE` says of a mistake: one sentence, exit code 2, and no folder."""
    given = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(file), *given, "--out", "refused", "--quiet"]) == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert not Path("refused").exists()
    return said


def used(record: Record) -> dict[str, dict[str, Any]]:
    """The components of the manifest, by name."""
    return {row["name"]: row for row in record.manifest["components"]}


def acmes(record: Record) -> set[str]:
    rows = [row for row in record.manifest["components"] if row["plugin"] == "acme-agency"]
    assert {row["version"] for row in rows} <= {"2.1"}
    return {row["name"] for row in rows}


TMAZE = ROOT / "examples" / "tmaze.toml"
GAIN = 'planner.gain={ name = "curiosity", weight = 2.0 }'


def test_a_gain_draws_where_it_is_high(run: Run) -> None:
    """The gain's term is a column under its own name, enters G with a minus sign, and leads the agent."""
    record = run(TMAZE, GAIN, "evaluate.episodes=3")
    table = record.table()
    terms = {name: table[f"energy.{name}"].to_numpy() for name in ("expected_energy", "pragmatic", "curiosity")}
    assert terms["curiosity"].max() > 0
    assert terms["expected_energy"] == pytest.approx(terms["pragmatic"] - terms["curiosity"])
    assert acmes(record) == {"curiosity"}
    row = used(record)["curiosity"]
    assert row["kind"] == "energies"
    assert row["parameters"] == {"weight": 2.0}
    assert "state_gain" not in " ".join(table.column_names)


def test_a_gain_that_takes_the_name_of_a_cost(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = site / "acme_agency" / "curiosity.py"
    source.write_text(source.read_text(encoding="utf-8").replace('{"curiosity":', '{"effort":'), encoding="utf-8")
    said = "agentic: Curiosity calls a gain 'effort', the name of a cost: call it otherwise"
    assert refused(capsys, TMAZE, GAIN) == said


def test_a_selection_and_a_backup(run: Run) -> None:
    greedy = run(TMAZE, "evaluate.episodes=4")
    drawn = run(TMAZE, 'agent.selection={ name = "epsilon_greedy", epsilon = 1.0 }', "evaluate.episodes=4")
    assert acmes(drawn) == {"epsilon_greedy"}
    assert drawn.table()["action"] != greedy.table()["action"]
    still = run(TMAZE, 'agent.selection={ name = "epsilon_greedy", epsilon = 0.0 }', "evaluate.episodes=4")
    assert still.table()["action"] == greedy.table()["action"]

    worst = run(TMAZE, 'planner.backup={ name = "worst_case" }', "evaluate.episodes=4")
    assert acmes(worst) == {"worst_case"}
    energies = [record.table()["energy.expected_energy"].to_numpy()[0] for record in (greedy, worst)]
    assert energies[0] < energies[1]


def test_all_of_them_at_once_by_their_full_names(run: Run) -> None:
    record = run(
        TMAZE,
        'planner.gain={ name = "acme-agency/curiosity" }',
        'planner.backup={ name = "acme-agency/worst_case" }',
        'agent.selection={ name = "acme-agency/epsilon_greedy" }',
        "evaluate.episodes=1",
    )
    assert acmes(record) == {"curiosity", "worst_case", "epsilon_greedy"}


def test_a_loss_is_lowered(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A learner that asks for a loss, and a loss: each finds the other by contract alone."""
    small = (
        "env.id=CartPole-v1",
        "learner.name=careful",
        "learner.every=10",
        "learn.steps=20",
        "learn.warmup=15",
        "planner.horizon=3",
        "planner.samples=20",
        "evaluate.episodes=1",
        "env.kwargs={ max_episode_steps = 10 }",
    )
    ensemble = ROOT / "examples" / "continuous.toml"
    record = run(ensemble, 'learner.loss={ name = "squashed", scale = 5.0 }', *small)
    assert acmes(record) == {"careful", "squashed"}
    assert used(record)["squashed"]["parameters"] == {"scale": 5.0}
    reports: list[Progress] = []
    build_experiment(Experiment.load(Path(record.folder or "") / "experiment.toml"), load()).run(None, reports.append)
    message = [progress.learned for progress in reports if progress.learned]
    assert len(message) == 2
    assert all(abs(each["loss"]) < abs(each["unsquashed"]) for each in message)

    said = refused(capsys, ensemble, 'learner.loss={ name = "max" }', *small)
    assert said.startswith("agentic: [learner.loss] max is a Backup; a Loss is wanted: ")
    assert "squashed" in said
    said = refused(capsys, ensemble, 'learner.loss={ name = "squashed", scale = -1.0 }', *small)
    assert said == "agentic: [learner.loss] squashed: expected scale > 0, got -1.0"
    said = refused(capsys, ensemble, *small)
    assert said == "agentic: [learner] careful needs the parameter 'loss': write loss = ..."


@pytest.fixture
def two(tmp_path: Path) -> Path:
    file = tmp_path / "two.toml"
    file.write_text(TWO, encoding="utf-8")
    return file


def test_an_agent_of_two_parts(run: Run, two: Path) -> None:
    record = run(two)
    assert acmes(record) == {"two", "epsilon_greedy"}
    assert used(record)["banana"]["plugin"] == "agentic"
    assert used(record)["banana"]["parameters"] == {"bend": 0.25}
    assert used(record)["two"]["parameters"] == {"radius": 0.5}
    assert "energy.critic" in record.table().column_names
    again = run(Path(record.folder or "") / "experiment.toml")
    assert again.table().equals(record.table())

    own = run(two, "agent.critic.name=stubborn", "agent.critic.leash=2.0", "agent.actor.name=softmax")
    assert acmes(own) == {"two", "stubborn"}
    assert own.table()["energy.critic"].to_numpy() == pytest.approx(0.5 * 0.5**2 / 2.0**2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["agent.critic.name=max"], "[agent.critic] max is a Backup; an Energy is wanted: "),
        (["agent.actor.name=banana"], "[agent.actor] banana is an Energy; a Selection is wanted: epsilon_greedy, "),
        (["agent.actor.name=curiosity"], "[agent.actor] curiosity is a Gain; a Selection is wanted: epsilon_greedy, "),
        (["agent.critic.name=stubborm"], "[agent.critic] unknown energy 'stubborm', did you mean 'stubborn'?"),
        (["agent.critic.name=stubborn"], "[agent.critic] stubborn needs the parameter 'leash': write leash = ..."),
        (["agent.critic.name=stubborn", "agent.critic.leash=0.0"], "[agent.critic] stubborn: expected a leash > 0"),
        (["agent.actor.epsilom=0.5"], "[agent.actor] epsilon_greedy has no parameter 'epsilom', did you mean"),
        (["agent.actor.epsilon=much"], "[agent.actor] epsilon_greedy: epsilon is wrong: "),
        (["agent.critic=3"], "[agent.critic] should be a table with the name of an Energy, got 3; known: "),
        (["agent.critic={}"], "[agent.critic] should be a table with the name of an Energy, got {}; known: "),
        (["agent.radios=1.0"], "[agent] two has no parameter 'radios', did you mean 'radius'?"),
        (['env.id="Pendulum-v1"'], "[agent] two: two chooses one of several actions and the action space is "),
    ],
)
def test_what_is_wrong_with_its_parts_is_reported(
    settings: list[str], said: str, site: Path, two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, two, *settings).startswith(f"agentic: {said}")


def test_a_part_that_is_missing(site: Path, two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two.write_text(TWO.replace("[agent.critic]", "[agent.crtic]"), encoding="utf-8")
    needs = "agentic: the agent two needs the table(s) [agent.critic]: add them, each with the name of a component"
    assert refused(capsys, two) == needs


def test_its_command(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["acme"]]
    assert line.split(maxsplit=1)[1].startswith("From the plugin acme-agency: what the agency has to say.")
    assert not [name for name in sys.modules if name.startswith("acme_agency")]
    assert main(["acme", "--times", "2"]) == 0
    assert main(["acme-agency/acme"]) == 0
    assert capsys.readouterr().out == "beep beep\nbeep\n"


def test_it_is_listed(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--provides", "--json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["id"] == "acme-agency"]
    assert (row["version"], row["status"], row["commands"]) == ("2.1", "loaded", ["acme"])
    assert row["provides"] == {
        "energies": ["curiosity", "stubborn"],
        "optimizers": ["careful", "epsilon_greedy", "squashed", "worst_case"],
        "agents": ["two"],
    }


def test_it_passes_the_checks(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plugins", "check", "acme-agency"])
    out = capsys.readouterr().out
    _, _, careful = out.partition("optimizers 'careful'")  # a learner that needs more than a model offers no example
    assert "imports in" in out
    assert out.count("FAILED") == careful.count("FAILED") == 1, out


def test_two_distributions_with_one_short_name(site: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    build.distribution(site, "umbra-agency", {"umbra.py": UMBRA}, {"umbra": "umbra"})
    said = refused(capsys, TMAZE, GAIN)
    assert "'curiosity' is offered by acme-agency and umbra-agency" in said
    assert "write 'acme-agency/curiosity' or 'umbra-agency/curiosity' instead" in said


def test_from_a_shell(site: Path, two: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIC_")}
    path = os.pathsep.join([str(site), *[place for place in sys.path if place]])
    done = subprocess.run(
        [sys.executable, "-m", "agentic", "run", str(two), "--json", "--out", "runs"],
        env={**clean, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message = json.loads(done.stdout)
    assert {row["name"]: row["version"] for row in message["components"] if row["plugin"] == "acme-agency"} == {
        "two": "2.1",
        "epsilon_greedy": "2.1",
    }


@pytest.mark.slow
def test_it_is_built_installed_and_used_as_its_page_says(tmp_path: Path) -> None:
    """By pip, into a folder of its own and without a network; then every command of its README."""
    source, site = tmp_path / "third_party", tmp_path / "site"
    shutil.copytree(DISTRIBUTION, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIC_")}
    path = os.pathsep.join([str(site), *[place for place in sys.path if place]])

    def call(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=source,
            env={**environment, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, int(command[:3] == ("agentic", "plugins", "check"))), done.stdout + done.stderr
        return done.stdout

    call("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site), ".")
    commands = (source / "README.md").read_text("utf-8").partition("```console\n")[2].partition("```")[0].splitlines()
    assert commands[0] == "pip install -e ."
    said = [call(*command.removeprefix("python -m ").split()) for command in commands[1:]]
    assert "acme-agency 2.1 (installed" in said[0]
    assert " passed" in said[1]
    assert said[-1] == "beep beep\n"
