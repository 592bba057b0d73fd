"""The catalog over everything in the registry: each component once, each parameter told, each example made."""

import json
import tomllib
from collections import Counter
from functools import partial
from pathlib import Path

import gymnasium
import pytest

from agentic import Agent, Experiment, Learner, Metric, UserError, build, load, make
from agentic.cli.plugin_kinds import FIELD, TEMPLATES
from agentic.plugins import KINDS, Component, Registry, fits
from agentic.testing.learners import for_model
from agentic_bench import Battery
from agentic_catalog.choosing import chosen
from agentic_catalog.command import components
from agentic_catalog.entries import Catalog, Entry
from agentic_catalog.pages import listing, page
from agentic_catalog.samples import Samples

REGISTRY = load()
CATALOG = Catalog.of(REGISTRY)
SAMPLES = Samples(CATALOG)
SLOW = {"sb3"}  # what it is made of takes long to import
ENTRIES = [
    pytest.param(each, id=f"{each.component.kind}-{each.name}", marks=[pytest.mark.slow] * (each.name in SLOW))
    for each in CATALOG.entries
]
PYTHON_ONLY = {"feedforward", "predictive_coding", "vae"}  # they are given networks
PLUGIN = '''
from abc import abstractmethod
from dataclasses import dataclass
import gymnasium, numpy
from agentic import Agent, Decision, Energy, Gain, Metric, hookimpl

class Spring(Energy):
    """The energy stiffness z^2 / 2.

    Args:
        stiffness: in nats per
            squared unit.
        rest (float): where it is at rest.
    """
    def __init__(self, stiffness: float, rest: "float" = 0.0): super().__init__()
    def forward(self, x, z): return z.sum(-1)

class Doubting(Agent):
    """Does what its critic likes."""
    def __init__(self, action, critic, draws): self.action = action
    @classmethod
    def from_env(cls, env, critic: Energy, draws: int = 8):
        """`draws` actions are compared."""
        return cls(env.action, critic, draws)
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator):
        return Decision(self.action.draw(len(obs), generator=generator, dtype=obs.dtype))

def made(size: int = 3) -> Energy:
    """Made by a function, which says \x1b[31mred."""
    return Spring(1.0)

class Builtin(dict):
    """Without a signature."""

class Array(Energy):
    """With an `array` for a default."""
    def __init__(self, array=numpy.ones(2), function=print): super().__init__()
    def forward(self, x, z): return z.sum(-1)

class Leaving(gymnasium.Wrapper):
    """It leaves."""
    def __init__(self, env, far): raise SystemExit(3)
    @classmethod
    def example(cls): raise KeyError("no")

class Undocumented(gymnasium.Wrapper):
    def __init__(self, env, far=1): super().__init__(env)

@hookimpl
def agentic_energies():
    odd = {"array": Array, "builtin": Builtin, "made": "orchard:made"}
    return odd | {"spring": Spring, "lost": "no_such_module_of_orchard:Spring", "cem": Spring}
@hookimpl
def agentic_agents(): return {"doubting": Doubting}
@hookimpl
def agentic_envs(): return {"undocumented": Undocumented, "leaving": Leaving}
'''


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    file = tmp_path_factory.mktemp("plugin") / "orchard.py"
    file.write_text(PLUGIN)
    return Catalog.of(load([file]))


def test_every_component_is_there_once() -> None:
    offered = [(kind, name) for kind in KINDS for name in REGISTRY.names(kind)]
    assert [(each.component.kind, each.name) for each in CATALOG.entries] == offered
    lines = listing(CATALOG, CATALOG.entries).splitlines()
    shown = Counter(line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   "))
    assert shown == Counter(name for _, name in offered)


def test_a_line_each_at_eighty_columns() -> None:
    lines = listing(CATALOG, CATALOG.entries, short=True).splitlines()
    assert max(map(len, lines)) <= 80
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert len([line for line in lines if line]) == len(titles) + len(CATALOG.entries)
    for title in ("Model, [model]:", "Minimizer, [planner]:", "Metric, [[metrics]] of a bench file:", "Loss:"):
        assert title in titles
    assert "Logger, [[loggers]]:" in titles


def test_every_parameter_has_a_type_and_says_what_it_is() -> None:
    assert [each.name for each in CATALOG.entries if not each.summary] == []
    every = [(f"{entry.name}.{each.name}", each) for entry in CATALOG.entries for each in entry.parameters]
    assert len(every) > 500
    assert [name for name, each in every if not each.type] == []
    assert [name for name, each in every if not each.about] == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_example_makes_the_component(entry: Entry) -> None:
    if entry.name == "sb3":
        pytest.importorskip("stable_baselines3")
    sample = SAMPLES.of(entry)
    assert (sample is None) == (entry.name in PYTHON_ONLY)
    if sample is None:
        return
    if entry.name == "pickled":  # no file of one comes along
        assert "needs the parameter 'pickle'" in sample.problem
        return
    assert not sample.problem
    tables = tomllib.loads(sample.toml)
    if fits(entry.target, Metric):
        battery = {"worlds": [{"name": "w", "id": "CartPole-v1"}], "agents": [{"name": "random"}], **tables}
        (metric,) = Battery.of(battery).metrics
        made = REGISTRY.make(Metric, {"name": metric.name, **metric.parameters})
    elif fits(entry.target, Agent | gymnasium.Env | gymnasium.Wrapper):
        built = build(Experiment.of({"agent": {"name": "random"}, **tables}), REGISTRY)
        built.environment.close()
        world = gymnasium.make(tables["env"]["id"]).unwrapped if fits(entry.target, gymnasium.Env) else None
        made = built.agent if fits(entry.target, Agent) else world or entry.target.__new__(entry.target)
    else:
        made = _made(entry, _own(tables, entry.name), sample.world)
    assert isinstance(made, entry.target)


def _made(entry: Entry, own: dict[str, object], world: str) -> object:
    if fits(entry.target, Learner):
        return for_model(partial(entry.target, **{key: value for key, value in own.items() if key != "name"}))
    if not world:
        return REGISTRY.make(entry.target, own)
    environment = make(world)
    try:
        return REGISTRY.make(entry.target, own, "", environment)
    finally:
        environment.close()


def _own(tables: object, name: str) -> dict[str, object]:
    """The table of that name, however deep."""
    if isinstance(tables, dict):
        if tables.get("name") == name:
            return tables
        tables = list(tables.values())
    found = (_own(each, name) for each in tables) if isinstance(tables, list) else iter(())
    return next((each for each in found if each), {})


def test_a_page_has_the_parameters_and_the_example() -> None:
    (entry,) = CATALOG.named("cem")
    text = page(SAMPLES, entry)
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "cem: Minimizer, [inference] or [planner]",
        "elites     int, default 26. the best `elites`",
        "[planner]",
    ):
        assert part in text
    assert "from Python only: no file can say decoder (Network)" in page(SAMPLES, CATALOG.named("vae")[0])


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("planner", {"tree", "cem", "riccati"}),
        ("solver", {"tree", "newton", "hmc"}),
        ("Losses", {"elbo", "settled"}),
        ("change", {"swap", "remap_actions"}),
        ("energy", {"table", "categorical", "quadratic"}),
        ("goals", {"quadratic", "effort"}),
    ],
)
def test_a_kind_by_its_word(word: str, names: set[str]) -> None:
    entries, whole = chosen(CATALOG, word)
    assert not whole
    assert names <= {each.name for each in entries}
    assert {"random", "episode_return", "tmaze"}.isdisjoint({each.name for each in entries})


def test_planners_are_found_by_trying_them() -> None:
    planners = {each.name for each in chosen(CATALOG, "planner")[0]}
    assert planners.isdisjoint({"newton", "mirror", "hmc", "random"})


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'cem'"):
        chosen(CATALOG, "cme")


def test_of_third_parties(foreign: Catalog) -> None:
    spring = foreign.named("spring")[0]
    stiffness, rest = spring.parameters
    assert (stiffness.type, stiffness.needed, stiffness.about) == ("float", True, "in nats per squared unit.")
    assert (rest.default, rest.about) == (0.0, "where it is at rest.")
    doubting = foreign.named("doubting")[0]
    samples = Samples(foreign)
    assert [path for path in samples.places.tables(spring)] == [("agent", "critic")]
    sample = samples.of(doubting)
    assert sample is not None
    assert not sample.problem
    assert sample.tables["agent"]["critic"]["name"] in foreign.registry.satisfying(doubting.parameters[0].contract)
    lost = foreign.named("lost")[0]
    assert "does not load" in lost.summary
    assert "cannot be used" in page(samples, lost)
    assert "(it says nothing about itself)" in listing(foreign, foreign.named("undocumented"))


@pytest.mark.parametrize("name", ["array", "builtin", "made", "leaving"])
def test_odd_components_of_third_parties_have_a_page(foreign: Catalog, name: str) -> None:
    (entry,) = foreign.named(name)
    assert page(Samples(foreign), entry).startswith(f"{name}: ")
    assert json.dumps(entry.to_dict())


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "orchard.py").write_text(PLUGIN)
    components.main(["made", "--plugin", str(tmp_path / "orchard.py")], standalone_mode=False)
    assert "which says \\x1b[31mred" in capsys.readouterr().out


def test_a_name_of_two_kinds_is_both(foreign: Catalog) -> None:
    entries, whole = chosen(foreign, "cem")
    assert whole
    assert [each.component.kind for each in entries] == ["energies", "optimizers"]


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    components.main(["softmax", "--json"], standalone_mode=False)
    (row,) = json.loads(capsys.readouterr().out)
    assert row["tables"] == ["agent.selection"]
    assert row["parameters"][0]["default"] == 1.0
    assert tomllib.loads(row["example"])["agent"]["selection"] == {"name": "softmax", "precision": 1.0}
    (tmp_path / "orchard.py").write_text(PLUGIN)
    components.main(["spring", "--plugin", str(tmp_path / "orchard.py")], standalone_mode=False)
    assert "stiffness  float, needed. in nats per squared unit." in capsys.readouterr().out
    components.main(["agent"], standalone_mode=False)
    assert "agent is a name too" not in capsys.readouterr().out
    components.main(["energy"], standalone_mode=False)
    assert "energy is a name too: agentic components agentic/energy" in capsys.readouterr().out


def test_a_registry_with_nothing_in_it() -> None:
    empty = Catalog.of(Registry((Component("metrics", "gone", "mine", None, "file", "no_such_module:X"),)))
    assert [each.in_file for each in empty.entries] == [False]


def test_a_page_has_what_stands_beside_a_planner_and_nothing_twice() -> None:
    tree = page(SAMPLES, chosen(CATALOG, "tree")[0][0])
    assert "horizon, gain, effort, terminal, discount" in tree
    assert tree.count("Closed-loop tree search") == 1
    assert "[planner]" not in page(SAMPLES, chosen(CATALOG, "newton")[0][0])
    assert chosen(CATALOG, "population")[0] == chosen(CATALOG, "populationenergy")[0] != []


@pytest.mark.parametrize("word", [*TEMPLATES, *FIELD])
def test_what_can_be_begun_can_be_looked_up(word: str) -> None:
    assert chosen(CATALOG, word)[0]
