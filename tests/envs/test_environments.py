"""What every environment here must do: meet Gymnasium's contract, repeat itself, and be what it says it is."""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from agentic import make
from agentic.environments import Dependencies
from agentic.environments.pomdp import check_truth

NEAR: dict[str, Any] = {"chain": [[(0, 0), (0, 2)]], "goals": [(1, 0), (1, 2)]}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "tmaze": ("agentic/TMaze-v0", {"steps": 6, "validity": 0.8}),
    "tiger": ("agentic/Tiger-v0", {"steps": 20}),
    "gridworld": ("agentic/GridWorld-v0", {"slip": 0.3}),
    "certain": ("agentic/GridWorld-v0", {"layout": ["S.S", ".#G", "X.."], "goals": [(2, 2, 4.5)]}),
    "fog": ("agentic/GridWorld-v0", {"layout": (3, 4), "walls": [(1, 1)], "fog": True, "steps": 7}),
    "exit": ("agentic/GridWorld-v0", {"layout": ["S.G", ".#."], "slip": 0.2, "exit": True, "steps": 12}),
    "cliffworld": ("agentic/CliffWorld-v0", {"rows": 3, "columns": 5, "width": 2}),
    "room": ("agentic/Room-v0", {"levels": 4, "setpoint": 2.0, "noise": 0.3}),
    "rest": ("agentic/Room-v0", {"levels": 5, "rest": True, "steps": 9}),
    "two places": ("agentic/Pomdp-v0", {"steps": 12}),
    "cues": ("agentic/CueChain-v0", {"shape": (2, 3), "start": (0, 1), "cue": (1, 1), **NEAR, "validity": 0.8}),
    "endless cues": ("agentic/CueChain-v0", {"shape": (2, 3), "cue": (1, 1), **NEAR, "ends": False, "steps": 9}),
    "bandit": ("agentic/Bandit-v0", {"contexts": 2, "drift": 0.1, "steps": 20}),
    "fog grid": ("agentic/FogGrid-v0", {"slip": 0.2, "steps": 15}),
    "walked": ("agentic/AdjacentTMaze-v0", {"certainty": 0.7, "steps": 6}),
}
STATES: dict[str, Callable[[Any], tuple[int, ...]]] = {
    "TMaze": lambda env: (env.location, env.side),
    "Tiger": lambda env: (env.tiger, int(env.listening)),
    "GridWorld": lambda env: (env.cell,),
    "CliffWorld": lambda env: (env.cell,),
    "Room": lambda env: (env.temperature,),
    "FogGrid": lambda env: (env.cell,),
    **{name: lambda env: env.state for name in ("Pomdp", "CueChain", "Bandit", "AdjacentTMaze")},
}


@pytest.fixture(params=list(CASES))
def made(request: pytest.FixtureRequest) -> Any:
    identifier, arguments = CASES[request.param]
    return gymnasium.make(identifier, **arguments)


@pytest.fixture
def env(made: Any) -> Any:
    return made.unwrapped


def test_gymnasium_finds_nothing_to_complain_about(env: Any) -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        check_env(env)
    assert [str(complaint.message) for complaint in complaints] == []


def trajectory(env: Any, length: int = 60, seed: int | None = 3) -> list[Any]:
    choose = np.random.default_rng(0)
    seen = [env.reset(seed=seed)]
    for _ in range(length):
        step = env.step(int(choose.integers(env.action_space.n)))
        seen.append(step)
        if step[2] or step[3]:
            seen.append(env.reset())
    return [repr(item) for item in seen]


def test_the_same_seed_gives_the_same_trajectory(env: Any) -> None:
    assert trajectory(env) == trajectory(env)


@pytest.mark.parametrize("name", ["tmaze", "tiger", "gridworld", "fog"])
def test_a_reset_without_a_seed_continues_the_stream(name: str) -> None:
    identifier, arguments = CASES[name]
    first, second = (gymnasium.make(identifier, **arguments).unwrapped for _ in range(2))
    beginning = trajectory(first)
    rest = trajectory(first, seed=None)
    assert trajectory(second) == beginning
    assert trajectory(second, seed=None) == rest
    assert rest != beginning


def test_a_vector_of_environments_equals_single_ones(env: Any) -> None:
    many: Any = gymnasium.make_vec(env.spec, num_envs=2, vectorization_mode="sync")
    together, _ = many.reset(seed=[5, 6])
    apart = [env.reset(seed=seed)[0] for seed in (5, 6)]
    assert np.array_equal(together, apart)


def test_the_last_step_is_truncated_by_the_environment_itself(env: Any) -> None:
    env.reset(seed=0)
    flags: list[tuple[bool, bool]] = []
    while not flags or not any(flags[-1]):
        flags.append(env.step(0)[2:4])
    assert len(flags) == env.steps or flags[-1] == (True, False)
    assert flags[-1] in [(True, False), (False, True)]


def test_the_truth_is_float64_and_sums_to_one(env: Any) -> None:
    truth = check_truth(env.true_model())
    for array in [*truth["A"], *truth["B"], *truth["D"], truth["rewards"], truth["ends"]]:
        assert array.dtype == np.float64
    for array in [*truth["A"], *truth["B"], *truth["D"]]:
        np.testing.assert_allclose(array.sum(axis=0), 1.0, atol=1e-12)
    assert truth["rewards"].shape[-1] == env.action_space.n


def assert_frequencies(counts: Any, expected: Any) -> None:
    """Counts (outcomes, ...) agree with probabilities of the same shape within 4 standard errors, column by column."""
    totals = counts.sum(axis=0)
    visited = np.broadcast_to(totals > 0, counts.shape)
    share = counts / np.maximum(totals, 1)
    error = np.sqrt(expected * (1 - expected) / np.maximum(totals, 1))
    assert visited.any()
    assert (np.abs(share - expected)[visited] <= 4 * error[visited] + 1e-12).all()


def test_the_simulation_agrees_with_the_truth(env: Any) -> None:
    truth, state_of = env.true_model(), STATES[type(env).__name__]
    form = Dependencies.read(truth["A"], truth["B"], truth["D"], truth.get("dependencies", {}))
    sensed = [np.zeros_like(array) for array in truth["A"]]
    moved = [np.zeros_like(array) for array in truth["B"]]
    began = [np.zeros_like(array) for array in truth["D"]]
    paid: dict[tuple[int, ...], list[float]] = {}
    choose = np.random.default_rng(1)

    def count_sensed(observation: Any) -> None:
        for modality, level in enumerate(np.atleast_1d(observation)):
            sensed[modality][(level, *(state_of(env)[f] for f in form.A[modality]))] += 1

    observation, _ = env.reset(seed=11)
    done = True
    for _ in range(20_000):
        if done:
            observation, _ = env.reset()
            for factor, value in enumerate(state_of(env)):
                began[factor][value] += 1
            count_sensed(observation)
        before, action = state_of(env), int(choose.integers(env.action_space.n))
        observation, reward, terminated, truncated, _ = env.step(action)
        for factor, value in enumerate(state_of(env)):
            moved[factor][(value, *(before[f] for f in form.B[factor]), *[action] * len(form.B_actions[factor]))] += 1
        count_sensed(observation)
        paid.setdefault((*before, action), []).append(reward)
        assert terminated == bool(truth["ends"][state_of(env)])
        done = terminated or truncated
    for counted, expected in zip([*sensed, *moved, *began], [*truth["A"], *truth["B"], *truth["D"]], strict=True):
        assert_frequencies(counted, expected)
    for key, rewards in paid.items():
        assert abs(np.mean(rewards) - truth["rewards"][key]) <= 4 * np.std(rewards) / np.sqrt(len(rewards)) + 1e-12


def test_a_made_environment_tells_its_truth_through_gymnasiums_wrappers(made: Any) -> None:
    env = made.unwrapped
    assert made is not env
    np.testing.assert_array_equal(make(made).factored_truth()["rewards"], env.true_model()["rewards"])


def test_pictures_are_bytes_and_texts_are_text(env: Any) -> None:
    picture = gymnasium.make(env.spec, render_mode="rgb_array")
    text = gymnasium.make(env.spec, render_mode="ansi")
    picture.reset(seed=0)
    text.reset(seed=0)
    image: Any = picture.render()
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert isinstance(text.render(), str)


def test_rendering_without_a_mode_warns(env: Any) -> None:
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert env.render() is None


def test_an_unknown_render_mode_is_refused(env: Any) -> None:
    with pytest.raises(ValueError, match=r"render_mode must be one of \['rgb_array', 'ansi'\] or None, got 'human'"):
        type(env)(render_mode="human")


@pytest.mark.parametrize("action", [-1, 99, 0.5, "north"])
def test_an_action_outside_the_space_is_refused(env: Any, action: Any) -> None:
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action must be an element of Discrete"):
        env.step(action)


@pytest.mark.parametrize("steps", [0, 2.5, True])
def test_a_number_of_steps_that_is_none_is_refused(env: Any, steps: Any) -> None:
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1"):
        type(env)(steps=steps)
