"""Semantic information: the forager's closed form, lives whose observations are another's, and rocks."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Simplex, Subject, UserError, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_agents.rock import Rock
from agentic_metrics import SemanticInformation, semantic_information
from agentic_metrics.responses.rooms import Field, forager


def source(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_forager_lives_by_one_bit() -> None:
    found = semantic_information(np.eye(2) / 2, np.eye(2))
    assert (found.actual, found.scrambled, found.value, found.stored) == (1.0, 0.5, 0.5, 1.0)


def test_information_without_use_has_no_value() -> None:
    found = semantic_information(np.eye(2) / 2, np.ones((2, 2)))
    assert (found.value, found.stored) == (0.0, 1.0)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4), columns=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_nothing_stored_has_no_value(seed: int, rows: int, columns: int) -> None:
    draws = source(seed)
    joint = np.outer(draws.dirichlet(np.ones(rows)), draws.dirichlet(np.ones(columns)))
    found = semantic_information(joint, draws.random((rows, columns)))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.stored == pytest.approx(0, abs=1e-12)
    some = semantic_information(draws.dirichlet(np.ones(rows * columns)).reshape(rows, columns), joint)
    assert some.stored >= -1e-12


def test_tables_are_checked() -> None:
    with pytest.raises(UserError, match="sum to 1"):
        semantic_information(np.eye(2), np.eye(2))
    with pytest.raises(UserError, match="one shape"):
        semantic_information(np.eye(2) / 2, np.ones((2, 3)))
    with pytest.raises(UserError, match="at least 2 lives"):
        SemanticInformation().estimate([1.0], [0.0], generator=source())


def test_lives_that_are_alike_are_null() -> None:
    found = SemanticInformation().estimate(np.ones(20), np.ones(20), generator=source())
    assert found.null is not None
    assert (found.value, found.null.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(("steps", "survives"), [(1, 0.5), (3, 0.125)])
def test_a_forager_shown_another_field_starves(steps: int, survives: float) -> None:
    subject = Subject(agent=forager(), environment=lambda: Field(steps))
    found = measure(SemanticInformation("survival", episodes=300, surrogates=199), subject)
    error = (survives * (1 - survives) / 300) ** 0.5
    assert abs(found.value - (1 - survives)) < 4 * error
    assert found.diagnostics["actual"] == 1.0
    assert found.diagnostics["stored_bits_at_start"] == pytest.approx(1.0, abs=1e-12)
    assert found.outside_null
    assert found.unit == "probability"


def test_lengths_and_returns_are_viabilities_too() -> None:
    subject = Subject(agent=forager(), environment=lambda: Field(3))
    for viability, unit, whole in (("length", "steps", 3.0), ("return", "reward", 3.0)):
        found = measure(SemanticInformation(viability, episodes=30, surrogates=99), subject)
        assert (found.unit, found.diagnostics["actual"]) == (unit, whole)
        assert found.value > 0.5


def test_a_rock_knows_nothing_of_use() -> None:
    subject = Subject(agent=Rock(Simplex((2,))), environment=lambda: Field(2))
    found = measure(SemanticInformation("survival", surrogates=99), subject)
    assert (found.value, found.outside_null) == (0.0, False)
    assert found.diagnostics["stored_bits_at_start"] == pytest.approx(1.0)


def test_a_coin_is_inside_its_null() -> None:
    found = measure(SemanticInformation(surrogates=199), Subject(agent=Coin(), environment=TwoPlaces))
    assert found.outside_null is False


def test_parameters_are_checked() -> None:
    with pytest.raises(UserError, match="survival, length, return"):
        SemanticInformation("health")
    with pytest.raises(UserError, match="episodes >= 2"):
        SemanticInformation(episodes=1)


@pytest.mark.slow
def test_the_interval_covers() -> None:
    covered, metric = 0, SemanticInformation(surrogates=9)
    for seed in range(400):
        draws = source(seed)
        found = metric.estimate(np.ones(40), draws.random(40), generator=draws)
        assert found.interval is not None
        covered += found.interval.low < 0.5 < found.interval.high
    assert 365 <= covered <= 394
