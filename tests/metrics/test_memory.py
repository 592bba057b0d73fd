"""Memory: read off latents, lag by lag, and found by wiping it."""

from typing import Any, final

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from agentic import Agent, Categorical, Decision, Gaussian, Subject, UserError, measure
from agentic.testing.metrics import subject
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_metrics import (
    ActiveInformationStorage,
    LagInformation,
    MemoryTimescale,
    decay_time,
    exact_lag_information,
    exponential_time,
    linear_lag_information,
    memory_steps,
)
from tests.metrics.test_storage import autoregressive, flips, within

STEPS = 30


@final
class Bits(gymnasium.Env[np.int64, np.int64]):
    """Shows fair bits, or what was done last where `echo` is set; does nothing else."""

    def __init__(self, echo: bool = False, steps: int = STEPS) -> None:
        self.observation_space, self.action_space = Discrete(2), Discrete(2)
        self.echo, self.steps, self.count = echo, steps, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.int64, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        return np.int64(self.np_random.integers(2)), {}

    def step(self, action: Any) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        self.count += 1
        shown = np.int64(action) if self.echo else np.int64(self.np_random.integers(2))
        return shown, 0.0, False, self.count == self.steps, {}


@final
class Noise(gymnasium.Env[np.ndarray, np.ndarray]):
    """Shows standard normal numbers; does nothing else."""

    def __init__(self) -> None:
        self.observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.count = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        return self.np_random.normal(size=1), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.count += 1
        return self.np_random.normal(size=1), 0.0, False, self.count == STEPS, {}


@final
class Delay(Agent):
    """Does what it saw `steps` steps ago, action 0 before that; says its policy where `informed` is set."""

    def __init__(self, steps: int, reports: bool = True) -> None:
        self.steps, self.reports = steps, reports

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.eye(2)[torch.zeros(batch, self.steps + 1, dtype=torch.long)]

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        line = torch.cat([state[:, 1:], obs[:, None]], 1)
        return Decision(line[:, 0], line, policy=Categorical(line[:, 0]) if self.reports else None)


@final
class Leaky(Agent):
    """Acts as N(z, 1) or exactly as z, with z' = decay z + o."""

    def __init__(self, decay: float, reports: bool = True) -> None:
        self.decay, self.reports = decay, reports

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch, 1)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        z = self.decay * state + obs
        return Decision(z, z, policy=Gaussian(z, torch.ones(len(z), 1, 1)) if self.reports else None)


@final
class Whim(Agent):
    """Tosses a coin at the start of an episode and sticks to it, whatever it sees."""

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.eye(2)[torch.randint(2, (batch,), generator=generator)]

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(state, state)


def wiped(agent: Agent, environment: Any = Bits, **settings: Any) -> Any:
    return MemoryTimescale(**settings).estimate(agent, environment, generator=np.random.default_rng(0))


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 3, 5])
def test_a_delay_line_remembers_its_length(steps: int, reports: bool) -> None:
    found = wiped(Delay(steps, reports))
    assert found.value == steps
    assert found.null.p_value == (0.0 if steps else 1.0)
    assert found.interval.low <= steps <= found.interval.high
    assert [bits > 0.01 for bits in found.diagnostics["bits"]] == [lag <= steps for lag in range(1, 9)]


def test_a_coin_has_nothing_to_wipe() -> None:
    assert wiped(Coin(), TwoPlaces).diagnostics["bits"] == [0.0] * 8


def test_a_reflex_in_a_world_that_remembers_has_no_memory() -> None:
    generator, reflex = np.random.default_rng(0), Delay(0)
    marks = lambda: Bits(echo=True)  # noqa: E731
    record = Subject(agent=reflex, environment=marks).recorded(episodes=40).record
    assert record is not None
    done = [each.arrays["action"] for each in record.episodes()]
    stored = ActiveInformationStorage().estimate(done, generator=generator)
    assert stored.value > 0.8  # every episode repeats its first bit
    assert wiped(reflex, marks).value == 0


def test_a_gaussian_policy_forgets_exponentially() -> None:
    found = wiped(Leaky(0.5), Noise, episodes=20, moments=400)
    expected = [0.25**lag / 0.75 / (2 * np.log(2)) for lag in range(1, 9)]
    assert found.value == 3  # the first with less than .01 bits is the fourth
    assert found.diagnostics["bits"] == pytest.approx(expected, rel=0.35)


def test_memory_beyond_the_longest_lag_says_so() -> None:
    found = wiped(Delay(5), lags=4)
    assert found.value == 4
    assert "raise lags" in found.warnings[0]
    assert "not tried" in wiped(Delay(1), lambda: Bits(steps=4)).warnings[0]


def test_a_whim_is_no_memory_of_what_was_seen() -> None:
    assert wiped(Whim(), episodes=20).diagnostics["bits"] == [0.0] * 8  # starting afresh meets the same chance


def test_continuous_actions_need_a_reported_law() -> None:
    with pytest.raises(UserError, match="report"):
        wiped(Leaky(0.5, reports=False), Noise)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UserError, match="horizon >= 2"):
        wiped(Delay(1), horizon=1)
    with pytest.raises(UserError, match="at least two steps"):
        wiped(Delay(1), lambda: Bits(steps=1))


def test_the_metric_is_reproducible() -> None:
    delayed = Subject(agent=Delay(2), environment=Bits)
    one, other = (measure(MemoryTimescale(), delayed, seed=3) for _ in range(2))
    assert one == other
    assert (one.value, one.unit, one.outside_null) == (2, "steps", True)
    assert one.frame.interventions


def delay_line(bits: int) -> np.ndarray:
    """The update (o, z, z') of a latent that holds the last so many bits."""
    states = np.arange(2**bits)
    return np.stack([np.eye(2**bits)[(2 * states + seen) % 2**bits] for seen in (0, 1)])


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_delay_line_holds_one_bit_a_step(bits: int) -> None:
    profile = exact_lag_information(delay_line(bits), [0.5, 0.5], lags=6)
    assert profile == pytest.approx([1.0] * bits + [0.0] * (7 - bits), abs=1e-12)
    assert profile.sum() == pytest.approx(bits)


def test_a_leaky_integrator_forgets() -> None:
    profile = linear_lag_information(0.9, 1.0, lags=10)
    assert profile[[0, 1, 5, 10]] == pytest.approx([0.15200, 0.12055, 0.04945, 0.01686], abs=1e-5)


def test_two_independent_integrators_add() -> None:
    both = linear_lag_information(np.diag([0.9, 0.5]), np.eye(2), lags=3)
    apart = linear_lag_information(0.9, 1.0, lags=3) + linear_lag_information(0.5, 1.0, lags=3)
    assert both == pytest.approx(apart)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_delay_line_from_samples(bits: int) -> None:
    generator = np.random.default_rng(bits)
    seen = list(generator.integers(2, size=(20, 60)))
    held = [np.stack([np.concatenate([[0] * back, each])[:60] for back in range(bits)], 1) for each in seen]
    profile = LagInformation(surrogates=50).profile(held, seen, generator=generator)
    assert memory_steps(profile) == bits - 1
    assert [each.value for each in profile[:bits]] == pytest.approx([1.0] * bits, abs=0.02)
    assert len(profile) == bits + 1  # it ends with the first lag inside its null


@pytest.mark.parametrize("back", [2, 3, 5])
def test_a_repeat_after_empty_lags_is_found(back: int) -> None:
    """What is done is what was seen some steps ago, and nothing in between."""
    generator = np.random.default_rng(back)
    seen = generator.integers(2, size=(20, 60))
    done = np.concatenate([generator.integers(2, size=(20, back)), seen[:, :-back]], 1)
    found = LagInformation().estimate(list(done), list(seen), generator=generator)
    assert found.value == back
    assert found.interval is not None
    assert found.interval.low == back
    assert found.null is not None
    assert found.null.p_value < 0.05
    few = LagInformation(surrogates=99).estimate(list(done), list(seen), generator=generator)
    assert few.value == 0
    assert "99 surrogates cannot tell a lag after an empty one from chance: raise them to 280" in few.warnings


def test_all_lags_together_alarm_as_seldom_as_one() -> None:
    alarms = 0
    for seed in range(60):
        held, seen = np.random.default_rng(seed).integers(2, size=(2, 10, 30))
        found = LagInformation(lags=3, surrogates=199).estimate(
            list(held), list(seen), generator=np.random.default_rng(seed)
        )
        assert found.null is not None
        assert (found.value > 0) == (found.null.p_value < 0.05)
        alarms += found.value > 0
    assert alarms <= 8  # more once in a hundred times


def test_latents_that_hold_nothing() -> None:
    generator = np.random.default_rng(0)
    seen = list(generator.integers(2, size=(20, 40)))
    for held in ([np.zeros(40, int)] * 20, list(generator.integers(2, size=(20, 40))), seen):
        assert memory_steps(LagInformation(surrogates=100).profile(held, seen, generator=generator)) == 0


def test_a_leaky_latent_from_samples() -> None:
    generator = np.random.default_rng(10)
    seen = [generator.normal(size=100) for _ in range(20)]
    held = []
    for each in seen:
        z, line = 0.0, []
        for value in each:
            z = 0.5 * z + value
            line.append(z)
        held.append(np.array(line))
    profile = LagInformation(lags=2, surrogates=20).profile(held, seen, generator=generator)
    assert profile[0].value == pytest.approx(linear_lag_information(0.5, 1.0, lags=0)[0], abs=0.15)
    assert memory_steps(profile) == 2


@pytest.mark.parametrize(
    ("correlation", "steps"), [(0.5, 1.442695), (0.9, 9.491222), (0.95, 19.495726), (0.8, 4.481420), (-0.5, 1.442695)]
)
def test_an_exponential_time(correlation: float, steps: float) -> None:
    assert exponential_time(correlation) == pytest.approx(steps, abs=1e-6)
    assert exponential_time(0.0) == 0
    assert exponential_time(1.0) == np.inf


def test_decay_times_from_samples() -> None:
    generator = np.random.default_rng(11)
    chain = decay_time(flips(0.1, 40, 50, generator), generator=generator)
    numbers = decay_time(autoregressive(0.9, 40, 100, generator), generator=generator)
    assert within(chain, 4.481420)
    assert within(numbers, 9.491222)
    noise = decay_time(np.random.default_rng(0).normal(size=(20, 50)).tolist(), generator=generator)
    assert noise.null is not None
    assert noise.null.p_value >= 0.05
    assert noise.interval is not None
    assert noise.interval.low == 0


def test_decay_times_that_make_no_sense_are_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(UserError, match="two names"):
        decay_time([0, 1, 2, 0], generator=generator)
    with pytest.raises(UserError, match="never varies"):
        decay_time([1.0, 1.0, 1.0], generator=generator)
    with pytest.raises(UserError, match="never forgets"):
        linear_lag_information(1.0, 1.0, lags=1)
    with pytest.raises(UserError, match="never moved"):
        linear_lag_information(np.diag([0.5, 0.5]), [[1.0], [0.0]], lags=1)
    with pytest.raises(UserError, match="update"):
        exact_lag_information(delay_line(2), [1.0], lags=1)


def test_the_lag_metric() -> None:
    found = measure(LagInformation(surrogates=20), subject())
    assert (found.value, found.unit, found.outside_null) == (0, "steps", False)
    assert len(found.diagnostics["bits"]) == 2
    record = Subject(agent=Delay(2), environment=Bits).recorded(episodes=20)
    late = measure(LagInformation(surrogates=20), record)
    assert late.diagnostics["bits"][0] == pytest.approx(0, abs=0.05)
