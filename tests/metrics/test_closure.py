"""Systems that make themselves and systems that are driven."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agentic import Access, UserError, measure
from agentic.testing.metrics import subject
from agentic_metrics import Autonomy, closure_of, informational_closure

FAIR = [0.5, 0.5]
Rule = Callable[[int, int], float]  # state, environment -> probability that the next state is 1
RULES: dict[str, tuple[Rule, tuple[float, float, float, float]]] = {
    "reflex": (lambda s, e: e, (0, 1, 0, 0)),
    "clock": (lambda s, e: 1 - s, (1, 0, 1, 0)),
    "habit": (lambda s, e: 0.9 * s + 0.1 * (1 - s), (0.53100, 0, 0.53100, 0)),
    "xor": (lambda s, e: s ^ e, (1, 1, 0, -1)),
    "latch": (lambda s, e: 0.3 * e + 0.7 * s, (0.49342, 0.16919, 0.39016, -0.10326)),
    "coin": (lambda s, e: 0.5, (0, 0, 0, 0)),
    "rock": (lambda s, e: 0.0, (0, 0, 0, 0)),
}
NULL = ("reflex", "coin", "rock")


def kernel(rule: Rule) -> np.ndarray:
    return np.array([[[1 - rule(s, e), rule(s, e)] for e in (0, 1)] for s in (0, 1)])


def lives(rule: Rule, seed: int, episodes: int = 20, steps: int = 50) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """System and environment, from random states."""
    generator = np.random.default_rng(seed)
    world = generator.integers(2, size=(steps, episodes))
    system = np.empty((steps, episodes), int)
    system[0] = generator.integers(2, size=episodes) if rule(0, 0) or rule(1, 1) else 0
    table = kernel(rule)[..., 1]
    for t in range(1, steps):
        system[t] = generator.random(episodes) < table[system[t - 1], world[t - 1]]
    return list(system.T), list(world.T)


@pytest.mark.parametrize("name", RULES)
def test_the_exact_table(name: str) -> None:
    rule, expected = RULES[name]
    found = informational_closure(kernel(rule), FAIR)
    assert (found.autonomy, found.transfer, found.storage, found.ntic) == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("name", RULES)
def test_the_table_from_samples(name: str) -> None:
    rule, (own, _, _, closed) = RULES[name]
    system, world = lives(rule, 1)
    found = Autonomy(lag=1, surrogates=50).estimate(system, world, generator=np.random.default_rng(0))
    assert found.value == pytest.approx(own, abs=0.06)
    assert found.diagnostics["ntic"] == pytest.approx(closed, abs=0.06)
    assert found.null is not None
    assert (found.null.p_value < 0.05) == (name not in NULL)
    again = Autonomy(lag=1, surrogates=20).ntic(system, world, generator=np.random.default_rng(0))
    assert again.value == pytest.approx(found.diagnostics["ntic"], abs=1e-12)


def test_a_clock_in_step_with_all_others_is_no_chance() -> None:
    system, world = [np.arange(40) % 2] * 20, list(np.random.default_rng(2).integers(2, size=(20, 40)))
    found = Autonomy(lag=1, surrogates=50).estimate(system, world, generator=np.random.default_rng(0))
    assert found.value == pytest.approx(1.0, abs=0.01)
    assert found.null is not None
    assert found.null.p_value < 0.05


def test_a_reflex_to_measured_values_is_not_autonomous() -> None:
    generator = np.random.default_rng(3)
    world = [generator.normal(size=60) for _ in range(10)]
    system = [each + 0.5 * generator.normal(size=60) for each in world]
    driven = Autonomy(lag=0, surrogates=20).estimate(system, world, generator=generator)
    assert driven.null is not None
    assert driven.null.p_value >= 0.05
    kept = [np.convolve(each, [1, 0.8], "full")[:60] for each in system]
    own = Autonomy(lag=0, surrogates=20).estimate(kept, world, generator=generator)
    assert own.null is not None
    assert own.null.p_value < 0.05


def test_a_system_that_its_world_determines_says_so() -> None:
    metric = Autonomy(lag=1, surrogates=0)
    found = metric.estimate(*lives(RULES["reflex"][0], 4), generator=np.random.default_rng(0))
    assert any("never varies given" in warning for warning in found.warnings)


def test_the_lag_tells_who_comes_first() -> None:
    generator = np.random.default_rng(5)
    world = [np.repeat(generator.integers(2, size=20), 2) for _ in range(20)]  # every state lasts two steps
    late = Autonomy(lag=1, surrogates=0).estimate(world, world, generator=generator)
    same = Autonomy(lag=0, surrogates=0).estimate(world, world, generator=generator)
    assert late.value == pytest.approx(0.0, abs=0.01)
    assert same.value == pytest.approx(0.0, abs=0.01)
    one_ahead = [np.roll(each, 1) for each in world]
    assert Autonomy(lag=0, surrogates=0).estimate(one_ahead, world, generator=generator).value > 0.1


@given(st.integers(0, 2**32 - 1))
def test_storage_splits_into_autonomy_and_closure(seed: int) -> None:
    joint = np.random.default_rng(seed).dirichlet(np.ones(18)).reshape(2, 3, 3)
    found = closure_of(joint)
    assert min(found.autonomy, found.transfer, found.storage) >= -1e-12
    assert found.autonomy - found.storage == pytest.approx(-found.ntic, abs=1e-9)


def test_the_metric_reads_what_was_seen_before_what_was_done() -> None:
    found = measure(Autonomy(), subject())
    assert (found.unit, found.access, found.outside_null) == ("bits", Access.RECORDS, False)
    assert found.frame.variables == ("action", "obs")
    assert "ntic" in found.diagnostics
    assert Autonomy(system="belief.mean").access is Access.INTERNALS


def test_what_makes_no_sense_is_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(UserError, match="same steps"):
        Autonomy().estimate([0, 1, 0], [0, 1], generator=generator)
    with pytest.raises(UserError, match="lag >= 0"):
        Autonomy(lag=-1)
    with pytest.raises(UserError, match="never leaves"):
        informational_closure([[[1, 0]] * 2, [[0, 1]] * 2], FAIR)
    with pytest.raises(UserError, match="kernel"):
        informational_closure(np.full((2, 2, 2), 0.5), [1.0])
    with pytest.raises(UserError, match="axes"):
        closure_of([[0.5, 0.5]])
    with pytest.raises(UserError, match="level"):
        Autonomy(level=2)
