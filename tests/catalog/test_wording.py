"""What docstrings say of a class and of its parameters, in whatever style they are written."""

from dataclasses import dataclass

import pytest

from agentic_catalog.wording import about, summary


class Base:
    """Something with `speed`, in meters per second."""

    @property
    def tolerance(self) -> float:
        """The residual at which it stops."""
        return 0.0


class Quoted(Base):
    """A thing of `size` parts, e.g. three. More of it.

    The best `keep` (of them all; ties too) stay; `rate` is how fast. With `mass` > 0 it falls.
    """

    def __init__(self, size: int, keep: int, rate: float, mass: float, scale: float, speed: float) -> None: ...

    @classmethod
    def of(cls, scale: float) -> None:
        """A thing of the right `scale`."""

    def move(self, size: int) -> None:
        """Move by `size`, which is another."""


class Google:
    """A thing.

    Args:
        size: how many
            there are.
        rate (float): how fast.
    """


class Numpy:
    """A thing.

    Parameters
    ----------
    size : int
        How many.
    rate : float
        How fast.
    """


class Sphinx:
    """A thing.

    :param size: How many.
    :param float rate: How fast.
    """


@dataclass
class Bare:
    x: int = 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("size", "A thing of `size` parts, e.g. three."),
        ("keep", "The best `keep` (of them all; ties too) stay"),
        ("rate", "`rate` is how fast."),
        ("mass", "With `mass` > 0 it falls."),
        ("scale", "A thing of the right `scale`."),
        ("speed", "Something with `speed`, in meters per second."),
        ("tolerance", "The residual at which it stops."),
        ("parts", "A thing of `size` parts, e.g. three."),
        ("lost", ""),
        ("x", ""),
    ],
)
def test_what_is_said_of_a_parameter(name: str, said: str) -> None:
    assert about(Quoted, name) == said


@pytest.mark.parametrize("style", [Google, Numpy, Sphinx])
def test_lists_of_parameters(style: type) -> None:
    assert about(style, "size").lower() in ("how many.", "how many there are.")
    assert about(style, "rate").lower() == "how fast."


def test_the_first_sentence() -> None:
    assert summary(Quoted) == "A thing of `size` parts, e.g. three."
    assert summary(Bare) == ""
