"""Learning in hindsight: expected counts by enumeration of all hidden paths, and what hindsight is worth."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Decision, EnergyAgent, Evidence, Purpose, Tick, UserError, make, minimize, ticks
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.goals import LogPreferences
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.episode_learner import EpisodeLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.smoothing import smooth

F64 = torch.float64


def episode(
    model: CategoricalModel | FactoredModel,
    seen: np.ndarray,
    taken: np.ndarray,
    ended: str = "truncated",
    number: int = 0,
) -> list[Tick]:
    """Ticks of rows (T + 1, b, modalities) seen and (T, b, controls) taken, which all end at the last."""
    steps, rows = taken.shape[:2]
    obs = [model.outcome.one_hot(torch.from_numpy(each)) for each in seen]
    actions = [model.action.one_hot(torch.from_numpy(each)) for each in taken]
    found = []
    for t in range(steps):
        flags: Any = {name: np.full(rows, name == ended and t == steps - 1) for name in ("terminated", "truncated")}
        found.append(
            Tick(
                obs=obs[t], action=actions[t], next_obs=obs[t + 1], reward=np.arange(rows) + 1.0 * t, **flags,
                valid=np.ones(rows, bool), episode=np.full(rows, number), t=np.full(rows, t),
                decision=Decision(actions[t]), native=Native(None, None, None),
            )
        )  # fmt: skip
    return found


def enumerated(model: CategoricalModel, seen: list[int], taken: list[int]) -> tuple[Tensor, Tensor]:
    """The beliefs and pairs of states given all that was seen, from the chance of every hidden path."""
    A, B, D = model.likelihood().numpy(), model.dynamics().numpy(), model.begin(1).mean[0].numpy()
    states, length = len(D), len(seen)
    beliefs, pairs = np.zeros((length, states)), np.zeros((length - 1, states, states))
    for path in product(range(states), repeat=length):
        chance = D[path[0]] * np.prod([A[o, z] for o, z in zip(seen, path, strict=True)])
        chance *= np.prod([B[path[t + 1], path[t], u] for t, u in enumerate(taken)])
        beliefs[range(length), path] += chance
        pairs[range(length - 1), path[:-1], path[1:]] += chance
    return torch.from_numpy(beliefs / beliefs[0].sum()), torch.from_numpy(pairs / beliefs[0].sum())


@pytest.mark.parametrize("pairs", ["joint", "outer"])
@pytest.mark.parametrize("ended", ["terminated", "truncated"])
def test_expected_counts_are_those_of_all_hidden_paths(pairs: str, ended: str) -> None:
    draws = np.random.default_rng(1)
    A, B, D = draws.uniform(0.2, 2, (3, 3)), draws.uniform(0.2, 2, (3, 3, 2)), draws.uniform(0.2, 2, 3)
    start: dict[str, Any] = {"A": [A], "B": [B], "D": [D], "E": [1.0, 1.0], "ends": np.ones((2, 3))}
    model = CategoricalModel(counts=start, learn={"B": {"pairs": pairs}, "rewards": {}})
    learner, former = EpisodeLearner(model), CategoricalModel(counts=start)
    seen, taken = draws.integers(0, 3, (5, 2, 1)), draws.integers(0, 2, (4, 2, 1))
    reports = [dict(learner.update(tick)) for tick in episode(model, seen, taken, ended)]
    assert [len(report) for report in reports] == [0, 0, 0, 1]
    a, b, d, ends, paid = (
        torch.from_numpy(np.array(each)).clone() for each in (A, B, D, np.ones((2, 3)), np.zeros((2, 3, 2)))
    )
    for row in range(2):
        beliefs, joint = enumerated(former, seen[:, row, 0].tolist(), taken[:, row, 0].tolist())
        d += beliefs[0]
        for t, o in enumerate(seen[:, row, 0]):
            a[o] += beliefs[t]
        for t, u in enumerate(taken[:, row, 0]):
            b[:, :, u] += joint[t].T if pairs == "joint" else beliefs[t + 1][:, None] * beliefs[t]
            ends[int(ended == "terminated" and t == 3)] += beliefs[t + 1]
            paid[0, :, u] += beliefs[t]
            paid[1, :, u] += beliefs[t] * (row + t)
    for name, expected in (("A", a), ("B", b.flatten(1)), ("D", d[:, None]), ("ends", ends)):
        assert_close(model.learned.counts(name)[0].alpha(), expected, rtol=0, atol=1e-12)
    assert model.learned.rewards is not None
    assert_close(model.learned.rewards.weight, paid[0], rtol=0, atol=1e-12)
    assert_close(model.learned.rewards.paid, paid[1], rtol=0, atol=1e-12)
    assert float(model.learned.counts("E")[0].alpha().sum()) == 2 + 8
    assert model.version == 2  # once for each row
    assert learner.update(episode(model, seen, taken, ended)[0]) == {}


@pytest.mark.parametrize("pairs", ["joint", "outer"])
def test_factors_apart_are_taught_as_the_joint_state(pairs: str) -> None:
    draws = np.random.default_rng(2)
    shapes: dict[str, list[tuple[int, ...]]] = {"A": [(3, 2), (2, 3)], "B": [(2, 2, 2), (3, 3, 3)], "D": [(2,), (3,)]}
    start: dict[str, Any] = {name: [draws.uniform(0.2, 2, shape) for shape in each] for name, each in shapes.items()}
    parts: dict[str, Any] = {"counts": {**start, "E": np.ones(6)}, "learn": {"B": {"pairs": pairs}},
                             "dependencies": {"A": [[0], [1]], "B_actions": [[0], [1]]}}  # fmt: skip
    models = FactoredModel(**parts), CategoricalModel(**parts)
    seen, taken = draws.integers(0, [3, 2], (5, 2, 2)), draws.integers(0, [2, 3], (4, 2, 2))
    for model in models:
        learner = EpisodeLearner(model)
        for tick in episode(model, seen, taken):
            learner.update(tick)
    for name in ("A", "B", "D", "E"):
        for own, joint in zip(*(model.learned.counts(name) for model in models), strict=True):
            assert_close(own.alpha(), joint.alpha(), rtol=0, atol=1e-10)


def test_a_factor_moved_by_others_counts_its_pair_and_their_beliefs() -> None:
    draws = np.random.default_rng(3)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "A": [(3, 2), (2, 3)],
        "B": [(2, 2, 2), (3, 3, 2, 2)],
        "D": [(2,), (3,)],
    }
    start: dict[str, Any] = {name: [draws.uniform(0.2, 2, shape) for shape in each] for name, each in shapes.items()}
    model = FactoredModel(counts=start, dependencies={"A": [[0], [1]], "B": [[0], [1, 0]]})
    seen, taken = draws.integers(0, [3, 2], (3, 1, 2)), draws.integers(0, 2, (2, 1, 1))
    own = episode(model, seen, taken)
    known = smooth(model, torch.stack([*[tick.obs for tick in own], own[-1].next_obs]),
                   torch.stack([tick.action for tick in own]))  # fmt: skip
    expected = torch.from_numpy(start["B"][1]).clone()
    for t, u in enumerate(taken[:, 0, 0]):
        pair, first = known.pairs[t, 0, 2:, 2:], known.beliefs[t, 0, :2]
        expected[..., u] += pair.T[:, :, None] * first
    learner = EpisodeLearner(model)
    for tick in own:
        learner.update(tick)
    assert_close(model.learned.counts("B")[1].alpha(), expected.flatten(1), rtol=0, atol=1e-12)


def test_rows_end_by_themselves_and_dummy_steps_are_left_out() -> None:
    model = CategoricalModel(counts={"A": [np.ones((2, 2))]}, B=[np.full((2, 2, 2), 0.5)], D=[[0.5, 0.5]])
    learner, zeros = EpisodeLearner(model), np.zeros((3, 2, 1), int)
    first, second = episode(model, zeros, zeros[:2])
    second.truncated = np.array([True, False])
    assert learner.update(first) == {}
    assert learner.update(second) != {}
    assert float(model.learned.counts("A")[0].alpha().sum()) == pytest.approx(4 + 3)
    dummy, third = episode(model, zeros, zeros[:2])
    dummy.valid, third.t = np.array([False, False]), np.array([0, 2])  # the second row is in its first episode still
    learner.update(dummy)
    learner.update(third)
    assert float(model.learned.counts("A")[0].alpha().sum()) == pytest.approx(4 + 3 + 2 + 4)
    learner.start(generator=torch.Generator())
    assert model.version == 3


def test_an_agent_learns_from_its_episodes() -> None:
    maze = make("agentic_envs:agentic/TMaze-v0")
    model = CategoricalModel.from_env(maze, learn={"A": {"strength": 5.0}})
    goal = LogPreferences([[0.0] * n for n in model.outcome.sizes])
    agent = EnergyAgent(model, Purpose(goal, 1), Exact(), Enumerate(), learner=EpisodeLearner(model))
    reports = [agent.learner.update(tick) for tick in ticks(agent, maze, steps=12) if agent.learner is not None]
    assert model.version == sum(bool(report) for report in reports) > 0
    with pytest.raises(UserError, match="EpisodeLearner needs a model that learns in hindsight, got LinearGaussian"):
        EpisodeLearner(LinearGaussian.example())


def taught_online(model: CategoricalModel, own: list[Tick]) -> None:
    learner, belief = ConjugateLearner(model), model.begin(len(own[0].obs))
    for tick in own:
        evidence = Evidence(model, tick.obs, belief)
        now = minimize(evidence, Exact(), evidence.start(None)).belief
        assert isinstance(now, Categorical)
        tick.decision.belief = now
        learner.update(tick)
        belief = model.predict(now, tick.action)


@pytest.mark.slow
def test_hindsight_learns_more_of_what_is_hidden() -> None:
    """Two hidden states that stay; what they look like is learned. Held-out evidence, 16 seeds, 20 episodes each."""
    gains = []
    for seed in range(16):
        draws = np.random.default_rng(seed)
        stay, look = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.8, 0.2], [0.2, 0.8]])
        world = CategoricalModel([look], [stay[:, :, None]], [[0.5, 0.5]])
        first = look + draws.uniform(0.0, 0.6, (2, 2)) + 0.4
        models = [CategoricalModel(B=[stay[:, :, None]], D=[[0.5, 0.5]], counts={"A": [first]}) for _ in range(2)]
        hindsight = EpisodeLearner(models[1])
        for number in range(20):
            seen = drawn(world, draws, 9, 1)
            own = episode(world, seen, np.zeros((8, 1, 1), int), number=number)
            for tick in own:
                hindsight.update(tick)
            taught_online(models[0], own)
        obs = [world.outcome.one_hot(torch.from_numpy(each)) for each in drawn(world, draws, 9, 500)]
        still = torch.ones(8, 500, 1, dtype=F64)
        costs = [float(smooth(model, torch.stack(obs), still).free_energies.sum(0).mean()) for model in models]
        gains.append(costs[0] - costs[1])  # nats for each episode of nine observations
    mean, error = np.mean(gains), np.std(gains, ddof=1) / len(gains) ** 0.5
    assert mean - 2.13 * error > 0


def drawn(world: CategoricalModel, draws: np.random.Generator, length: int, rows: int) -> np.ndarray:
    """What is seen of rows (length, rows, 1) that nobody acts on."""
    A, B, states = world.likelihood().numpy(), world.dynamics().numpy()[:, :, 0], draws.integers(0, 2, rows)
    seen = np.zeros((length, rows, 1), dtype=np.int64)
    for t in range(length):
        seen[t, :, 0] = draws.random(rows) < A[1, states]
        states = (draws.random(rows) < B[1, states]).astype(int)
    return seen
