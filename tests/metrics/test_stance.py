"""The intentional stance: goals and mechanisms compared on records whose probabilities are known."""

from itertools import product
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete
from hypothesis import given, settings, strategies as st
from scipy.special import logsumexp

from agentic import Subject, UserError, measure
from agentic.testing.metrics import subject
from agentic_metrics.finite.behavior import Steps
from agentic_metrics.finite.world import World
from agentic_metrics.purpose.devices import ContextTree, krichevsky_trofimov, wander
from agentic_metrics.purpose.stance import IntentionalStance

CELLS = 9
STANCE = IntentionalStance()


def corridor(slip: float = 0.0) -> World:
    """Cells 0 to 8; left, stay, right; a slip leaves one where one is."""
    moves = np.zeros((CELLS, 3, CELLS))
    for cell, step in product(range(CELLS), (-1, 0, 1)):
        moves[cell, step + 1, min(max(cell + step, 0), CELLS - 1)] += 1 - slip
        moves[cell, step + 1, cell] += slip
    return World(moves, np.zeros((CELLS, 3)), np.full(CELLS, 1 / CELLS), np.zeros(CELLS, dtype=bool))


def walk(start: int, letters: str) -> tuple[list[int], list[int]]:
    """States and actions of L, S and R from a cell."""
    actions = ["LSR".index(letter) for letter in letters]
    cell, states = start, []
    for action in actions:
        states.append(cell)
        cell = min(max(cell + action - 1, 0), CELLS - 1)
    return states, actions


def journeys(goal: int, starts: Any, rest: int = 4) -> tuple[list[list[int]], list[list[int]]]:
    """Straight to the goal and stay there, an episode from each start."""
    walks = [walk(start, ("R" if start < goal else "L") * abs(goal - start) + "S" * rest) for start in starts]
    return [states for states, _ in walks], [actions for _, actions in walks]


ROWS = [
    (2, "RRRRSSSS", -3.040089, -8.047372, 0.993355, 7.224),
    (2, "RRRR" + 16 * "S", -4.304435, -13.385947, 0.999886, 13.102),
    (0, "RRRRRRRR", -2.982950, -2.833213, 0.462636, -0.216),
    (4, "SSSSSSSS", -3.040109, -2.833213, 0.448460, -0.298),
    (4, "RLRLRLRL", -12.404371, -8.047372, 0.012655, -6.286),
]


@pytest.mark.parametrize(("start", "letters", "agent", "device", "probability", "bits"), ROWS)
def test_records_in_a_corridor(
    start: int, letters: str, agent: float, device: float, probability: float, bits: float
) -> None:
    found = STANCE.evidence(*walk(start, letters), corridor())
    assert found.log_agent == pytest.approx(agent, abs=1e-6)
    assert found.log_device == pytest.approx(device, abs=1e-6)
    assert found.probability() == pytest.approx(probability, abs=1e-6)
    assert found.bits == pytest.approx(bits, abs=1e-3)
    assert found.goals.sum() == pytest.approx(1)


def test_the_goal_is_named() -> None:
    found = IntentionalStance(surrogates=0).estimate(
        *walk(2, "RRRRSSSS"), corridor(), generator=np.random.default_rng(0)
    )
    assert found.diagnostics["goal"] == 6
    again = STANCE.evidence(*walk(2, "RRRRSSSS"), corridor(), goals=(2, 6))
    assert again.log_agent == pytest.approx(np.log(0.9**8 / 2), abs=1e-4)
    few = IntentionalStance(surrogates=0).estimate(
        *walk(2, "RRRRSSSS"), corridor(), (2, 6), generator=np.random.default_rng(0)
    )
    assert (few.value, few.diagnostics["goal"]) == (again.bits, 6)


def test_goal_seekers_go_straight_and_split_ties() -> None:
    policies = STANCE.seekers(corridor())
    assert policies[6, 2] == pytest.approx([0.05, 0.05, 0.9])
    assert policies[6, 8] == pytest.approx([0.9, 0.05, 0.05])

    assert policies.sum(-1) == pytest.approx(1)


def test_an_unreachable_goal_asks_for_nothing() -> None:
    moves = np.zeros((2, 2, 2))
    moves[:, :, 0] = 1.0
    world = World(moves, np.zeros((2, 2)), np.array([0.5, 0.5]), np.zeros(2, dtype=bool))
    assert STANCE.seekers(world, named=(1,))[0] == pytest.approx(0.5)


# Devices


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_krichevsky_trofimov_is_the_product_of_its_predictions(symbols: list[int]) -> None:
    """(c + 1/2) / (n + k/2) for every next symbol."""
    counts, expected = np.zeros(3), 0.0
    for symbol in symbols:
        expected += np.log((counts[symbol] + 0.5) / (counts.sum() + 1.5))
        counts[symbol] += 1
    assert krichevsky_trofimov(counts) == pytest.approx(expected)


def tree(steps: list[tuple[tuple[int, ...], int]], depth: int, size: int) -> float:
    """Context-tree weighting by its definition: (own + product of the children) / 2, own at full depth."""
    own = float(krichevsky_trofimov(np.bincount([symbol for _, symbol in steps], minlength=size)))
    if depth == len(steps[0][0]):
        return own
    branches = {context[depth] for context, _ in steps}
    split = sum(tree([step for step in steps if step[0][depth] == each], depth + 1, size) for each in branches)
    return float(np.logaddexp(own, split) - np.log(2))


@given(st.integers(0, 4), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_context_trees_meet_their_definition(memory: int, seed: int) -> None:
    source = np.random.default_rng(seed)
    states = [source.integers(3, size=n) for n in (7, 1, 12)]
    actions = [source.integers(3, size=n) for n in (7, 1, 12)]
    steps = []
    for place, choice in zip(states, actions, strict=True):
        for t in range(len(place)):
            past = [int(each) for pair in zip(choice[:t], place[1 : t + 1], strict=True) for each in pair][::-1]
            seen = [int(place[0]) if t == 0 else past[0], *past[1:], *([int(place[0])] if t else [])]
            steps.append((tuple((*seen, -1, -1, -1, -1)[:memory]), int(choice[t])))
    found = ContextTree(memory).log_probability(Steps.of(states, actions, corridor()), 3)
    assert found == pytest.approx(tree(steps, 0, 3))


def test_devices_are_a_distribution() -> None:
    """All action sequences together have probability 1, whatever states they lead through."""
    logs = []
    for actions in product(range(3), repeat=4):
        states, chosen = walk(3, "".join("LSR"[a] for a in actions))
        logs.append(ContextTree(3).log_probability(Steps.of(states, chosen, corridor()), 3))
    assert logsumexp(logs) == pytest.approx(0, abs=1e-12)


def test_a_device_that_sees_the_state_learns_any_table() -> None:
    states, actions = journeys(6, [*range(CELLS)] * 20)
    world = corridor()
    blind, seeing = (
        IntentionalStance(memory=memory).evidence(states, actions, world).bits / len(states) for memory in (0, 1)
    )
    assert blind > 5
    assert seeing < 0.5


def test_wanderers_follow_the_policy_and_the_world() -> None:
    world = corridor(slip=0.25)
    steps = Steps.of([[4] * 50] * 40, [[0] * 50] * 40, world)
    policy = np.tile([0.2, 0.3, 0.5], (CELLS, 1))
    samples = wander(world, policy, steps, times=5, generator=np.random.default_rng(0))
    actions = np.concatenate([each.actions for each in samples])
    shares = np.bincount(actions, minlength=3) / len(actions)
    assert len(actions) == 5 * 2000
    assert shares == pytest.approx([0.2, 0.3, 0.5], abs=4 * 0.005)
    inner = samples[0]
    moved = np.diff(inner.states)[inner.times[1:] > 0]
    asked = (inner.actions[:-1] - 1)[inner.times[1:] > 0]
    assert set(moved) <= {-1, 0, 1}
    free = (asked == 1) & (inner.states[:-1][inner.times[1:] > 0] < CELLS - 1)
    assert np.mean(moved[free] == 0) == pytest.approx(0.25, abs=4 * 0.43 / np.sqrt(free.sum()))
    assert np.all((moved == asked) | (moved == 0))


# Verdicts


def called_agent(found: Any) -> bool:
    return bool(found.value > 0 and found.null.p_value < 0.05)


def test_a_goal_seeker_is_called_an_agent() -> None:
    generator = np.random.default_rng(0)
    found = IntentionalStance(surrogates=50).estimate(*journeys(6, range(CELLS)), corridor(), generator=generator)
    assert called_agent(found)
    assert found.interval is not None
    assert 0 < found.interval.low < found.value < found.interval.high
    assert found.diagnostics["goal"] == 6
    assert found.diagnostics["probability"] > 0.999


@pytest.mark.parametrize("episodes", [1, 2, 5, 30])
@pytest.mark.parametrize("steps", [2, 8, 30])
@pytest.mark.parametrize("action", [0, 1, 2])
def test_a_constant_agent_is_never_called_an_agent(action: int, steps: int, episodes: int) -> None:
    generator = np.random.default_rng(steps)
    walks = [walk(int(start), "LSR"[action] * steps) for start in generator.integers(CELLS, size=episodes)]
    for slip in (0.0, 0.2):
        found = IntentionalStance(surrogates=25).estimate(
            [w[0] for w in walks], [w[1] for w in walks], corridor(slip), generator=generator
        )
        assert not called_agent(found)


def test_a_random_agent_is_hardly_ever_called_an_agent() -> None:
    world, generator = corridor(), np.random.default_rng(1)
    uniform = np.full((CELLS, 3), 1 / 3)
    called = 0
    for _ in range(25):
        starts = generator.integers(CELLS, size=4)
        steps = Steps.of([[start] * 6 for start in starts], [[0] * 6] * 4, world)
        taken = wander(world, uniform, steps, times=1, generator=generator)[0]
        found = IntentionalStance(surrogates=40).estimate(
            list(taken.states.reshape(4, 6)), list(taken.actions.reshape(4, 6)), world, generator=generator
        )
        called += called_agent(found)
    assert called == 0


def test_the_metric_favors_a_device_where_a_coin_is_tossed() -> None:
    found = measure(IntentionalStance(surrogates=50), subject())
    assert found.value < 0
    assert not found.outside_null
    assert found.unit == "bits"
    assert "one state" in found.frame.boundary


# Traps


def test_too_little_data_says_so() -> None:
    found = IntentionalStance(surrogates=5).estimate(*walk(2, "RRSS"), corridor(), generator=np.random.default_rng(0))
    assert found.interval is None
    assert any("record at least 2" in each for each in found.warnings)
    assert any("vary the first state" in each for each in found.warnings)


def test_the_same_seed_gives_the_same_estimate() -> None:
    stance, case = IntentionalStance(surrogates=10), (*journeys(6, range(CELLS)), corridor(0.1))
    first, again = (stance.estimate(*case, generator=np.random.default_rng(5)) for _ in range(2))
    assert first == again


def test_what_the_world_lacks_is_refused() -> None:
    world = corridor()
    with pytest.raises(UserError, match="states"):
        STANCE.evidence([9], [0], world)
    with pytest.raises(UserError, match="actions"):
        STANCE.evidence([[0]], [[3]], world)
    with pytest.raises(UserError, match="as many states"):
        STANCE.evidence([[0, 1, 2]], [[1]], world)
    nothing: list[list[list[int]]] = [[], [[]]]
    for empty in nothing:
        with pytest.raises(UserError, match="at least one decision"):
            STANCE.evidence(empty, empty, world)
    with pytest.raises(UserError, match="goals are states"):
        STANCE.evidence([0], [0], world, goals=(9,))
    wrongs: list[dict[str, Any]] = [{"lapse": 0}, {"memory": -1}, {"discount": 1}]
    for wrong in wrongs:
        with pytest.raises(UserError):
            IntentionalStance(**wrong)


def test_states_may_say_where_an_episode_stopped() -> None:
    states, actions = walk(2, "RRRRSSSS")
    world = corridor()
    assert STANCE.evidence([[*states, 6]], [actions], world).bits == STANCE.evidence(states, actions, world).bits


class Lake(gymnasium.Env[Any, Any]):
    """A stand-in whose observations do not tell the state."""

    observation_space, action_space = Discrete(1), Discrete(2)


def test_a_world_that_is_not_known_is_refused() -> None:

    with pytest.raises(UserError, match="truth of Lake is not known"):
        measure(IntentionalStance(), Subject(record=subject().record, environment=Lake))
