"""Directed information: what flows from actions to observations, what flows back, and that both make up the whole."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from agentic import Record, Subject, UserError, measure
from agentic_metrics.finite.laws import mutual_information
from agentic_metrics.information.directed import (
    exact_directed_information,
    exact_plasticity,
    generalized_directed_information,
    joint_law,
)
from agentic_metrics.information.plastic import DirectedInformation, Plasticity
from figures.plasticity import EPSILONS, INITIAL, bandit_law

Conduct = Callable[[Sequence[int], Sequence[int]], tuple[float, float]]
Floats = NDArray[np.float64]


def bit(p: float) -> tuple[float, float]:
    return 1 - p, p


def flipped(symbol: int, error: float) -> tuple[float, float]:
    return bit(1 - error if symbol else error)


def rock(actions: Any, observations: Any) -> tuple[float, float]:
    return bit(0)


def fair(actions: Any, observations: Any) -> tuple[float, float]:
    return bit(0.5)


def copy(error: float) -> Conduct:
    return lambda actions, observations: flipped(observations[-1], error) if observations else bit(0.5)


def echo(error: float) -> Conduct:
    return lambda actions, observations: flipped(actions[-1], error)


def law(agent: Conduct, world: Conduct, steps: int = 3) -> Floats:
    return joint_law(agent, world, steps=steps, actions=2, observations=2)


def total(joint: Floats) -> float:
    """I(A^n; O^n)."""
    steps = joint.ndim // 2
    axes = [*range(0, 2 * steps, 2), *range(1, 2 * steps, 2)]
    return mutual_information(joint.transpose(axes).reshape(int(np.prod(joint.shape[::2])), -1))


TABLE = [
    (rock, fair, 0, 0, 0),
    (fair, echo(0), 3, 0, 3),
    (fair, echo(0.1), 1.593013, 0, 1.593013),
    (copy(0), fair, 0, 2, 2),
    (copy(0), echo(0), 1, 0, 1),
    (copy(0.2), echo(0.1), 1.246506, 0.209637, 1.456143),
]


@pytest.mark.parametrize(("agent", "world", "forth", "back", "whole"), TABLE)
def test_exact_values_of_three_binary_steps(
    agent: Conduct, world: Conduct, forth: float, back: float, whole: float
) -> None:
    joint = law(agent, world)
    assert exact_directed_information(joint) == pytest.approx(forth, abs=1e-6)
    assert exact_plasticity(joint) == pytest.approx(back, abs=1e-6)
    assert total(joint) == pytest.approx(whole, abs=1e-6)


@st.composite
def joints(draw: st.DrawFn) -> Floats:
    actions, observations = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    steps = draw(st.integers(1, 3))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = source.dirichlet(np.full((actions * observations) ** steps, draw(st.sampled_from([0.05, 0.5, 5.0]))))
    return np.asarray(cells.reshape((actions, observations) * steps))


@given(joints())
@settings(max_examples=60, deadline=None)
def test_what_flows_forth_and_back_is_conserved(joint: Floats) -> None:
    forth, back = exact_directed_information(joint), exact_plasticity(joint)
    assert forth + back == pytest.approx(total(joint), abs=1e-9)
    assert min(forth, back) >= -1e-9
    bound = joint.ndim / 2 * min(np.log2(joint.shape[0]), np.log2(joint.shape[1]))
    assert forth + back <= bound + 1e-9


@given(joints())
@settings(max_examples=30, deadline=None)
def test_windows_of_the_target_add_up(joint: Floats) -> None:
    steps = joint.ndim // 2
    for to_actions in (False, True):
        parts = [
            generalized_directed_information(joint, (1, steps), (i, i), to_actions=to_actions)
            for i in range(1, steps + 1)
        ]
        whole = generalized_directed_information(joint, (1, steps), (1, steps), to_actions=to_actions)
        assert sum(parts) == pytest.approx(whole, abs=1e-9)


@given(joints())
@settings(max_examples=30, deadline=None)
def test_windows_of_the_source_add_up(joint: Floats) -> None:
    """What a later part of the source adds counts given the earlier part, so both together are the whole."""
    steps = joint.ndim // 2
    for to_actions in (False, True):
        flow = [
            generalized_directed_information(joint, window, (steps, steps), to_actions=to_actions)
            for window in ((1, steps), (1, 1), *(((2, steps),) if steps > 1 else ()))
        ]
        assert flow[0] == pytest.approx(sum(flow[1:]), abs=1e-9)


def test_a_window_sees_only_what_flows_through_it() -> None:
    joint = law(copy(0), fair)
    assert generalized_directed_information(joint, (1, 1), (2, 2), to_actions=True) == pytest.approx(1)
    assert generalized_directed_information(joint, (1, 1), (3, 3), to_actions=True) == pytest.approx(0, abs=1e-12)
    assert generalized_directed_information(joint, (2, 3), (2, 2), to_actions=True) == pytest.approx(0, abs=1e-12)


def test_the_action_comes_first_in_every_step() -> None:
    """One step: what follows the action can be shaped by it, not the other way round."""
    joint = law(fair, echo(0), steps=1)
    assert exact_directed_information(joint) == pytest.approx(1)
    assert exact_plasticity(joint) == 0


def test_the_bandit_is_less_plastic_the_more_it_explores() -> None:
    found = [exact_plasticity(bandit_law(epsilon, 0.5)) for epsilon in EPSILONS]
    assert np.all(np.diff(found) < 0)
    assert found[-1] == pytest.approx(0, abs=1e-9)


def test_the_optimist_uses_more_empowerment() -> None:
    found = [exact_directed_information(bandit_law(0.1, initial)) for initial in INITIAL]
    assert np.all(np.diff(found) > -1e-4)
    assert found[-1] > found[0] + 0.05


@pytest.mark.parametrize(
    "joint",
    [np.ones(2) / 2, np.ones((2, 2)), np.array([[1.5, -0.5], [0, 0]]), np.array([[np.nan, 1], [0, 0]])],
)
def test_what_is_no_joint_law_is_refused(joint: Floats) -> None:
    with pytest.raises(UserError, match="joint law"):
        exact_plasticity(joint)


def test_windows_and_answers_are_checked() -> None:
    with pytest.raises(UserError, match="steps 1 to 3"):
        generalized_directed_information(law(fair, fair), (1, 4), (1, 3), to_actions=True)
    with pytest.raises(UserError, match="world must answer with 2"):
        law(fair, lambda actions, observations: (1.0, 1.0))
    with pytest.raises(UserError, match="cannot be enumerated"):
        law(fair, fair, steps=20)


# Estimates


def episodes(agent: str, count: int, steps: int, seed: int = 0) -> tuple[list[Any], list[Any]]:
    """A reflex among fair coins, or a fair coin in front of an echo that errs once in ten times."""
    source = np.random.default_rng(seed)
    coins = source.integers(2, size=(count, steps))
    if agent == "reflex":
        actions = np.column_stack([source.integers(2, size=count), coins[:, :-1]])
        return list(actions), list(coins)
    return list(coins), list(coins ^ (source.random(coins.shape) < 0.1))


@pytest.mark.parametrize(("order", "stationary"), [(None, True), (1, False), (2, True)])
def test_estimates_agree_with_the_exact_values(order: int | None, stationary: bool) -> None:
    generator = np.random.default_rng(1)
    options: dict[str, Any] = {"order": order, "stationary": stationary, "surrogates": 60}
    forth = DirectedInformation(**options).estimate(*episodes("coin", 3000, 3), generator=generator)
    assert forth.interval is not None
    assert forth.interval.low < 1.593013 / 3 < forth.interval.high
    assert forth.diagnostics["bits_per_episode"] == pytest.approx(1.593013, abs=0.05)
    back = Plasticity(**options).estimate(*episodes("reflex", 3000, 3), generator=generator)
    assert back.value == pytest.approx(2 / 3, abs=0.005)
    for found in (forth, back):
        assert found.null is not None
        assert found.null.p_value == pytest.approx(1 / 61)


@pytest.mark.parametrize("order", [None, 1, 2])
def test_nulls(order: int | None) -> None:
    """A rock has neither, a random agent no plasticity, a reflex in a deaf world no empowerment."""
    generator = np.random.default_rng(2)
    none = [
        Plasticity(order=order, surrogates=60).estimate(*episodes("coin", 400, 4), generator=generator),
        DirectedInformation(order=order, surrogates=60).estimate(*episodes("reflex", 400, 4), generator=generator),
    ]
    observed = episodes("reflex", 400, 4)[1]
    still = [np.zeros(4, int) for _ in observed]
    none += [
        metric(surrogates=60).estimate(still, observed, generator=generator)
        for metric in (Plasticity, DirectedInformation)
    ]
    for found in none:
        assert found.null is not None
        assert found.null.p_value > 0.05
        assert abs(found.value - found.null.mean) < 4 * found.null.sd + 1e-12


def test_a_deterministic_loop_says_that_nothing_is_left_to_flow() -> None:
    """Once the first action is known, all is: the copy of an echo."""
    generator = np.random.default_rng(0)
    first = generator.integers(2, size=40)
    loop = [np.full(6, each) for each in first]
    found = Plasticity(surrogates=10).estimate(loop, loop, generator=generator)
    assert found.value == pytest.approx(0, abs=1e-12)
    assert DirectedInformation(surrogates=10).estimate(loop, loop, generator=generator).value == pytest.approx(
        1 / 6, abs=0.01
    )
    constant = [np.zeros(6, int)] * 10
    assert any(
        "never varies" in each for each in Plasticity().estimate(constant, constant, generator=generator).warnings
    )


def test_episodes_may_differ_in_length() -> None:
    generator = np.random.default_rng(3)
    actions, observations = episodes("coin", 300, 8)
    lengths = generator.integers(1, 9, size=300)
    cut = [[each[:n] for each, n in zip(part, lengths, strict=True)] for part in (actions, observations)]
    found = DirectedInformation(surrogates=20).estimate(*cut, generator=generator)
    assert found.samples == lengths.sum()
    assert found.value == pytest.approx(0.531004, abs=0.06)


def test_too_little_data_says_so() -> None:
    generator = np.random.default_rng(4)
    found = Plasticity(order=None, surrogates=20).estimate(*episodes("coin", 6, 8), generator=generator)
    assert any("different histories: record at least" in each for each in found.warnings)
    assert any("hardly an ensemble" in each for each in found.warnings)


def test_the_same_seed_gives_the_same_estimate() -> None:
    first, again = (
        Plasticity(surrogates=20).estimate(*episodes("reflex", 30, 6), generator=np.random.default_rng(5))
        for _ in range(2)
    )
    assert first == again


def test_names_of_several_columns_are_one_name() -> None:
    generator = np.random.default_rng(6)
    actions, observations = episodes("reflex", 500, 6)
    beside = [np.column_stack([each, generator.integers(2, size=6)]) for each in observations]
    assert Plasticity(surrogates=0).estimate(actions, beside, generator=generator).value == pytest.approx(
        5 / 6, abs=0.01
    )


def test_what_cannot_be_counted_is_refused() -> None:
    generator = np.random.default_rng(0)
    actions, observations = episodes("coin", 4, 5)
    with pytest.raises(UserError, match="bin them first"):
        Plasticity().estimate(actions, [each + 0.5 for each in observations], generator=generator)
    with pytest.raises(UserError, match="episodes"):
        Plasticity().estimate(actions, observations[:2], generator=generator)
    with pytest.raises(UserError, match="an order of at least 1"):
        Plasticity(order=0)
    with pytest.raises(UserError, match="surrogates"):
        DirectedInformation(surrogates=-1)


def test_metrics_read_a_record() -> None:
    actions, observations = episodes("coin", 200, 5)
    rows = [(e, t, a, o, t == 4) for e in range(200) for t, (a, o) in enumerate(zip(actions[e], observations[e]))]  # noqa: B905
    episode, t, action, seen, end = zip(*rows, strict=True)
    columns = {"phase": ["evaluate"] * len(rows), "row": [0] * len(rows), "episode": episode, "t": t}
    columns |= {"action": action, "next_obs": seen, "reward": [0.0] * len(rows)}
    columns |= {"terminated": end, "truncated": [False] * len(rows)}
    subject = Subject(record=Record(tables=[pa.table(columns)]))
    forth, back = (measure(metric, subject) for metric in (DirectedInformation(), Plasticity()))
    assert forth.value == pytest.approx(0.531, abs=0.1)
    assert forth.outside_null
    assert not back.outside_null
    assert "action comes before next_obs" in forth.frame.boundary
    assert forth.frame.boundary == back.frame.boundary
