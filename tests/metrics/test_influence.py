"""Causes set by hand: what they do, and what a whole knows beyond its parts."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agentic import Subject, UserError, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_metrics import EffectiveInformation, effective_information, information_flow, integration

BLUR = np.array([[1 / 3, 1 / 3, 1 / 3, 0]] * 3 + [[0, 0, 0, 1]])
FAIR = [0.5, 0.5]
COPY = np.eye(2)
FORK = {"z": ((), FAIR), "x": (("z",), COPY), "y": (("z",), COPY)}
CHAIN = {"x": ((), FAIR), "y": (("x",), COPY)}


def test_a_coarse_view_of_a_blur_is_more_effective() -> None:
    assert effective_information(BLUR) == pytest.approx(0.811278, abs=1e-6)
    assert effective_information(np.eye(2)) == pytest.approx(1.0)  # the three states as one


def test_effective_information_of_a_constant_map_and_of_the_identity() -> None:
    assert effective_information(np.eye(4)[[2, 2, 2, 2]]) == pytest.approx(0.0)
    assert effective_information(np.eye(8)) == pytest.approx(3.0)
    assert effective_information(np.eye(2), intervention=[0.2, 0.8]) == pytest.approx(0.721928, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_effective_information_is_bounded_and_blind_to_names(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.dirichlet(np.full(4, 0.3), 5)
    value = effective_information(rows)
    assert -1e-12 <= value <= 2 + 1e-12
    assert effective_information(generator.permutation(rows)[:, generator.permutation(4)]) == pytest.approx(value)


def test_a_common_cause_is_no_influence() -> None:
    assert information_flow(FORK, "x", "y") == pytest.approx(0.0, abs=1e-12)
    assert information_flow(FORK, "z", "y") == pytest.approx(1.0)
    assert information_flow(CHAIN, "x", "y") == pytest.approx(1.0)
    assert information_flow(CHAIN, "y", "x") == pytest.approx(0.0, abs=1e-12)


def test_flow_through_a_mediator_stops_when_it_is_held() -> None:
    chain = {**CHAIN, "w": (("y",), COPY)}
    assert information_flow(chain, "x", "w") == pytest.approx(1.0)
    assert information_flow(chain, "x", "w", imposed="y") == pytest.approx(0.0, abs=1e-12)
    assert information_flow(chain, "x", "w", intervention=[0.2, 0.8]) == pytest.approx(0.721928, abs=1e-6)


def test_xor_flows_only_when_the_other_input_is_held() -> None:
    xor = {"x": ((), FAIR), "z": ((), FAIR), "y": (("x", "z"), [[[1, 0], [0, 1]], [[0, 1], [1, 0]]])}
    assert information_flow(xor, "x", "y") == pytest.approx(0.0, abs=1e-12)
    assert information_flow(xor, "x", "y", imposed="z") == pytest.approx(1.0)


def test_a_swap_is_whole_and_two_memories_are_not() -> None:
    swap = integration(np.eye(4)[[0, 2, 1, 3]], (2, 2))
    assert float(swap) == pytest.approx(2.0)
    assert swap.parts == ((0,), (1,))
    assert integration(np.eye(4), (2, 2)).bits == pytest.approx(0.0, abs=1e-12)


def test_redundant_units_are_less_than_their_parts() -> None:
    both_the_same = integration(np.eye(4), (2, 2), law=[0.5, 0, 0, 0.5])
    assert (both_the_same.whole, both_the_same.bits) == pytest.approx((1.0, -1.0))


def test_the_least_cut_is_found_among_three_units() -> None:
    swap_and_memory = np.kron(np.eye(4)[[0, 2, 1, 3]], np.eye(2))
    found = integration(swap_and_memory, (2, 2, 2))
    assert (found.bits, found.whole) == pytest.approx((0.0, 3.0), abs=1e-12)
    assert found.parts == ((0, 1), (2,))


def test_the_metric_sets_the_state_by_hand() -> None:
    found = measure(EffectiveInformation(), Subject(agent=Coin(), environment=TwoPlaces))
    assert found.value == pytest.approx(1 + 0.55 * np.log2(0.55) + 0.45 * np.log2(0.45))
    assert found.outside_null
    assert found.interval is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: effective_information([[0.5, 0.6]]), "normalize"),
        (lambda: effective_information(np.eye(2), intervention=[1.0]), "one probability to each of the 2 rows"),
        (lambda: information_flow(CHAIN, "x", "w"), "no variable 'w'"),
        (lambda: information_flow(CHAIN, "x", "x"), "different variables"),
        (lambda: information_flow({"x": (("y",), COPY), "y": (("x",), COPY)}, "x", "y"), "circle"),
        (lambda: information_flow({"x": (("q",), COPY)}, "x", "x"), "no mechanism for q"),
        (lambda: information_flow({**CHAIN, "w": (("x",), np.eye(3))}, "x", "w"), r"needs axes \(2,\)"),
        (lambda: information_flow(CHAIN, "x", "y", intervention=[1.0]), "has 2 values"),
        (lambda: integration(np.eye(4), (4,)), "two or more units"),
        (lambda: integration(np.eye(4), (2, 2), law=[1.0]), "joint states"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()  # type: ignore[operator]
