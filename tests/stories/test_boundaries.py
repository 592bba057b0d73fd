"""Boundaries that are known, discovered anew: a sample of the soak, and the other ways where they are right."""

import numpy as np
import pytest

from agentic_discovery import rand_index
from agentic_discovery.columns import ranks
from agentic_envs.planted import network
from soak.baselines import granger_cut, graph_lasso, spectra
from soak.discovery import CASES, Case, hidden, lines_of, mean, plain, printed, sides, thinned

SAMPLE = ["network, 300 steps", "cell", "two objects, 2,000 steps", "roles switch, windows of 1,000"]
NONE = np.zeros(9, np.int64)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_boundary_that_was_planted_is_found(name: str) -> None:
    case = CASES[name]
    for line in lines_of(name, case, case.rows(1)):
        assert line["held"], printed(line)


def test_the_rand_index_is_that_of_hubert_and_arabie() -> None:
    assert rand_index([*"aabbcc"], [*"xxyyzz"]) == 1
    assert rand_index([*"aabb"], [*"abab"]) == pytest.approx(-0.5)
    assert rand_index([*"aaab"], [*"aabb"]) == 0
    assert rand_index([*"aaaa"], [*"aaaa"]) == 1


def test_the_vertex_cut_is_what_all_influence_passes() -> None:
    """Three columns that drive each other, one in the middle, three beyond, two of nobody's."""
    A = 0.4 * np.eye(9)
    for one, other in [(0, 1), (1, 2), (2, 0), (2, 3), (1, 3), (3, 4), (3, 5), (4, 5), (5, 6), (6, 4)]:
        A[other, one] = 0.4
    source, values = np.random.default_rng(0), np.zeros((3000, 9))
    for step in range(1, len(values)):
        values[step] = A @ values[step - 1] + source.standard_normal(9)
    assert rand_index(granger_cut(values, NONE)[:7].tolist(), [*"aaabccc"]) == 1


def test_what_is_linked_by_nothing_has_no_cut() -> None:
    assert not granger_cut(np.random.default_rng(1).standard_normal((500, 9)), NONE).any()


def test_spectral_clustering_finds_three_groups_that_are_apart() -> None:
    source = np.random.default_rng(2)
    values = np.repeat(source.standard_normal((800, 3)), 3, axis=1) + 0.7 * source.standard_normal((800, 9))
    assert rand_index(graph_lasso(values, NONE).tolist(), [*"aaabbbccc"]) == 1


def test_clusters_of_spectra_are_those_of_memory() -> None:
    source, values = np.random.default_rng(3), np.zeros((2000, 9))
    memory = np.repeat([0.95, 0.0, -0.95], 3)
    for step in range(1, len(values)):
        values[step] = memory * values[step - 1] + source.standard_normal(9)
    assert rand_index(spectra(values, NONE).tolist(), [*"aaabbbccc"]) == 1


def test_recordings_are_thinned_hidden_and_ordered_as_the_cases_say() -> None:
    whole = network(0, steps=40)
    assert thinned(whole).values.shape == (20, 28)
    assert thinned(whole).episodes == (20,)
    assert hidden(whole).values.shape == (40, 24)
    assert {role: whole.roles.count(role) - hidden(whole).roles.count(role) for role in set(whole.roles)} == {
        "world": 1,
        "sensor": 1,
        "actuator": 1,
        "inside": 1,
    }
    assert ranks(whole.names, whole.order).tolist() == [0] * 28
    assert sides(["world", "sensor", "actuator", "inside"]) == ["world", "boundary", "boundary", "inside"]


def test_a_line_says_whether_its_demand_is_met() -> None:
    case = Case(
        lambda seeds: (plain(np.zeros((2, 2))) for _ in seeds),
        2,
        lambda _: {"exact": True},
        {"exact": (mean("exact"), 0.9, True)},
    )
    (line,) = lines_of("nothing", case, case.rows(None))
    assert printed(line) == "| nothing | exact | 2 of 2 | at least 0.9 | yes |  |  |  |  |"
