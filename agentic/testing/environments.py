"""What is asked of environments: Gymnasium's own contract without a complaint, and chance from the seed alone."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.utils.env_checker import check_env
from torch import Tensor

from agentic.environments.environment import make as as_environment
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.truths import true_model_is_lived

LENGTH = 60  # steps of a trajectory
Env = gymnasium.Env[Any, Any]


def exercise(env: Env, source: torch.Generator) -> list[Tensor]:
    """A short walk."""
    seed = int(torch.randint(2**31, (1,), generator=source))
    return [torch.as_tensor([value for step in _walk(env, seed, 12) for value in step[1:3]], dtype=torch.float64)]


def walks(make: Make) -> None:
    """reset returns (observation, info) and step (observation, reward, terminated, truncated, info)."""
    env = make()
    try:
        spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
    except AttributeError as missing:
        raise AssertionError(f"{missing.name} must be a gymnasium.Space, got none: set it in __init__") from None
    for name, space in spaces.items():
        assert isinstance(space, gymnasium.Space), f"{name} must be a gymnasium.Space, got {space!r}"
    for name, answer, size in (("reset", env.reset(seed=0), 2), ("step", env.step(env.action_space.sample()), 5)):
        parts = "(observation, info)" if size == 2 else "(observation, reward, terminated, truncated, info)"
        assert isinstance(answer, tuple), f"{name} must return {parts}, got {type(answer).__name__}"
        assert len(answer) == size, f"{name} must return {parts}, got {len(answer)} things"
        assert isinstance(answer[-1], dict), f"info must be a dict, got {type(answer[-1]).__name__} from {name}"


def gymnasium_accepts_it(make: Make) -> None:
    """check_env raises nothing and warns of nothing."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        check_env(_own(make()).unwrapped, skip_render_check=True)
    said = [str(complaint.message) for complaint in complaints]
    assert not said, f"gymnasium's check_env says: {said[0]}"


def _own(env: Env) -> Env:
    if isinstance(env, gymnasium.Wrapper) and env.spec is not None and env.spec.additional_wrappers:
        raise NotApplicable("it changes a world that answers for itself")
    return env


def a_seed_decides_an_episode(make: Make) -> None:
    """Two resets with one seed, and the same few actions, give equal observations; told is where they differ first."""
    if said := ignores_seed(make()):
        raise AssertionError(said)


def ignores_seed(env: Env, seed: int = 3, steps: int = 3) -> str:
    """What differs between two resets of `env` with one seed and the same actions, one sentence; empty for nothing.

    Two resets and at most twice so many steps, for environments that are slow.
    """
    first, again = _walk(env, seed, steps, restarting=False), _walk(env, seed, steps, restarting=False)
    for step, (one, other) in enumerate(zip(first, again, strict=False)):
        when = f"after {step} equal actions" if step else "at once"
        parts = {**_leaves(one[0], "the observation"), "the reward": one[1], "terminated or truncated": one[2]}
        others = {**_leaves(other[0], "the observation"), "the reward": other[1], "terminated or truncated": other[2]}
        for name, part in parts.items():
            if not _same([part], [others.get(name)]):
                hint = "draw from self.np_random only, and reset everything"
                return f"two resets with seed {seed} differ in {name}, {when}: {hint}"
    return ""


def same_seed_same_trajectory(make: Make) -> None:
    """reset(seed=s) decides everything that follows, resets without a seed included."""
    env = make()
    first, again, other = _walk(env, 3), _walk(env, 3), _walk(make(), 3)
    assert _same(first, again), "two walks with one seed differ: draw from self.np_random only, and reset everything"
    assert _same(first, other), "a fresh environment with the same seed walks differently: it holds chance of its own"


def a_reset_continues_the_stream(make: Make) -> None:
    """reset() without a seed does not begin the random stream again."""
    env = make()
    states = []
    for seed in (5, None, None):
        env.reset(seed=seed)
        states.append(env.unwrapped.np_random.bit_generator.state)
    if states[0] == states[1]:
        raise NotApplicable("its resets draw nothing")
    assert states[1] != states[2], "every reset without a seed begins the same stream: do not seed in reset yourself"


def spaces_contain_what_is_seen(make: Make) -> None:
    """Every observation lies in the observation space, every reward is a finite number, the flags are bools."""
    env = make()
    for obs, reward, flags in _walk(env, 7):
        assert env.observation_space.contains(obs), f"the observation {obs!r} lies outside {env.observation_space}"
        assert np.isfinite(reward), f"the reward is {reward}"
        assert flags in (0, 1, 2, 3), "terminated and truncated must be bool"


def agents_can_live_in_it(make: Make) -> None:
    """Its spaces can be encoded as tensors and decoded again."""
    world = as_environment(make())
    native = world.reset([0])
    obs = world.encode(native)
    assert tuple(obs.shape) == (1, *world.observation.event), f"the encoded observation is {tuple(obs.shape)}"
    action = world.action.draw(1, generator=torch.Generator().manual_seed(0))
    world.step(world.decode(action))


def draws_pictures(make: Make) -> None:
    """render_mode="rgb_array" gives uint8 (height, width, 3) without a display."""
    modes = _own(make()).unwrapped.metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise NotApplicable("it does not offer rgb_array")
    env = _rendering(make)
    env.reset(seed=0)
    for _ in range(2):
        picture: Any = env.render()
        shape: tuple[int, ...] = getattr(picture, "shape", ())
        assert getattr(picture, "dtype", None) == np.uint8, f"a picture must be uint8, got {type(picture).__name__}"
        assert (len(shape), shape[-1:]) == (3, (3,)), f"a picture must be (height, width, 3), got {shape}"
        env.step(env.action_space.sample())
    env.close()


CHECKS: tuple[Run, ...] = (
    walks,
    gymnasium_accepts_it,
    a_seed_decides_an_episode,
    same_seed_same_trajectory,
    a_reset_continues_the_stream,
    spaces_contain_what_is_seen,
    agents_can_live_in_it,
    draws_pictures,
    true_model_is_lived,
)


def _walk(env: Env, seed: int, length: int = LENGTH, restarting: bool = True) -> list[tuple[Any, float, int]]:
    """Observation, reward and flags (terminated + 2 truncated) of every step, under random actions.

    It ends with the first episode unless it is `restarting`.
    """
    env.action_space.seed(seed)
    obs, _ = env.reset(seed=seed)
    seen = [(obs, 0.0, 0)]
    for _ in range(length):
        obs, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append((obs, float(reward), _flag(terminated) + 2 * _flag(truncated)))
        if terminated or truncated:
            if not restarting:
                break
            obs, _ = env.reset()
            seen.append((obs, 0.0, 0))
    return seen


def _flag(value: Any) -> int:
    return int(value) if isinstance(value, bool | np.bool_) else 9


def _leaves(value: Any, name: str) -> dict[str, Any]:
    """The arrays in an observation, by how a sentence names them."""
    if not isinstance(value, Mapping | tuple):
        return {name: value}
    inner = value.items() if isinstance(value, Mapping) else enumerate(value)
    return {place: leaf for key, part in inner for place, leaf in _leaves(part, f"{name}[{key!r}]").items()}


def _same(first: list[Any], second: list[Any]) -> bool:
    with np.printoptions(threshold=np.inf, floatmode="unique"):  # type: ignore[arg-type]
        return repr(first) == repr(second)


def _rendering(make: Callable[[], Any]) -> Env:
    kind = type(make().unwrapped)
    if "render_mode" not in inspect.signature(kind).parameters:
        raise NotApplicable(f"{kind.__name__} takes no render_mode")
    try:
        env: Env = kind(render_mode="rgb_array")
    except TypeError as error:
        raise NotApplicable(f"{kind.__name__} needs more arguments to be drawn: {error}") from error
    return env
