"""The rungs between a rock and a planner: what a thermostat, a learning habit, a mimic and a delay line are.

All but the last two are in examples/bench/rungs.toml, and what is asserted here is what its table says.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch
from torch import Tensor

from agentic import Agent, Change, Decision, Environment, Intervention, Measurement, Subject, World, make, measure
from agentic.metrics.results import Result
from agentic_agents.lookup import drawn
from agentic_agents.planner import Planner
from agentic_bench import Battery
from agentic_bench.task import Measuring
from agentic_envs.gridworld import GridWorld
from agentic_metrics import MemoryTimescale, PolicyAdaptation, Relocate, Swap, planner
from agentic_metrics.responses.rooms import Field

FILE = Path(__file__).parents[2] / "examples" / "bench" / "rungs.toml"
Found = dict[str, Measurement]


@pytest.fixture(scope="module")
def rung(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Result]:
    """What the bench finds of an agent in a world on the first seed."""
    folder, battery = tmp_path_factory.mktemp("rungs"), Battery.load(FILE)
    tasks = {(task.world, task.agent): task for task in battery.tasks() if task.seed == 0}

    def found(world: str, agent: str) -> Result:
        task = tasks[world, agent]
        if not (folder / task.folder).exists():
            (folder / task.folder).mkdir(parents=True)
            Measuring(task, "").run(folder / task.folder)
        result = Result.read(folder / task.folder)
        assert result is not None
        assert not result.broken
        return result

    return found


def values(result: Result) -> dict[str, float]:
    return {label: each.value for label, each in result.measurements.items()}


class TestThermostat:
    """It does all that can be done, as well as a planner, until its actuators are reversed."""

    @pytest.mark.parametrize("agent", ["thermostat", "clone", "planner"])
    def test_every_decision_is_explained_by_the_set_point(self, rung: Any, agent: str) -> None:
        found = values(rung("room", agent))
        assert found["goal-directedness, per decision"] == pytest.approx(np.log(2), abs=1e-12)
        assert found["goal-directedness"] == pytest.approx(12 * np.log(2), abs=1e-9)

    def test_chance_explains_who_acts_at_random(self, rung: Any) -> None:
        found = values(rung("room", "random"))
        assert found["goal-directedness, per decision"] == pytest.approx(0, abs=1e-12)
        assert found["goal-directedness"] == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("change", ["reversed", "warmer"])
    @pytest.mark.parametrize(
        ("agent", "index"), [("rock", 0), ("random", 0), ("thermostat", 0), ("clone", 0), ("planner", 1)]
    )
    def test_only_the_planner_acts_otherwise_in_another_room(
        self, rung: Any, agent: str, index: int, change: str
    ) -> None:
        assert values(rung("room", agent))[f"adaptation under {change}"] == pytest.approx(index, abs=1e-9)

    def test_it_keeps_the_room_steady(self, rung: Any) -> None:
        steady = rung("room, measured", "thermostat").measurements["homeostasis"]
        assert steady.outside_null
        assert steady.interval.low > 1
        assert steady.value == pytest.approx(0.5 * np.log2((9**2 - 1) / 12 / 0.5), abs=0.25)

    @pytest.mark.parametrize("agent", ["rock", "random"])
    def test_who_does_not_look_steadies_nothing(self, rung: Any, agent: str) -> None:
        assert abs(values(rung("room, measured", agent))["homeostasis"]) < 0.5

    def test_a_learned_model_and_a_plan_do_what_one_comparison_does(self, rung: Any) -> None:
        steady = rung("room, measured", "energy").measurements["homeostasis"]
        assert steady.outside_null
        assert steady.interval.low > 1


class TestHabit:
    """It finds out in time what a planner knows when it is told."""

    @pytest.mark.parametrize("agent", ["planner", pytest.param("energy", marks=pytest.mark.slow)])
    def test_who_plans_needs_no_experience_once_informed(self, rung: Any, agent: str) -> None:
        found = values(rung("grid", agent))
        assert found["adaptation under swap"] == pytest.approx(1, abs=1e-6)
        assert found["half-life under swap"] == 0
        assert found["adaptation under swap, uninformed"] == 0
        assert np.isnan(found["half-life under swap, uninformed"])

    @pytest.mark.parametrize("agent", ["habit", "clone"])
    def test_who_does_not_learn_never_gets_there(self, rung: Any, agent: str) -> None:
        result = rung("grid", agent)
        for change in ("swap", "swap, uninformed"):
            assert values(result)[f"adaptation under {change}"] == pytest.approx(0, abs=1e-12)
            half_life = result.measurements[f"half-life under {change}"]
            assert np.isnan(half_life.value)
            assert "learns nothing meanwhile" in half_life.warnings[0]

    @pytest.mark.slow
    def test_a_habit_that_goes_on_learning_gets_there(self, rung: Any) -> None:
        result = rung("grid", "habit, learning")
        found, course = values(result), result.measurements["adaptation under swap, uninformed"].diagnostics["course"]
        assert found["adaptation under swap"] == pytest.approx(0, abs=1e-12)
        assert course[0] == 0
        assert 10 < found["half-life under swap, uninformed"] < 80
        assert course[int(found["half-life under swap, uninformed"])] >= 0.5
        assert max(course) <= 0.8985  # what an agent is worth that does the best but for one action in ten
        assert found["adaptation under swap, uninformed"] > 0.7
        assert min(course) < 0  # it forgets the old goal before it has found the new one

    def test_a_half_life_is_in_episodes_and_has_no_null(self, rung: Any) -> None:
        found = rung("grid", "planner").measurements["half-life under swap"]
        assert found.unit == "episodes"
        assert found.null is None
        assert found.interval is None


def grid() -> Any:
    return GridWorld([5, 5], goals=[[4, 4, 1.0], [0, 4, 0.6]], exit=True, steps=60)


@final
class Mimic(Agent):
    """Tables of what a planner does for each goal of a list; told of one that is not on it, it stays what it was."""

    def __init__(self, listed: list[World], policy: Any) -> None:
        self.listed, self.policy = listed, torch.as_tensor(policy)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return drawn(self.policy[obs.argmax(-1)], obs, generator)

    def informed(self, change: Change) -> "Mimic":
        assert isinstance(change.goal, Environment)
        rewards = World.of(change.goal.truth()).rewards
        known = [world for world in self.listed if np.allclose(world.rewards, rewards)]
        return Mimic(self.listed, planner(known[0], depth=40, discount=0.9)) if known else self


class TestMimic:
    """Whoever copied a planner for many goals passes for one up to the edge of the list."""

    @pytest.mark.parametrize(("place", "listed"), [(None, True), (20, True), (0, False), (2, False)])
    def test_a_mimic_fails_off_its_list(self, place: int | None, listed: bool) -> None:
        def change(to: int | None) -> Callable[[Any], Any]:
            return partial(Swap, one=1.0, other=0.6) if to is None else partial(Relocate, place=24, other=to)

        first = World.of(make(grid()).truth())
        known = [first, *(World.of(make(change(to)(grid())).truth()) for to in (None, 20))]
        mimic = Mimic(known, planner(first, depth=40, discount=0.9))
        moved = Intervention.announced("moved", change(place), grid)

        def index(agent: Agent) -> float:
            subject = Subject(agent=agent, environment=grid, interventions=(moved,))
            return float(measure(PolicyAdaptation(discount=0.9), subject).value)

        assert index(Planner.from_env(make(grid))) == pytest.approx(1, abs=1e-9)
        assert index(mimic) == pytest.approx(float(listed), abs=1e-9)


@final
class DelayLine(Agent):
    """Does what it saw `steps` steps ago."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.eye(2)[torch.zeros(batch, self.steps + 1, dtype=torch.long)]

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        line = torch.cat([state[:, 1:], obs[:, None]], 1)
        return Decision(line[:, 0], line)


@pytest.mark.parametrize("steps", [0, 2])
def test_a_delay_line_remembers_its_length(steps: int) -> None:
    """Among fair coins, where nothing but its own memory tells what was."""
    subject = Subject(agent=DelayLine(steps), environment=partial(Field, steps=20, deadly=False))
    found = measure(MemoryTimescale(lags=5, horizon=20), subject)
    assert found.value == steps
    assert [bits > 0.01 for bits in found.diagnostics["bits"]] == [lag <= steps for lag in range(1, 6)]
