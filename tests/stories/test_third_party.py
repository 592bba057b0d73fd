"""A distribution of somebody else's: a gain, a selection, a backup, a loss, an agent with two parts, a command."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from agentic.cli import main
from tests.strangers.build import distribution

ROOT = Path(__file__).parents[2]
TMAZE = str(ROOT / "examples" / "tmaze.toml")
HOOKS = '''
    """What Acme offers; its classes are imported on first use."""

    from agentic import hookimpl

    @hookimpl
    def agentic_energies():
        return {"curiosity": "acme.parts:Curiosity"}

    @hookimpl
    def agentic_optimizers():
        return {
            "epsilon_greedy": "acme.parts:EpsilonGreedy",
            "worst_case": "acme.parts:WorstCase",
            "absolute": "acme.learning:Absolute",
            "averaging": "acme.learning:Averaging",
        }

    @hookimpl
    def agentic_agents():
        return {"two": "acme.two:Two"}
'''
PARTS = '''
    """Parts of planning agents."""

    from dataclasses import dataclass
    from math import inf

    import torch

    from agentic import Backup, Gain, Selection


    @dataclass(frozen=True)
    class Curiosity(Gain):
        """A bonus of `weight` nats for every step, whatever it shows."""

        weight: float = 1.0

        def start(self, model, belief):
            return None

        def step(self, model, memory, step, last):
            return memory, {"curiosity": self.weight * step.after.mean.sum(-1) / 2}


    @dataclass(frozen=True)
    class EpsilonGreedy(Selection):
        """The best action, or with probability `epsilon` any."""

        epsilon: float = 0.1

        @property
        def precision(self):
            return inf

        def choose(self, policy, domain, generator):
            any_one = domain.draw(len(policy.mean), generator=generator, dtype=policy.mean.dtype)
            chance = torch.rand(len(any_one), 1, generator=generator) < self.epsilon
            return torch.where(chance, any_one, domain.project(policy.mode))


    class WorstCase(Backup):
        """The highest energy: everything will be done wrong later."""

        def policy(self, energies, log_habits):
            worst = energies == energies.amax(-1, keepdim=True)
            return worst / worst.sum(-1, keepdim=True)
'''
LEARNING = '''
    """A loss, and a learner that is told which."""

    import torch

    from agentic import Learner, Loss, Model


    class Absolute(Loss):
        """The mean of absolute values."""

        def __call__(self, module, rows, *, generator):
            return rows[0].abs().mean(), {}


    class Averaging(Learner):
        """Reports the loss of what was seen; changes nothing."""

        def __init__(self, model: Model, loss: Loss):
            self.model, self.loss = model, loss

        def update(self, tick):
            value, _ = self.loss(self.model, (tick.obs,), generator=None)
            return {"loss": float(value)}
'''
TWO = '''
    """An agent with parts of its own."""

    import torch

    from agentic import Agent, Categorical, Decision, Energy, Selection


    class Two(Agent):
        """Scores every action with its critic, given nothing, and lets its actor choose."""

        def __init__(self, action, critic: Energy, actor: Selection, sharpness: float = 1.0):
            self.action, self.critic, self.actor, self.sharpness = action, critic, actor, sharpness

        @classmethod
        def from_env(cls, env, critic: Energy, actor: Selection, sharpness: float = 1.0):
            return cls(env.action, critic, actor, sharpness)

        def start(self, batch, *, generator):
            return None

        def decide(self, state, obs, *, generator):
            corners = self.action.corners(torch.float64)
            scores = self.critic(None, torch.stack([corners.argmax(-1).double()] * 2, -1))
            policy = Categorical(torch.softmax(-self.sharpness * scores, -1).expand(len(obs), -1), self.action.sizes)
            return Decision(self.actor.choose(policy, self.action, generator).to(obs.dtype), state, policy)
'''
COMMAND = '''
    """`agentic acme`: says what Acme thinks of agents."""

    import click


    @click.command()
    @click.option("--loud", is_flag=True)
    def acme(loud):
        click.echo("AGENTS!" if loud else "agents.")
'''


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The distribution is installed, and everything is run in a folder of its own."""
    modules = {"__init__": HOOKS, "parts": PARTS, "learning": LEARNING, "two": TWO, "command": COMMAND}
    sources = {f"acme/{name}.py": source for name, source in modules.items()}
    site = tmp_path / "site"
    distribution(site, "acme-agency", sources, {"all": "acme"}, commands={"acme": "acme.command:acme"}, version="2.5")
    for name in ("AGENTIC_LOAD_PLUGINS", "AGENTIC_DISABLED_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(site)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme"]:
        del sys.modules[name]


def run(*words: str) -> int:
    return main(["run", *words, "--episodes", "2", "--quiet"])


def test_a_gain_a_selection_and_a_backup(capsys: pytest.CaptureFixture[str]) -> None:
    planner = ["planner.gain={ name = 'curiosity', weight = 2.0 }", "planner.backup={ name = 'worst_case' }"]
    selection = ["agent.selection={ name = 'acme-agency/epsilon_greedy', epsilon = 0.5 }"]
    given = [word for setting in (*planner, *selection) for word in ("--set", setting)]
    assert run(TMAZE, *given) == 0, capsys.readouterr().err
    (folder,) = Path("runs").iterdir()
    table = pq.read_table(folder / "ticks-000000.parquet")
    assert table["energy.curiosity"].to_pylist()[0] > 0
    parts = [table[f"energy.{name}"].to_numpy() for name in ("expected_energy", "pragmatic", "curiosity")]
    assert parts[0] == pytest.approx(parts[1] - parts[2], abs=1e-6), "a gain is subtracted, whoever made it"
    rows = {row["name"]: row for row in json.loads((folder / "manifest.json").read_text())["components"]}
    made = {
        name: (rows[name]["plugin"], rows[name]["version"]) for name in ("curiosity", "epsilon_greedy", "worst_case")
    }
    assert set(made.values()) == {("acme-agency", "2.5")}
    assert rows["curiosity"]["parameters"] == {"weight": 2.0}


def test_a_loss_within_a_learner(capsys: pytest.CaptureFixture[str]) -> None:
    named = ["--set", "learner.name=averaging"]
    given = [*named, "--set", "learner.loss.name=absolute", "--set", "learn.steps=4"]
    assert run(TMAZE, *given) == 0, capsys.readouterr().err
    assert run(TMAZE, *named, "--set", "learner.loss.name=worst_case") == 2
    assert "[learner.loss] worst_case is a Backup; a Loss is wanted: absolute, " in capsys.readouterr().err
    assert run(TMAZE, *named) == 2
    assert "[learner] averaging needs the parameter 'loss'" in capsys.readouterr().err
    assert len(list(Path("runs").iterdir())) == 1


def file(**parts: str) -> str:
    path = Path("two.toml")
    lines = ['[env]\nid = "agentic/TMaze-v0"', '[agent]\nname = "two"\nsharpness = 2.0']
    lines += [f"[agent.{part}]\n{text}" for part, text in parts.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_an_agent_with_two_parts_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    critic, actor = 'name = "banana"', 'name = "epsilon_greedy"\nepsilon = 0.2'
    assert run(file(critic=critic, actor=actor)) == 0, capsys.readouterr().err
    for parts, said in (
        ({"critic": 'name = "max"', "actor": actor}, "[agent.critic] max is a Backup; an Energy is wanted: banana, "),
        (
            {"critic": critic, "actor": 'name = "mirror"'},
            "[agent.actor] mirror is a Minimizer; a Selection is wanted: ",
        ),
        ({"critic": critic}, "the agent two needs the table(s) [agent.actor]"),
        ({"critic": critic, "actor": "epsilon = 0.2"}, "[agent.actor] should be a table with a name"),
        (
            {"critic": critic, "actor": f"{actor}\nepsilom = 1"},
            "[agent.actor] epsilon_greedy has no parameter 'epsilom'",
        ),
    ):
        assert run(file(**parts)) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1
    assert len(list(Path("runs").iterdir())) == 1


def test_a_command_whose_module_is_not_imported_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "acme From the plugin acme-agency: says what Acme thinks of agents." in said
    assert "acme.command" not in sys.modules
    assert main(["acme", "--loud"]) == 0
    assert capsys.readouterr().out == "AGENTS!\n"


def test_what_it_offers_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--provides", "--json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["id"] == "acme-agency"]
    assert row["provides"]["energies"] == ["curiosity"]
    assert set(row["provides"]["optimizers"]) == {"epsilon_greedy", "worst_case", "absolute", "averaging"}


def test_two_gains_of_one_name_are_told_apart_by_full_names(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer = HOOKS[: HOOKS.index("    @hookimpl\n    def agentic_optimizers")]
    distribution(acme, "bolt", {"bolt.py": offer}, {"all": "bolt"})
    try:
        assert run(TMAZE, "--set", "planner.gain={ name = 'curiosity' }") == 2
        assert "write 'acme-agency/curiosity' or 'bolt/curiosity' instead" in capsys.readouterr().err
        assert run(TMAZE, "--set", "planner.gain={ name = 'bolt/curiosity' }") == 0
    finally:
        sys.modules.pop("bolt", None)
