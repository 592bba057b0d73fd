"""What every environment here checks at its door: numbers, actions and render modes.

Each function returns the value it was given or raises one ValueError sentence: expected, got, what to do.
"""

from typing import Any

from gymnasium.spaces import Discrete


def checked_probability(name: str, value: float) -> float:
    """`value` if it is a number in [0, 1]."""
    if isinstance(value, (str, bool)) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be a probability between 0 and 1, got {value!r}: pass for example {name}=0.9.")
    return float(value)


def checked_steps(value: int) -> int:
    """`value` if it is a whole number of steps, at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"steps must be a whole number of at least 1, got {value!r}: pass for example steps=100.")
    return value


def checked_action(space: Any, action: Any) -> int:
    """`action` as an int, if it is one of the actions of the Discrete `space`."""
    if not isinstance(space, Discrete) or not space.contains(action):
        raise ValueError(f"action must be an element of {space}, got {action!r}: pass an integer of that range.")
    return int(action)


def checked_render_mode(mode: str | None, modes: list[str]) -> str | None:
    """`mode` if it is None or one of `modes`."""
    if mode is not None and mode not in modes:
        raise ValueError(f"render_mode must be one of {modes} or None, got {mode!r}: pass one of these.")
    return mode
