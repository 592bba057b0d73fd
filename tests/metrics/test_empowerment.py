"""Empowerment of worlds of finitely many states: counted, or with certified bounds."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from agentic import Subject, UserError, make, measure
from agentic.testing.worlds import TwoPlaces
from agentic_metrics import CROSS, KING, Empowerment, World, capacity, klyubin_maze, lattice
from agentic_metrics.channels import outcomes

Floats = NDArray[np.float64]
FOUR = CROSS[1:]


def cells(dynamics: Floats, horizon: int, state: int = 0) -> int:
    """How many places can be told apart after so many steps."""
    found = Empowerment(horizon=horizon).map(dynamics, states=[state])
    assert found.estimator == "reachability"
    return round(2 ** float(found.value[0]))


@pytest.mark.parametrize("n", range(1, 6))
def test_large_tori(n: int) -> None:
    side = 2 * n + 1
    assert cells(lattice(side, side, wrap=True), n) == 2 * n * n + 2 * n + 1
    assert cells(lattice(side + 1, side + 1, wrap=True, moves=FOUR), n) == (n + 1) ** 2
    assert cells(lattice(side, side, wrap=True, moves=KING), n) == (2 * n + 1) ** 2


def test_bits_of_large_tori() -> None:
    torus, known = lattice(11, 11, wrap=True), [2.321928, 3.700440, 4.643856, 5.357552, 5.930737]
    assert [Empowerment(horizon=n).map(torus).value.mean() for n in range(1, 6)] == pytest.approx(known, abs=1e-6)
    torus, known = lattice(11, 11, wrap=True, moves=KING), [3.169925, 4.643856, 5.614710, 6.339850, 6.918863]
    assert [Empowerment(horizon=n).map(torus).value.mean() for n in range(1, 6)] == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("side", "moves", "known"),
    [
        (5, CROSS, [5, 13, 21, 25, 25]),
        (6, CROSS, [5, 13, 23, 31, 35]),
        (3, CROSS, [5, 9, 9, 9, 9]),
        (6, FOUR, [4, 9, 14, 17, 18]),
        (5, FOUR, [4, 9, 16, 25, 25]),
    ],
)
def test_small_tori(side: int, moves: Sequence[tuple[int, int]], known: list[int]) -> None:
    torus = lattice(side, side, wrap=True, moves=moves)
    assert [cells(torus, n) for n in range(1, 6)] == known


@pytest.mark.parametrize(
    ("row", "column", "known"), [(0, 0, [3, 6, 10, 15, 21]), (0, 5, [4, 9, 16, 25, 35]), (5, 5, [5, 13, 25, 41, 59])]
)
def test_a_room_with_walls(row: int, column: int, known: list[int]) -> None:
    room = lattice(10, 10)
    assert [cells(room, n, 10 * row + column) for n in range(1, 6)] == known


KLYUBIN = {
    1: (1, 2.3219, 2.029651),
    2: (1.5850, 3.7004, 3.157004),
    3: (2.5850, 4.5236, 3.881488),
    4: (3.1699, 5.0875, 4.392433),
    5: (3.4594, 5.5236, 4.783411),
    10: (4.4594, 6.4094, 5.931623),
}


@pytest.mark.parametrize("n", KLYUBIN)
def test_the_maze_of_klyubin(n: int) -> None:
    value = Empowerment(horizon=n).map(klyubin_maze()).value
    least, largest, mean = KLYUBIN[n]
    assert (value.min(), value.max()) == pytest.approx((least, largest), abs=1e-4)
    assert value.mean() == pytest.approx(mean, abs=1e-6)


Pair = tuple[tuple[int, int], tuple[int, int]]


def boxes(start: Pair, steps: int, pushable: bool) -> tuple[Floats, list[int]]:
    """Dynamics of (agent, box) on an endless grid as far as `steps` steps go, and the agent's place as a reading."""

    def after(state: Pair, move: tuple[int, int]) -> Pair:
        (row, column), box = state
        there = row + move[0], column + move[1]
        if there != box or move == (0, 0):
            return there, box
        return (there, (box[0] + move[0], box[1] + move[1])) if pushable else state

    seen = [start]
    for _ in range(steps):
        seen = list(dict.fromkeys([*seen, *(after(state, move) for state, move in product(seen, CROSS))]))
    number = {state: i for i, state in enumerate(seen)}
    dynamics = np.zeros((len(number), len(CROSS), len(number)))
    for (state, i), (a, move) in product(number.items(), enumerate(CROSS)):
        dynamics[i, a, number.get(after(state, move), i)] = 1
    places = {agent: k for k, agent in enumerate(dict.fromkeys(agent for agent, _ in number))}
    return dynamics, [places[agent] for agent, _ in number]


@pytest.mark.parametrize(("distance", "known"), [(9, 61), (5, 61), (4, 64), (3, 76), (2, 108), (1, 179), (0, 221)])
def test_a_box_that_can_be_pushed(distance: int, known: int) -> None:
    dynamics, agent = boxes(((0, distance), (0, 0)), 5, pushable=True)
    assert cells(dynamics, 5) == known
    unseen = Empowerment(horizon=5).map(dynamics, sensor=agent, states=[0]).value
    assert unseen == pytest.approx(np.log2(61))  # what is not sensed does not count


@pytest.mark.parametrize(("distance", "known"), [(9, 61), (1, 58)])
def test_a_box_that_is_fixed(distance: int, known: int) -> None:
    assert cells(boxes(((0, distance), (0, 0)), 5, pushable=False)[0], 5) == known


def slippery_torus(slip: float) -> Floats:
    sure = lattice(7, 7, wrap=True)
    return np.asarray((1 - slip) * sure + slip * sure.mean(1, keepdims=True))


def test_a_slippery_torus() -> None:
    slippery = slippery_torus(0.1)
    p = np.array([0.92, 0.02, 0.02, 0.02, 0.02])
    assert np.log2(5) + (p * np.log2(p)).sum() == pytest.approx(1.759749, abs=1e-6)
    for n, known in ((1, 1.759749), (2, 2.680699)):
        found = Empowerment(horizon=n, tolerance=1e-8).map(slippery)
        assert found.value == pytest.approx(np.full(49, known), abs=1e-6)
        assert found.gap <= 1e-8


def world(id: str, **options: Any) -> World:
    env = gymnasium.make(id, **options)
    try:
        return World.of(make(env).truth())
    finally:
        env.close()


def test_slippery_frozen_lake() -> None:
    lake = world("FrozenLake-v1", is_slippery=True)
    known = {1: [0.33333, 0.41504, 0.41504, 0.41504], 2: [0.50592, 0.61827, 0.56971, 0.56971]}
    for n, values in known.items():
        found = Empowerment(horizon=n).map(lake.dynamics)
        assert found.value[[0, 6, 9, 10]] == pytest.approx(values, abs=1e-5)
        assert (found.value[lake.ended] == 0).all()
        assert (found.upper[lake.ended] == 0).all()


def test_frozen_lake_without_ice() -> None:
    lake = world("FrozenLake-v1", is_slippery=False)
    for n, values in {1: [1.58496, 2, 2], 2: [2.58496, 3.16993, 3.16993], 3: [3.32193, 3.70044, 3.90689]}.items():
        found = Empowerment(horizon=n).map(lake.dynamics).value
        assert found[[0, 6, 10]] == pytest.approx(values, abs=1e-5)
        assert (found[lake.ended] == 0).all()


def test_cliff_walking_and_taxi() -> None:
    cliff, taxi = world("CliffWalking-v1").dynamics, world("Taxi-v4").dynamics
    middle = [((2 * 5 + 2) * 5 + passenger) * 4 + goal for passenger in range(5) for goal in range(4)]
    for n, values in {1: (1, 2.32193), 2: (2, 3.70044), 3: (2.80735, 4.39232)}.items():
        assert Empowerment(horizon=n).map(cliff, states=[36]).value == pytest.approx([values[0]], abs=1e-5)
        assert Empowerment(horizon=n).map(taxi, states=middle).value == pytest.approx(np.full(20, values[1]), abs=1e-5)


def listed(dynamics: Floats, horizon: int, state: int, sensor: Floats) -> Floats:
    """The channel with a row for every sequence of actions."""
    rows = []
    for sequence in product(range(dynamics.shape[1]), repeat=horizon):
        here = np.eye(len(dynamics))[state]
        for action in sequence:
            here = here @ dynamics[:, action]
        rows.append(here @ sensor)
    return np.array(rows)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_merging_changes_nothing(seed: int, states: int, actions: int, horizon: int, sensed: bool) -> None:
    source = np.random.default_rng(seed)
    dynamics = source.dirichlet(np.full(states, 0.3), size=(states, actions)).round(1)
    dynamics[..., 0] += 1 - dynamics.sum(-1)
    dynamics = np.abs(dynamics) / np.abs(dynamics).sum(-1, keepdims=True)
    sensor = source.dirichlet(np.full(3, 0.3), size=states) if sensed else np.eye(states)
    found = Empowerment(horizon=horizon, tolerance=1e-8).map(dynamics, sensor=sensor)
    known = [capacity(listed(dynamics, horizon, state, sensor), tolerance=1e-8).value for state in range(states)]
    assert found.value == pytest.approx(known, abs=3e-8)
    assert (found.value <= found.upper + 1e-12).all()


def test_places_that_look_alike_are_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    channels = outcomes.channels

    def counting(moves: Any, states: NDArray[np.int64], horizon: int) -> Any:
        built.append(len(states))
        return channels(moves, states, horizon)

    monkeypatch.setattr("agentic_metrics.channels.empowering.channels", counting)
    room = lattice(12, 12, success=0.9)
    shared = Empowerment(horizon=2).map(room).value
    assert built == [25]  # a corner region of two by two cells, four edges of two, and the middle
    monkeypatch.setattr(
        "agentic_metrics.channels.empowering.alike", lambda moves, states, horizon: np.arange(len(states))
    )
    assert Empowerment(horizon=2).map(room).value == pytest.approx(shared, abs=2e-6)


def test_readings_tell_views_apart() -> None:
    """Everywhere the same moves, but in one place two neighbors look the same."""
    ring = lattice(1, 12, wrap=True, moves=((0, 1), (0, -1)), success=0.9)
    reading = np.arange(12)
    reading[7] = 5
    value = Empowerment(horizon=1).map(ring, sensor=reading).value
    assert value[0] > value[6] + 0.1
    assert value[[0, 1, 2, 11]] == pytest.approx(np.full(4, value[0]))


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_no_choice_no_control(seed: int, horizon: int) -> None:
    chain = np.random.default_rng(seed).dirichlet(np.ones(4), size=(4, 1))
    for dynamics in (chain, np.repeat(chain, 3, axis=1)):  # one action; three that do the same
        found = Empowerment(horizon=horizon).map(dynamics)
        assert found.value == pytest.approx(np.zeros(4), abs=1e-12)
        assert found.upper == pytest.approx(np.zeros(4), abs=1e-9)


def test_a_coarser_sensor_sees_less_control() -> None:
    room = lattice(6, 6, success=0.8)
    fine, coarse = (Empowerment(horizon=3).map(room, sensor=s).value for s in (None, np.arange(36) // 6))
    assert (coarse <= fine + 1e-6).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"horizon": 0}, "horizon"),
        ({"dynamics": np.ones((2, 2))}, "states, actions, states"),
        ({"dynamics": np.ones((2, 1, 2))}, "sum to 1"),
        ({"sensor": [0]}, "sensor"),
        ({"sensor": np.ones((2, 3))}, "sensor"),
        ({"states": [2]}, "number from 0 to 1"),
        ({"states": []}, "at least one state"),
        ({"tolerance": 0.0}, "tolerance"),
    ],
)
def test_refusals(arguments: dict[str, Any], words: str) -> None:
    noisy = {"dynamics": np.full((2, 2, 2), 0.5), "horizon": 1}
    given = {**noisy, **arguments}
    parameters = {name: given.pop(name) for name in ("horizon", "tolerance") if name in given}
    with pytest.raises(UserError, match=words):
        Empowerment(**parameters).map(**given)


def test_too_long_a_horizon_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MOST", 20)
    dynamics = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 3))
    with pytest.raises(UserError, match="shorter horizon"):
        Empowerment(horizon=4).map(dynamics)


class Door(gymnasium.Env[Any, Any]):
    """Two places and an exit that ends the episode; a third place cannot be reached. All look the same but one."""

    def __init__(self) -> None:
        self.observation_space, self.action_space = Discrete(2), Discrete(2)

    def true_model(self) -> dict[str, Any]:
        moves = np.zeros((4, 4, 2))
        moves[1, 0, 0] = moves[2, 0, 1] = moves[0, 1, 0] = moves[2, 1, 1] = moves[2, 2] = moves[3, 3] = 1
        looks = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
        ends = np.array([0.0, 0.0, 1.0, 0.0])
        return {"A": [looks], "B": [moves], "D": [np.eye(4)[0]], "rewards": np.zeros((4, 2)), "ends": ends}


def test_metric_counts_states_in_reach_and_what_is_observed() -> None:
    found = measure(Empowerment(horizon=1), Subject(environment=Door))
    assert found.diagnostics["states"] == [0, 1]
    assert found.value == 1  # either it ends or it does not
    assert (found.interval, found.estimator, found.outside_null) == (None, "reachability", True)


def lake(**options: Any) -> Callable[[], gymnasium.Env[Any, Any]]:
    return lambda: gymnasium.make("FrozenLake-v1", **options)


def test_metric_reports_certified_bounds() -> None:
    found = measure(Empowerment(horizon=2), Subject(environment=lake(is_slippery=True)))
    assert found.estimator == "Blahut-Arimoto"
    assert len(found.diagnostics["map"]) == 11  # 16 less four holes and the goal
    assert found.value == pytest.approx(np.mean(found.diagnostics["map"]))
    assert found.interval is not None
    assert (found.interval.level, found.interval.low) == (1, found.value)
    assert found.interval.high - found.interval.low <= found.diagnostics["gap"] <= 1e-6
    assert found.diagnostics["least"] <= found.value <= found.diagnostics["largest"]
    assert found.outside_null


def test_metric_is_zero_where_actions_change_nothing() -> None:
    env = TwoPlaces()
    deaf = {**env.true_model(), "B": [np.full((2, 2, 2), 0.5)]}
    env.true_model = lambda: deaf  # type: ignore[method-assign]
    found = measure(Empowerment(), Subject(environment=lambda: env))
    assert abs(found.value) < 1e-12
    assert found.outside_null is False


def test_metric_refusals() -> None:
    wrongs: list[dict[str, Any]] = [
        {"horizon": 0},
        {"tolerance": 0.0},
        {"estimator": "guess"},
        {"power": -1.0},
        {"level": 1.0},
    ]
    for wrong in wrongs:
        with pytest.raises(UserError, match="empowerment expects"):
            Empowerment(**wrong)
    with pytest.raises(UserError, match="not known"):
        measure(Empowerment(), Subject(environment=lambda: gymnasium.make("CartPole-v1")))
    with pytest.raises(UserError, match="continuous actions"):
        measure(Empowerment(estimator="linearized"), Subject(environment=TwoPlaces))
