"""Energies of roles by hand and by brute force, and chains that settle to the least of all."""

from itertools import product
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic_discovery.comparing import aligned, rand_index
from agentic_discovery.energies import IDLE, Form, contact, energies, energy, free, particular, strict
from agentic_discovery.roles import forms_of, mirrored, parts, settled
from agentic_discovery.settling import Chains, annealed

SMALL = 6


def couplings(seed: int, columns: int = SMALL, density: float = 0.35) -> np.ndarray:
    source = np.random.default_rng(seed)
    found = np.where(source.random((columns, columns)) < density, source.uniform(1, 9, (columns, columns)), 0.0)
    np.fill_diagonal(found, 0.0)
    return found


def test_one_block_costs_the_code_of_its_couplings() -> None:
    graph = couplings(0)
    there, pairs = int((graph > 0).sum()), SMALL * (SMALL - 1)
    assert energy(graph, np.zeros(SMALL, np.intp), free(1, 4)) == pytest.approx(
        log(pairs + 1) + log(comb(pairs, there))
    )


def test_a_ring_of_roles_by_hand() -> None:
    ring = 5.0 * np.roll(np.eye(4), 1, axis=1)  # world, sensor, inside, actuator
    labels = np.array([0, 1, 3, 2])
    code = 4 * log(2) + 3 * log(2) * 2 + log(24) + log(35)  # pairs with a coupling; allowed ones without; the labels
    unused = [(0, 0), (1, 1), (2, 2), (3, 3)]  # single columns have no pairs with themselves
    allowed = int(strict().allowed.sum()) - len(unused) - 4
    assert energy(ring, labels, strict()) == pytest.approx(code - 6 * log(2) + allowed * log(2))


def test_what_crosses_the_boundary_costs_its_evidence() -> None:
    ring = 5.0 * np.roll(np.eye(4), 1, axis=1)
    labels = np.array([0, 1, 3, 2])
    crossed = ring.copy()
    crossed[0, 2] = 7.0
    assert energy(crossed, labels, strict()) == pytest.approx(energy(ring, labels, strict()) + 7.0)


def test_a_sensor_that_hears_nothing_costs_more() -> None:
    ring = 5.0 * np.roll(np.eye(4), 1, axis=1)
    deaf = ring.copy()
    deaf[0, 1] = 0.0
    labels = np.array([0, 1, 3, 2])
    assert energy(deaf, labels, particular()) == pytest.approx(energy(ring, labels, particular()) + IDLE)


@pytest.mark.parametrize(
    "form", [*forms_of(1), *forms_of(2), free(4, 4)], ids=lambda form: f"{form.name}{form.objects}"
)
def test_chains_keep_their_counts_and_draw_by_the_energy(form: Form) -> None:
    source = np.random.default_rng(0)
    graph, size = couplings(1, 8), len(form.used)
    chains = Chains(graph, [form] * 3, source.choice(np.flatnonzero(form.used), (8, 3)))
    for temperature in (2.0, 1.0, 1e-6):
        chains.sweep(temperature, source)
    for column in range(8):  # at almost no temperature a draw is the label of least energy
        before = chains.labels.copy()
        tried = np.where(np.arange(8)[:, None, None] == column, np.arange(size), before[:, :, None])
        costs = np.stack([energies(graph, tried[:, :, label].T, form) for label in range(size)])
        chains._draw(column, 1e-9, source)
        assert np.take_along_axis(costs, chains.labels[column][None], 0)[0] == pytest.approx(costs.min(0))


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_chains_settle_to_the_least_of_all_partitions(seed: int) -> None:
    graph = couplings(seed, 5)
    every = np.array(list(product(range(4), repeat=5)))
    for form in (particular(), strict()):
        found = annealed(graph, [form], generator=np.random.default_rng(0))[0]
        assert energies(graph, found, form).min() == pytest.approx(energies(graph, every, form).min())


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(SMALL)))
def test_permuted_columns_have_the_energies_of_permuted_roles(order: list[int]) -> None:
    graph, source = couplings(3), np.random.default_rng(1)
    labels = source.integers(0, 4, SMALL)
    for form in (particular(), strict()):
        moved = energy(graph[np.ix_(order, order)], labels[order], form)
        assert moved == pytest.approx(energy(graph, labels, form))


def test_inside_and_world_are_mirror_images_unless_sensors_only_read() -> None:
    graph, labels = couplings(6), np.array([0, 1, 2, 3, 3, 0])
    turned = mirrored(labels, particular())
    assert energy(graph, turned, particular()) == pytest.approx(energy(graph, labels, particular()))
    assert energy(graph, turned, strict()) != pytest.approx(energy(graph, labels, strict()))


def test_objects_meet_in_the_world_alone() -> None:
    allowed = particular(2).allowed
    assert not allowed[3, 6]
    assert not allowed[3, 4]
    assert allowed[2, 4]  # the actuator of one, the sensor of the other
    assert not allowed[2, 6]
    assert contact(2).allowed[1, 4]


def test_parts_hang_together_by_strong_couplings() -> None:
    graph = np.zeros((6, 6))
    graph[0, 1] = graph[2, 1] = 50.0
    graph[3, 4] = 50.0
    graph[1, 3] = 1.0  # below log 30
    assert [part.tolist() for part in parts(graph)] == [[0, 1, 2], [3, 4], [5]]


def test_settling_offers_runners_up_in_order() -> None:
    found = settled(couplings(5), generator=np.random.default_rng(0))
    costs = [choice.energy for choice in found.choices]
    assert costs == sorted(costs)
    assert found.evidence == pytest.approx(found.blocks - costs[0])
    assert found.blocks <= found.alone


def test_the_rand_index_of_known_partitions() -> None:
    assert rand_index(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == 1
    # Hubert and Arabie 1985: pairs 2 of 3 and 2 of 4, one in both, of 10
    assert rand_index(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])) == pytest.approx((2 - 1.6) / (4 - 1.6))


def test_objects_are_numbered_and_turned_as_they_fit() -> None:
    like = np.array([0, 1, 2, 3, 4, 5, 6])
    swapped = np.array([0, 4, 5, 6, 1, 2, 3])
    assert aligned(swapped, like, 2, mirrored=True).tolist() == like.tolist()
    assert aligned(np.array([3, 2, 1, 0]), np.array([0, 1, 2, 3]), 1, mirrored=True).tolist() == [0, 1, 2, 3]
