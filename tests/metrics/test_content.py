"""Plan content: committed plans, noisy ones, reflexes and latents that say nothing."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from agentic import Agent, Decision, Point, Schedule, Subject, UserError, measure, run
from agentic.testing.worlds import Coin
from agentic_metrics import Decoder, PlanContent, transplant
from agentic_metrics.responses.rooms import Committed, Field, Room, forager


def source(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def plans(h: int, error: float, episodes: int, steps: int, draws: np.random.Generator) -> tuple[Any, Any, Any]:
    """Latents (t, h) that tell each of the next h fair moves with an error, the moves, and observations of nothing."""
    moves = draws.integers(2, size=(episodes, steps + h))
    ahead = np.lib.stride_tricks.sliding_window_view(moves, h, axis=1)[:, 1:]  # (e, steps, h)
    flipped = draws.random(ahead.shape) < error
    return (
        list((ahead ^ flipped).astype(np.float64)),
        list(moves[:, : ahead.shape[1]]),
        list(draws.integers(2, size=ahead.shape[:2])),
    )


@pytest.mark.parametrize("h", [1, 3])
def test_a_committed_plan_of_fair_moves_holds_its_length_in_bits(h: int) -> None:
    found = PlanContent(horizon=h).estimate(*plans(h, 0.0, 40, 30, source(1)), generator=source())
    assert found.value == pytest.approx(h, abs=0.02 * h)
    gained = found.diagnostics["bits_without_latent"] - found.diagnostics["bits_with_latent"]
    assert found.value == pytest.approx(gained, abs=1e-12)


def test_a_vague_plan_holds_less() -> None:
    found = PlanContent().estimate(*plans(2, 0.1, 60, 40, source(2)), generator=source())
    assert found.interval is not None
    assert found.interval.low < 2 * 0.531004 < found.interval.high


def test_a_plan_that_is_read_from_a_record() -> None:
    record = run(Committed(2), Field(steps=12, deadly=False), Schedule(episodes=40), seed=1)
    found = measure(PlanContent(), Subject(record=record))
    assert found.value == pytest.approx(2, abs=0.05)
    assert found.outside_null
    assert (found.episodes, found.samples) == (40, 400)


class Reflex(Agent):
    """Goes where the food is, and thinks of it."""

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(obs, belief=Point(obs))


def test_a_reflex_plans_nothing() -> None:
    record = run(Reflex(), Field(steps=12, deadly=False), Schedule(episodes=30), seed=1)
    found = measure(PlanContent(), Subject(record=record))
    assert abs(found.value) < 0.01
    assert found.outside_null is False


def slow(episodes: int, steps: int, draws: np.random.Generator) -> np.ndarray:
    """Numbers that remember, so that what is seen tells what will be done."""
    seen = np.zeros((episodes, steps))
    for t in range(1, steps):
        seen[:, t] = 0.9 * seen[:, t - 1] + np.sqrt(1 - 0.9**2) * draws.normal(size=episodes)
    return seen


@pytest.mark.parametrize("levels", ["numbers", "rounded", "names"])
@pytest.mark.parametrize("belief", ["size", "choice", "both"])
def test_a_belief_that_is_any_function_of_what_is_seen_plans_nothing(levels: str, belief: str) -> None:
    """A reflex to how far away something is: no linear decoder of where it is tells that, but its belief does."""
    seen = slow(40, 50, source(8))
    if levels != "numbers":
        seen = np.clip(seen.round(), -2, 2)
    done = (np.abs(seen) > 0.7).astype(np.int64)
    held = {"size": np.abs(seen), "choice": done * 1.0, "both": np.stack([done, 1 - done, seen**2], -1)}[belief]
    shown = (seen + 2).astype(np.int64) if levels == "names" else seen
    found = PlanContent(horizon=1).estimate(list(held), list(done), list(shown), generator=source())
    assert found.value == pytest.approx(0, abs=1e-9 if levels != "numbers" else 0.01)
    assert found.null is not None
    assert found.null.p_value > 0.05


def test_a_plan_is_found_beside_measured_observations() -> None:
    moves = source(9).integers(2, size=(40, 51))
    seen = list(slow(40, 50, source(10)))
    found = PlanContent(horizon=1).estimate(list(moves[:, 1:] * 1.0), list(moves[:, :-1]), seen, generator=source())
    assert found.value == pytest.approx(1, abs=0.02)


def test_a_goal_that_is_kept_for_an_episode_is_exchanged_with_those_of_others() -> None:
    """Nine of ten moves go for it: 0.531 bits."""
    draws = source(11)
    goal = np.repeat(draws.integers(2, size=(60, 1)), 40, axis=1)
    moves = goal ^ (draws.random(goal.shape) < 0.1)
    found = PlanContent(horizon=1).estimate(
        list(goal * 1.0), list(moves), list(np.zeros_like(goal)), generator=source()
    )
    assert found.interval is not None
    assert found.interval.low < 0.531 < found.interval.high


def test_a_latent_that_never_varies_holds_nothing() -> None:
    _, moves, seen = plans(1, 0.0, 10, 20, source(3))
    found = PlanContent().estimate([np.ones(20)] * 10, moves, seen, generator=source())
    assert found.value == pytest.approx(0, abs=1e-4)


def test_what_observations_tell_is_not_the_latents() -> None:
    latents, moves, _ = plans(1, 0.0, 40, 30, source(4))
    message = [each.astype(np.int64) for each in latents]
    found = PlanContent(horizon=1).estimate(latents, moves, message, generator=source())
    assert abs(found.value) < 0.02


def test_an_older_observation_counts_where_memory_reaches_it() -> None:
    draws = source(5)
    seen = draws.integers(2, size=(40, 30))
    moves = np.concatenate([np.zeros((40, 2), np.int64), seen[:, :-2]], 1)  # a_t = o_(t-2), so a_(t+1) = o_(t-1)
    latents = np.concatenate([np.zeros((40, 1)), seen[:, :-1]], 1)  # z_t = o_(t-1)
    values = [
        PlanContent(horizon=1, memory=m).estimate(list(latents), list(moves), list(seen), generator=source()).value
        for m in (1, 2)
    ]
    assert values == pytest.approx([1, 0], abs=0.03)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=8, deadline=None)
def test_the_units_of_the_latent_and_the_names_of_actions_do_not_matter(seed: int, scale: float, shift: float) -> None:
    latents, moves, seen = plans(1, 0.2, 6, 20, source(seed))
    one = PlanContent(horizon=1).estimate(latents, moves, seen, generator=source()).value
    moved = [scale * each + shift for each in latents]
    named = [7 - 3 * each for each in moves]
    assert PlanContent(horizon=1).estimate(moved, named, seen, generator=source()).value == pytest.approx(one, abs=1e-3)


def test_small_samples_say_so() -> None:
    found = PlanContent(horizon=1).estimate(*plans(1, 0.0, 3, 8, source(6)), generator=source())
    assert any("record at least 10" in warning for warning in found.warnings)
    latents, moves, seen = plans(1, 0.0, 3, 8, source(6))
    still = PlanContent(horizon=1).estimate(latents, [0 * each for each in moves], seen, generator=source())
    assert still.value == 0
    assert any("never varies" in warning for warning in still.warnings)


def test_what_cannot_be_decoded_is_refused() -> None:
    latents, moves, seen = plans(1, 0.0, 3, 8, source(7))
    with pytest.raises(UserError, match="bin them"):
        PlanContent().estimate(latents, latents, seen, generator=source())
    with pytest.raises(UserError, match="at least 2 episodes of 10 steps"):
        PlanContent(horizon=9).estimate(latents, moves, seen, generator=source())
    with pytest.raises(UserError, match="latents has 2 episodes and actions has 3"):
        PlanContent().estimate(latents[:2], moves, seen, generator=source())
    with pytest.raises(UserError, match="ridge > 0"):
        Decoder(ridge=0)
    with pytest.raises(UserError, match="memory >= 1"):
        PlanContent(memory=0)


def test_a_record_without_beliefs_says_what_is_needed() -> None:
    record = run(forager(), Field(steps=3), Schedule(episodes=2))
    with pytest.raises(UserError, match="decisions have a belief"):
        measure(PlanContent(), Subject(record=record))


def test_a_plan_carried_over_changes_every_other_move() -> None:
    found = transplant(
        Committed(3), lambda: Field(steps=8, deadly=False), at=2, horizon=3, episodes=120, generator=source()
    )
    assert abs(found.value - 0.5) < 4 * 0.5 / (3 * 120) ** 0.5
    assert found.null is not None
    assert found.null.p_value == 0
    fleeting = transplant(
        Committed(0), lambda: Field(8, deadly=False), at=2, horizon=3, episodes=60, generator=source()
    )
    assert fleeting.value == pytest.approx(0.5 / 3, abs=0.1)


@pytest.mark.parametrize("agent", [Reflex(), Coin()])
def test_who_carries_no_state_is_not_changed_by_another(agent: Agent) -> None:
    found = transplant(agent, lambda: Field(steps=8, deadly=False), at=2, horizon=3, episodes=20, generator=source())
    assert found.value == 0
    assert found.null is not None
    assert found.null.p_value == 1


def test_a_transplant_needs_two_that_live() -> None:
    with pytest.raises(UserError, match="at least 2 of 20 episodes"):
        transplant(forager(), lambda: Field(steps=2), at=2, horizon=1, episodes=20, generator=source())
    with pytest.raises(UserError, match="transplant compares choices among discrete actions, Room has"):
        transplant(forager(), Room, at=0, horizon=1, episodes=20, generator=source())
    with pytest.raises(UserError, match="horizon >= 1"):
        transplant(forager(), Field, at=0, horizon=0, episodes=20, generator=source())


@pytest.mark.slow
def test_the_null_holds() -> None:
    alarms = 0
    for seed in range(60):
        latents, moves, seen = plans(1, 0.5, 8, 10, source(seed))
        found = PlanContent(horizon=1).estimate(latents, moves, seen, generator=source(seed))
        assert found.null is not None
        alarms += found.null.p_value <= 0.05
    assert alarms <= 9
