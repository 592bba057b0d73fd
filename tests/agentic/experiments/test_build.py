"""From a file to an agent in a world, with components that a file of its own offers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from agentic import EnergyAgent, Experiment, Greedy, RunError, UserError, load
from agentic.cli.starting import retarget
from agentic.experiments.build import build
from agentic.experiments.worlds import gymnasium_id
from agentic.learning.learner import Learner
from agentic.plugins import Registry
from agentic.plugins.parameters import accepted
from agentic.testing.worlds import Ladder
from agentic.tick import Tick

MINIMAL: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "doubler"}}
LADDER: dict[str, Any] = {
    "env": {"id": "four"},
    "agent": {"name": "minimizing"},
    "model": {"name": "ladder"},
    "goal": {"name": "costs", "costs": [1.0, 0.6, 1.0, 0.0]},
    "inference": {"name": "bayes_rule"},
    "planner": {"name": "all_plans", "horizon": 2, "discount": 0.9},
    "evaluate": {"episodes": 2},
}
PLUGIN = '''
import gymnasium
from gymnasium.spaces import Discrete
from dataclasses import dataclass
from agentic import Agent, Decision, hookimpl

class Mirrored(gymnasium.ActionWrapper):
    """Left is right."""
    def action(self, action): return 1 - action

class Doubler(Agent):
    """Has parameters of every sort, and a part of its own kind."""
    def __init__(self, domain, inner=None, sizes: tuple[int, ...] = (), rate: float = 1.0):
        self.domain, self.inner, self.sizes, self.rate = domain, inner, sizes, rate
    @classmethod
    def from_env(cls, env, **parameters): return cls(env.action, **parameters)
    @classmethod
    def quick(cls, *, speed=1): return cls(None)
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator):
        return Decision(self.domain.project(self.domain.center(len(obs))).to(obs.dtype))

class Four(gymnasium.Env):
    """Four places, seen as they are; the first action leads to the next one. Three steps."""
    observation_space, action_space = Discrete(4), Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.count = 0, 0
        return self.place, {}
    def step(self, action):
        self.place, self.count = (self.place + 1 - action) % 4, self.count + 1
        return self.place, 1.0, False, self.count == 3, {}

class Still(Agent):
    """Does nothing."""
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator): return Decision(obs)

class Broken(Still):
    """Breaks while it is made."""
    def __init__(self): raise LookupError("no such thing")

class Strict(Still):
    """Refuses its parameter."""
    def __init__(self, size): raise ValueError("size must be even")

@hookimpl
def agentic_agents():
    return {"doubler": Doubler, "broken": Broken, "strict": Strict, "minimizing": "agentic:EnergyAgent"}
@hookimpl
def agentic_energies(): return {"ladder": "agentic.testing.worlds:Ladder", "costs": "agentic.testing.worlds:Costs"}
@hookimpl
def agentic_optimizers():
    return {"bayes_rule": "agentic.testing.parts:BayesRule", "all_plans": "agentic.testing.parts:AllPlans"}
@hookimpl
def agentic_envs():
    return {"mirrored": Mirrored, "four": Four, "pole": "gymnasium.envs.classic_control:CartPoleEnv"}
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    file = tmp_path_factory.mktemp("plugins") / "extra.py"
    file.write_text(PLUGIN)
    return load([file])


def experiment(*settings: str, tables: dict[str, Any] = MINIMAL) -> Experiment:
    return Experiment.of(tables, settings)


def test_an_energy_agent_gets_its_parts(registry: Registry) -> None:
    built = build(experiment(tables=LADDER), registry)
    agent = built.agent
    assert isinstance(agent, EnergyAgent)
    assert isinstance(agent.model, Ladder)
    assert isinstance(agent.selection, Greedy)
    assert (agent.purpose.horizon, agent.purpose.discount, agent.purpose.gain) == (2, 0.9, None)
    rows = {(row["kind"], row["name"]): row for row in built.components}
    assert {name for _, name in rows} == {"four", "ladder", "costs", "bayes_rule", "all_plans", "minimizing"}
    assert rows["energies", "costs"]["parameters"] == {"costs": [1.0, 0.6, 1.0, 0.0]}
    assert all(row["plugin"] == "extra" and row["sha256"] for row in built.components)
    assert len(built.run().returns()) == 2


def test_run_records_the_resolved_file(registry: Registry, tmp_path: Path) -> None:
    made = experiment("evaluate.episodes=2", "run.envs=2")
    record = build(made, registry).run(tmp_path / "run")
    assert Experiment.load(tmp_path / "run" / "experiment.toml") == made
    assert len(record.returns()) == 2
    assert record.manifest["components"][0]["name"] == "CartPole-v1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.name=laddre"], "did you mean 'ladder'"),
        (["planner.horizn=3"], "[planner] all_plans has no parameter 'horizn', did you mean 'horizon'?"),
        (["planner.steps=many"], "[planner] all_plans: steps is wrong: input should be a valid integer, got 'many'"),
        (["agent.name=doubler"], "the agent doubler does not use [model], [goal], [inference], [planner]"),
        (["learn.steps=5"], "nothing that learns"),
        (["env.id=CartPol-v1"], "CartPole-v1"),
        (["env.changes=[{name = 'mirored'}]"], "did you mean 'mirrored'"),
        (["env.changes=[{name = 'pole'}]"], "[env.changes] pole is an Env; a Wrapper is wanted: "),
        (["env.changes=[{name = 'mirrored', far = 1}]"], "mirrored has no parameter 'far'"),
        (["env.id=CartPole-v1"], "CartPole-v1"),
    ],
)
def test_what_does_not_fit_is_reported_before_anything_runs(settings: list[str], said: str, registry: Registry) -> None:
    with pytest.raises(UserError) as caught:
        build(experiment(*settings, tables=LADDER), registry)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_tables_are_named(registry: Registry) -> None:
    with pytest.raises(
        UserError, match=r"minimizing needs the table\(s\) \[model\], \[goal\], \[inference\], \[planner\]"
    ):
        build(experiment("agent.name=minimizing"), registry)


def test_changed_world(registry: Registry) -> None:
    built = build(experiment('env.changes=[{ name = "mirrored" }]'), registry)
    assert [row["name"] for row in built.components] == ["CartPole-v1", "mirrored", "doubler"]
    assert built.components[1]["sha256"]


def test_environment_by_the_name_of_a_component(registry: Registry) -> None:
    assert gymnasium_id("four", registry) == gymnasium_id("extra/four", registry) == "extra/four"
    assert gymnasium_id("CartPole-v1", registry) == "CartPole-v1"
    assert build(experiment("env.id=four"), registry).environment.id == "extra/four"


def test_components_of_a_third_party(registry: Registry) -> None:
    own = ["agent.name=doubler", "agent.sizes=[1, 2]", "agent.rate=2"]
    agent: Any = build(experiment(*own, "agent.inner.name=doubler", "agent.inner.sizes=[3]"), registry).agent
    assert (agent.sizes, agent.rate, agent.inner.sizes) == ((1, 2), 2.0, (3,))
    assert list(accepted(type(agent)).names) == ["domain", "inner", "sizes", "rate", "speed"]
    with pytest.raises(UserError, match=r"\[agent\] doubler: sizes is wrong"):
        build(experiment(*own, "agent.sizes=[1.5]"), registry)
    with pytest.raises(UserError, match=r"\[agent\] strict needs the parameter 'size'"):
        build(experiment("agent.name=strict"), registry)
    with pytest.raises(UserError, match="size must be even"):
        build(experiment("agent.name=strict", "agent.size=3"), registry)
    with pytest.raises(RunError, match="plugin extra broke while being made, LookupError"):
        build(experiment("agent.name=broken"), registry)


def test_retarget_keeps_world_and_schedule(registry: Registry) -> None:
    ladder = experiment("run.seed=3", tables=LADDER)
    other = retarget(ladder, "doubler", registry)
    assert set(other.tables()) == {"run", "env", "agent", "learn", "evaluate"}
    assert (other.run, other.env, other.evaluate) == (ladder.run, ladder.env, ladder.evaluate)
    assert other.learn.steps == 0
    assert retarget(ladder, "minimizing", registry) is ladder


def test_a_subject_lives_in_the_world_as_learning_left_it(registry: Registry) -> None:
    class Nothing(Learner):
        def start(self, *, generator: torch.Generator) -> None: ...
        def update(self, tick: Tick) -> dict[str, float]:
            return {}

    made = experiment("env.wrappers=['gymnasium.wrappers:NormalizeObservation']", "evaluate.episodes=1")
    built = build(made, registry)
    assert built.subject().environment().get_wrapper_attr("obs_rms").count == pytest.approx(1e-4)
    built = build(made, registry)
    built.agent.learner = Nothing()
    learning = replace(built, experiment=Experiment.of(made.tables(), ["learn.steps=30"]))
    assert learning.subject().environment().get_wrapper_attr("obs_rms").count > 30


def test_a_world_without_a_state_to_record_is_refused_before_anything_runs(registry: Registry) -> None:
    tables = {"env": {"id": "Blackjack-v1"}, "agent": {"name": "doubler"}, "run": {"world": True}}
    with pytest.raises(UserError, match="offers no state of the world to record"):
        build(Experiment.of(tables), registry)
