"""Leaves of spaces: the one look at values, and the codes of discrete factors, for few and for many rows."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from gymnasium import spaces

from agentic.environments.leaf import TABLE, Leaf, leaf_of

ROWS = (1, 3, 40, 70_000)
BOXES: dict[str, Callable[[], spaces.Box]] = {
    "bounded": lambda: spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([2.5, 3.0], np.float32)),
    "one side": lambda: spaces.Box(np.array([-np.inf, 0.0]), np.array([1.0, np.inf]), dtype=np.float64),
    "half": lambda: spaces.Box(-1, 1, (2,), np.float16),
    "greatest": lambda: spaces.Box(np.finfo(np.float32).min, np.float32(1), (2,), np.float32),
    "pixels": lambda: spaces.Box(0, 200, (1, 2), np.uint8),
    "huge": lambda: spaces.Box(0, 2**40, (2,), np.int64),
}


def _leaf(space: spaces.Space[object]) -> Leaf:
    leaf = leaf_of(space, ())
    assert leaf is not None
    return leaf


def _values(leaf: Leaf, rows: int) -> np.ndarray:
    return np.ones((rows, *leaf.shape), leaf.dtype)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", BOXES)
def test_what_fits_within_bounds_passes_the_look_and_nothing_else(name: str, rows: int) -> None:
    space = BOXES[name]()
    leaf = _leaf(space)
    ends = [space.low.flat[0], space.high.flat[0], space.low.flat[-1], space.high.flat[-1]]
    kind = np.finfo(leaf.dtype) if leaf.dtype.kind == "f" else np.iinfo(leaf.dtype)
    odd = [np.nan, np.inf, -np.inf] if leaf.dtype.kind == "f" else []
    with np.errstate(over="ignore"):
        near = [np.nextafter(end, leaf.dtype.type(way)) for end in ends for way in (-np.inf, np.inf) if odd]
    for value in [*ends, *odd, *near, kind.min, kind.max, 201 if not odd else 0.5]:
        for place in (0, -1):
            values = _values(leaf, rows)
            values.reshape(-1)[place] = value
            with np.errstate(invalid="ignore"):
                assert leaf.sound(values) is (leaf.fits(values) and leaf.within(values)), (value, place)


@pytest.mark.parametrize("rows", ROWS[:3])
@pytest.mark.parametrize(
    "space",
    [spaces.Discrete(3, start=-1), spaces.MultiDiscrete([3, 2]), spaces.MultiBinary(4), spaces.Discrete(TABLE + 1)],
)
def test_discrete_values_pass_it_within_their_range(space: spaces.Space[object], rows: int) -> None:
    leaf = _leaf(space)
    first, last = int(leaf.start[-1]), int((leaf.start + leaf.sizes)[-1]) - 1
    for value, good in ((first, True), (last, True), (first - 1, False), (last + 1, False)):
        values = _values(leaf, rows)
        values.reshape(-1)[-1] = value
        assert leaf.sound(values) is leaf.fits(values) is good, value


@pytest.mark.parametrize("rows", [0, *ROWS[:3]])
@pytest.mark.parametrize("space", [spaces.Box(-1, 1, (2,)), spaces.Discrete(3), spaces.Box(-np.inf, np.inf, (2,))])
def test_no_rows_are_sound(space: spaces.Space[object], rows: int) -> None:
    leaf = _leaf(space)
    assert leaf.sound(_values(leaf, rows))


@pytest.mark.parametrize("rows", ROWS[:3])
@pytest.mark.parametrize("size", [1, 2, TABLE, TABLE + 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_codes_of_one_factor_come_back(size: int, rows: int, dtype: torch.dtype) -> None:
    leaf = _leaf(spaces.Discrete(size, start=-5))
    values = np.random.default_rng(0).integers(-5, size - 5, rows)
    code = leaf.encode(values, dtype)
    assert code.dtype is dtype
    assert torch.equal(code, torch.nn.functional.one_hot(torch.from_numpy(values + 5), size).to(dtype))
    back = leaf.decode(code.numpy())
    assert back.dtype == np.int64
    np.testing.assert_array_equal(back, values)
    code += 1  # memory of its own
    assert torch.equal(leaf.encode(values, dtype) + 1, code)


@pytest.mark.parametrize("rows", ROWS[:3])
@pytest.mark.parametrize(
    "wrong", [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [np.nan, 1, 0], [1, 0, np.inf], [2, 0, 0], [-1, 1, 1]]
)
def test_what_is_not_one_hot_is_refused_in_any_row(wrong: list[float], rows: int) -> None:
    codes = np.eye(3, dtype=np.float32)[np.arange(rows) % 3]
    codes[-1] = wrong
    with pytest.raises(ValueError, match="is not one-hot"):
        _leaf(spaces.Discrete(3)).decode(codes)
