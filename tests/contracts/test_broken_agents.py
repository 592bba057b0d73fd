"""The kit catches agents, environments and metrics that break their contract, each in one way."""

from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from torch import Tensor

from agentic import Access, Agent, Categorical, Decision, Frame, Measurement, Metric
from agentic.metrics.measurement import Interval, Null
from agentic.metrics.subject import Subject
from agentic.testing import check
from agentic.testing.metrics import subject
from agentic.testing.worlds import Coin, TwoPlaces
from tests.contracts.broken import assert_only


class Counter(Agent):
    """Takes the two actions in turn: nothing is wrong with it."""

    def start(self, batch: int, *, generator: torch.Generator) -> Any:
        return torch.zeros(batch, dtype=torch.int64)

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = torch.nn.functional.one_hot(state % 2, 2).to(obs.dtype)
        return Decision(action, state + 1, Categorical(action))


class FirstRowOnly(Counter):
    """Decides for one row."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        decision = super().decide(state, obs, generator=generator)
        return Decision(decision.action[:1], decision.state)


class Indices(Counter):
    """Acts with a number where one-hot vectors are asked for."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(torch.full((len(obs), 2), 0.5), state + 1)


class SureOfEverything(Counter):
    """Its policy sums to two."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        decision = super().decide(state, obs, generator=generator)
        decision.policy = Categorical(torch.ones_like(decision.action))
        return decision


class Remembers(Counter):
    """Keeps its state in itself."""

    def __init__(self) -> None:
        self.count = 0

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        self.count += 1
        return super().decide(torch.full_like(state, self.count), obs, generator=generator)


class WholeBatch(Counter):
    """Counts once for all rows, so that none can begin anew."""

    def start(self, batch: int, *, generator: torch.Generator) -> Any:
        return 0

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = torch.nn.functional.one_hot(torch.full((len(obs),), state % 2), 2).to(obs.dtype)
        return Decision(action, state + 1)


class Crowd(Counter):
    """Does in every row what the row that lives longest does."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        decision = super().decide(state.max().expand(len(state)), obs, generator=generator)
        return Decision(decision.action, state + 1)


class Tires(Counter):
    """Does one thing for good once it was asked seven times, which is in no state."""

    def __init__(self) -> None:
        self.asked = 0

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        self.asked += 1
        decision = super().decide(state, obs, generator=generator)
        return decision if self.asked < 8 else Decision(decision.action.flip(-1), decision.state)


class WritesIntoObs(Counter):
    """Standardizes in place."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        obs -= 0.5
        return super().decide(state, obs, generator=generator)


class GlobalCoin(Counter):
    """Draws from the global generator of NumPy."""

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        index = torch.as_tensor(np.random.randint(2, size=len(obs)))  # noqa: NPY002
        return Decision(torch.nn.functional.one_hot(index, 2).to(obs.dtype), state + 1)


class Deaf(Counter):
    """Is gone once it is told something."""

    def informed(self, change: Any) -> Any:
        return None


class OwnChance(TwoPlaces):  # type: ignore[misc]
    """Draws from a generator that no seed reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.own = np.random.default_rng()

    def step(self, action: Any) -> Any:
        obs, reward, end, cut, info = super().step(action)
        return obs, reward + self.own.random(), end, cut, info


class LateChance(OwnChance):  # type: ignore[misc]
    """Draws from it once an episode has lasted five steps."""

    def step(self, action: Any) -> Any:
        obs, reward, end, cut, info = TwoPlaces.step(self, action)
        return obs, reward + (self.own.random() if self.count > 5 else 0.0), end, cut, info


class Outside(TwoPlaces):  # type: ignore[misc]
    """Shows a third place that its space does not have."""

    def step(self, action: Any) -> Any:
        return (np.int64(2), *super().step(action)[1:])


class SeedsItself(TwoPlaces):  # type: ignore[misc]
    """Begins the same stream at every reset."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        _, info = super().reset(seed=7 if seed is None else seed)
        if self.np_random.random() < 2:
            self.place = np.int64(self.np_random.integers(2))
        return self.place, info


class Endless(TwoPlaces):  # type: ignore[misc]
    """Pays infinity."""

    def step(self, action: Any) -> Any:
        obs, _, end, cut, info = super().step(action)
        return obs, float("inf"), end, cut, info


class GrayPictures(TwoPlaces):  # type: ignore[misc]
    """Draws without colors."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__()
        self.render_mode = render_mode

    def render(self) -> Any:
        return np.zeros((4, 4), np.uint8)


class Four(TwoPlaces):  # type: ignore[misc]
    """Answers as environments did years ago."""

    def step(self, action: Any) -> Any:
        obs, reward, end, cut, info = super().step(action)
        return obs, reward, end or cut, info


class Unnamed(TwoPlaces):  # type: ignore[misc]
    """Its reset takes no options, which Gymnasium asks for."""

    def reset(self, *, seed: int | None = None) -> Any:  # type: ignore[override]
        return super().reset(seed=seed)

    def true_model(self) -> Any:
        return super().true_model()


class Misinformed(TwoPlaces):  # type: ignore[misc]
    """Says that it pays twice what it does."""

    def true_model(self) -> Any:
        truth = super().true_model()
        return {**truth, "rewards": 2 * truth["rewards"]}


class Talkative(gymnasium.Env[Any, Any]):
    """Its observation space holds what no tensor can."""

    def __init__(self) -> None:
        self.observation_space, self.action_space = gymnasium.spaces.Text(4), Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return "abc", {}

    def step(self, action: Any) -> Any:
        return "abc", 0.0, False, False, {}


FRAME = Frame(("reward",), "the skin", None, "reward", "resets", ())


@dataclass(frozen=True)
class Steps(Metric):
    """Mean reward per step: nothing is wrong with it."""

    access = Access.RECORDS
    unit = "reward"
    needs = ("record",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        reward = (
            [float(x) for episode in subject.record.episodes() for x in episode.arrays["reward"]]
            if (len(subject.record.table()))
            else []
        )
        return Measurement(
            metric="steps",
            value=float(np.mean(reward)) if reward else float("nan"),
            unit=self.unit,
            access=self.access,
            frame=FRAME,
            estimator="mean",
            samples=len(reward),
            warnings=() if reward else ("the record is empty",),
        )


class OtherUnit(Steps):
    """Declares one unit and reports another."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(super().measure(subject, generator=generator), unit="bits")


class Upside(Steps):
    """Its interval is upside down."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(super().measure(subject, generator=generator), interval=Interval(0.95, 1.0, 0.0, "none"))


class NoSurrogates(Steps):
    """Its null comes from nowhere."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(super().measure(subject, generator=generator), null=Null("shift", 0.0, 1.0, 0, 0.5))


class NeverEnough(Steps):
    """Its data never suffice, and it does not say why."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(super().measure(subject, generator=generator), enough=False)


class OldGlobals(Steps):
    """Bootstraps with the global generator."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        np.random.random()  # noqa: NPY002
        return super().measure(subject, generator=generator)


class Undeclared(Steps):
    """Says that it needs nothing."""

    needs = ()  # type: ignore[assignment]


class NeedsMore(Steps):
    """Asks for an agent that it never looks at."""

    access = Access.INTERNALS
    needs = ("record", "agent")  # type: ignore[assignment]


class ReadsMore(Steps):
    """Looks at an agent that it does not ask for."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        assert subject.agent
        return super().measure(subject, generator=generator)


class Confident(Steps):
    """Finds a value in an empty record."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(super().measure(subject, generator=generator), value=1.0, warnings=())


class WrongAnswer(Steps):
    """Does not give what it says is known."""

    @classmethod
    def known_answers(cls) -> Any:
        yield cls(), subject(), 17.0, 0.1


class Bare(Steps):
    """Returns the number alone."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Any:
        return super().measure(subject, generator=generator).value


class Verbose(Steps):
    """Has a unit that fills lines."""

    unit = "reward\nper step"


class Uncertain(Measurement):  # type: ignore[misc]
    """A measurement that counts its samples anew whenever it is written."""

    written = count()

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "samples": next(self.written)}


class Forgets(Steps):
    """Its measurement is not read back as it was written."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = super().measure(subject, generator=generator)
        return Uncertain(**{field.name: getattr(found, field.name) for field in fields(found)})


class Rewrites(Steps):
    """Adds a column to the record whenever it measures."""

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = super().measure(subject, generator=generator)
        whole = subject.record.table
        vars(subject.record)["table"] = lambda *given, **named: noted(whole(*given, **named))
        return found


def noted(table: Any) -> Any:
    """A table with a column more."""
    return table.append_column(f"note {table.num_columns}", [[0.0] * len(table)])


class NoMetric:
    """A class that is no Metric."""


CAUGHT = [
    ("agents", FirstRowOnly, "decides_for_every_row"),
    ("agents", Indices, "acts_within_its_space"),
    ("agents", SureOfEverything, "policy_covers_the_actions"),
    ("agents", Remembers, "state_is_a_value"),
    ("agents", Tires, "state_is_a_value"),
    ("agents", WholeBatch, "rows_can_begin_anew"),
    ("agents", Crowd, "rows_do_not_mix"),
    ("agents", WritesIntoObs, "observations_untouched"),
    ("agents", GlobalCoin, "global_randomness_untouched"),
    ("agents", Deaf, "can_be_sealed"),
    ("envs", LateChance, "same_seed_same_trajectory"),
    ("envs", OwnChance, "a_seed_decides_an_episode"),
    ("envs", Four, "walks"),
    ("envs", Unnamed, "gymnasium_accepts_it"),
    ("envs", Misinformed, "true_model_is_lived"),
    ("envs", Outside, "spaces_contain_what_is_seen"),
    ("envs", SeedsItself, "a_reset_continues_the_stream"),
    ("envs", Endless, "spaces_contain_what_is_seen"),
    ("envs", GrayPictures, "draws_pictures"),
    ("envs", Talkative, "agents_can_live_in_it"),
    ("metrics", OtherUnit, "accounts_for_its_value"),
    ("metrics", Upside, "accounts_for_its_value"),
    ("metrics", NoSurrogates, "accounts_for_its_value"),
    ("metrics", NeverEnough, "accounts_for_its_value"),
    ("metrics", OldGlobals, "global_randomness_untouched"),
    ("metrics", Undeclared, "declares_what_it_looks_at"),
    ("metrics", NeedsMore, "reads_what_it_needs"),
    ("metrics", ReadsMore, "needs_what_it_reads"),
    ("metrics", Confident, "says_when_there_is_nothing"),
    ("metrics", Bare, "returns_a_measurement"),
    ("metrics", Rewrites, "subject_untouched"),
    ("metrics", Forgets, "round_trips_json"),
    ("metrics", Verbose, "prints_itself"),
    ("metrics", WrongAnswer, "known_answers_are_met"),
    ("metrics", NoMetric, "meets_a_contract"),
]


@pytest.mark.parametrize(("kind", "component", "name"), CAUGHT)
def test_it_is_caught(kind: str, component: type, name: str) -> None:
    try:
        assert_only(kind, component, name)
    finally:
        vars(subject().record).pop("table", None)  # what one of them leaves behind


@pytest.mark.parametrize(
    ("kind", "component"), [("agents", Counter), ("agents", Coin), ("envs", TwoPlaces), ("metrics", Steps)]
)
def test_nothing_is_wrong(kind: str, component: type) -> None:
    assert [str(finding) for finding in check(kind, component) if not finding.passed] == []
