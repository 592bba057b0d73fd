"""Estimators of couplings beside regression: known answers, what is heard, what is refused."""

from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from agentic import UserError
from agentic_discovery import discover
from agentic_discovery.columns import Columns
from agentic_discovery.command import discover as command
from agentic_discovery.estimators import ESTIMATORS, couplings, missed
from agentic_discovery.neighbors import chance, information
from agentic_discovery.parting import Look
from agentic_discovery.plugin import Tables
from agentic_envs.planted.nonlinear import binary, squared
from agentic_envs.planted.recording import REACHED


def heard(values: np.ndarray, estimator: str, lag: int = 1, ranks: np.ndarray | None = None) -> np.ndarray:
    """Who is heard by whom, without a column by itself."""
    columns = Columns.of(values)
    look = Look(np.zeros(values.shape[1], np.intp) if ranks is None else ranks, lag, 0.01, 1, estimator)
    return np.asarray(couplings(columns, look).nats > 0)


def coins(steps: int = 400) -> np.ndarray:
    """A coin, a column that is mostly the coin one step later, and one that is mostly the second two steps later."""
    source = np.random.default_rng(0)
    values = source.integers(0, 2, (steps, 3))
    lies = source.random((steps, 3)) < 0.1
    values[1:, 1] = values[:-1, 0] ^ lies[1:, 1]
    values[2:, 2] = values[:-2, 1] ^ lies[2:, 2]
    return values


def squares(steps: int = 600) -> np.ndarray:
    """A column whose square is heard by another one step later, which is heard by a third."""
    noise = np.random.default_rng(0).standard_normal((steps, 3))
    values = noise.copy()
    values[1:, 1] += 1.5 * (np.minimum(values[:-1, 0] ** 2, 4) - 1)
    values[1:, 2] += values[:-1, 1]
    return values


def test_the_likelihood_of_a_table_is_that_of_sequential_prediction() -> None:
    # Krichevsky and Trofimov 1981: (n + 1/2) / (N + 1) for the next of two values, one after another
    codes = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 1]])
    alone = 1 / 2 * (3 / 2) / 2 * (1 / 2) / 3 * (3 / 2) / 4 * (5 / 2) / 5  # of 0, 0, 1, 1, 0
    tables = Tables(codes, [2, 2])
    assert tables.likelihood(0, []) == pytest.approx(np.log(alone))
    beside = (1 / 2 * (1 / 2) / 2) * (1 / 2 * (1 / 2) / 2 * (3 / 2) / 3)  # 0, 1 beside 0; 0, 1, 0 beside 1
    assert tables.likelihood(0, [1]) == pytest.approx(np.log(beside))
    assert tables.gain(0, 1, []) == pytest.approx(np.log(beside / alone))


def test_counting_hears_what_is_there_within_the_lag() -> None:
    assert heard(coins(), "plugin").tolist() == [[False, True, False], [False, False, False], [False, False, False]]
    assert heard(coins(), "plugin", lag=2).tolist() == [[False, True, False], [False, False, True], [False] * 3]
    longer = missed(
        Columns.of(coins()),
        look := Look(np.zeros(3, np.intp), 1, 0.01, 1, "plugin"),
        couplings(Columns.of(coins()), look),
    )
    assert (longer.before > 0).sum() >= 1
    assert longer.within.sum() == 0


def test_values_are_names_to_counting_and_numbers_to_regression() -> None:
    source = np.random.default_rng(0)
    values = source.integers(0, 3, (600, 2))
    values[1:, 1] = np.where(source.random(599) < 0.7, np.array([2, 0, 2])[values[:-1, 0]], values[1:, 1])
    assert heard(values, "plugin").tolist() == [[False, True], [False, False]]
    assert not heard(values, "gaussian").any()


def test_columns_that_come_first_are_counted_within_the_step() -> None:
    values = np.random.default_rng(0).integers(0, 3, (300, 2))
    values[:, 1] = (values[:, 0] + (np.random.default_rng(1).random(300) < 0.2)) % 3
    assert heard(values, "plugin", ranks=np.array([0, 1])).tolist() == [[False, True], [False, False]]
    assert not heard(values, "plugin").any()


def test_a_planted_network_of_two_values_is_discovered_by_counting() -> None:
    planted = binary(0, density=0.25)
    look = Look(np.zeros(28, np.intp), 1, 0.01, 1, "plugin")
    found = couplings(Columns(planted.names, planted.values, planted.episodes), look)
    assert (found.nats > 0).sum() > 90
    assert not any(
        found.nats[planted.roles.index(one), planted.roles.index(other)]
        for one, other in (("world", "inside"), ("world", "actuator"), ("inside", "world"), ("inside", "sensor"))
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 102))
def test_networks_of_28_columns_of_two_values(seed: int) -> None:
    planted = binary(seed, density=0.25)
    found = discover(dict(zip(planted.names, planted.values.T, strict=True)), estimator="plugin")
    assert found.detected
    assert [role.role for role in found.roles] == list(planted.roles)


def test_neighbors_hear_a_square_that_regression_does_not() -> None:
    wanted = [[False, True, False], [False, False, True], [False, False, False]]
    assert heard(squares(), "neighbors").tolist() == wanted
    assert not heard(squares(), "gaussian")[0, 1]


def test_the_information_of_a_normal_pair_is_known() -> None:
    one, other = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000).T
    ranks = [np.argsort(np.argsort(each)) for each in (one, other)]
    assert information(ranks[0], ranks[1], 10) == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.05)
    mean, spread = chance(500, 20)
    assert abs(mean) / 500 < 0.02
    assert 0 < spread < 10


@pytest.mark.slow
def test_in_a_network_that_acts_by_squares_neighbors_hear_nothing_past_the_boundary() -> None:
    planted = squared(1, steps=800)
    look = Look(np.zeros(16, np.intp), 1, 0.01, 1, "neighbors")
    nats = couplings(Columns(planted.names, planted.values, planted.episodes), look).nats
    reached = np.array([[other in REACHED[one] for other in planted.roles] for one in planted.roles])
    assert (nats[reached] > 0).sum() > 25  # of 33
    assert (nats[~reached] == 0).all()


def test_what_an_estimator_cannot_take_is_refused_in_a_sentence() -> None:
    source = np.random.default_rng(0)
    for values, options, said in (
        (source.standard_normal((60, 4)), {"estimator": "plugin"}, r"'x\[0\]' has 60: round it, leave it out"),
        (source.random((4000, 60)), {"estimator": "neighbors"}, "give at most 833 steps, fewer columns"),
        (
            source.integers(0, 9, (99, 4)),
            {"estimator": "neighbors"},
            r"91% of the values of 'x\[0\]' repeat",
        ),
        (source.random((60, 4)), {"estimator": "knn"}, "an estimator of gaussian, neighbors, plugin, got 'knn'"),
    ):
        given: dict[str, Any] = options
        with pytest.raises(UserError, match=said) as caught:
            discover(values, **given)
        assert "\n" not in str(caught.value)


def test_too_few_steps_for_neighbors_are_an_answer() -> None:
    few = discover(np.random.default_rng(0).standard_normal((100, 4)), estimator="neighbors")
    assert few.reasons == ("99 steps are too few for so many columns: give at least 130",)
    enough = discover(np.random.default_rng(0).standard_normal((131, 4)), estimator="neighbors")
    assert "no four columns hang together" in str(enough)


def test_the_estimator_is_said_by_the_frame_the_settings_and_the_command(tmp_path: Any) -> None:
    np.savez(tmp_path / "r.npz", x=coins())
    found = discover(tmp_path / "r.npz", estimator="plugin")
    assert found.settings["estimator"] == "plugin"
    assert "couplings by the plugin estimator" in found.frame.boundary
    shown = CliRunner().invoke(command, [str(tmp_path / "r.npz"), "--estimator", "plugin", "--json"])
    assert shown.exit_code == 0
    assert '"estimator": "plugin"' in shown.output
    option = next(each for each in command.params if each.name == "estimator")
    assert list(option.type.choices) == list(ESTIMATORS)  # type: ignore[attr-defined]


def test_the_command_offers_every_estimator() -> None:
    (option,) = [each for each in command.params if each.name == "estimator"]
    assert isinstance(option.type, click.Choice)
    assert sorted(option.type.choices) == sorted(ESTIMATORS)
