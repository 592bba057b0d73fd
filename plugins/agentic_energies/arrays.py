"""Checks of a model's arrays, with messages that name array, axis, index and sum; and vectors side by side."""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agentic import UserError

CLOSE = 1e-6  # probabilities that miss what they should be by less are rounded


def tensors(name: str, arrays: Any, dimensions: int | None = None) -> list[Tensor]:
    """A sequence of float64 tensors from a sequence of nested lists or arrays.

    Raises UserError for anything that is not a sequence of numeric arrays (one array alone is a usual mistake).
    """
    if isinstance(arrays, np.ndarray | Tensor) or not isinstance(arrays, Sequence):
        raise UserError(f"{name} expects a list of arrays, one per modality or factor, got {type(arrays).__name__}")
    read = []
    for i, array in enumerate(arrays):
        tensor = numbers(f"{name}[{i}]", array)
        if dimensions is not None and tensor.dim() != dimensions:
            raise UserError(f"{name}[{i}] expects {dimensions} axes, got shape {tuple(tensor.shape)}")
        read.append(tensor)
    return read


def numbers(name: str, array: Any) -> Tensor:
    """A new float64 tensor. Raises UserError for what is not a rectangular array of real numbers, all of them given."""
    try:
        given = np.asarray(array.detach().double() if isinstance(array, Tensor) else array)
        if given.dtype.kind not in "fiub" or np.ma.is_masked(array):
            raise TypeError(
                f"some of {given.dtype} is masked" if np.ma.is_masked(array) else f"{given.dtype} is not real"
            )
        return torch.from_numpy(np.array(given, np.float64, order="C"))
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} expects a rectangular array of numbers ({error})") from None


def side_by_side(*parts: Tensor) -> Tensor:
    """Vectors (*s, b, n_i) in one, (*s, b, n_1 + n_2 + ...), with sample axes that broadcast."""
    rows = np.broadcast_shapes(*[part.shape[:-1] for part in parts])
    return torch.cat([part.expand(*rows, -1) for part in parts], -1)


def logarithm(chances: Tensor) -> Tensor:
    """The logarithm of probabilities; that of zero has no slope, where torch's is not a number."""
    there = chances > 0
    return torch.where(there, torch.where(there, chances, 1.0).log(), -inf)


def surprise(chances: Tensor) -> Tensor:
    """-p ln p of probabilities in nats, which has no slope at zero."""
    nats: Tensor = torch.special.entr(torch.where(chances == 0, 1.0, chances))
    return nats


def check_finite(name: str, array: Tensor) -> Tensor:
    """The array itself. Raises UserError, with the first index, where it holds what is not a finite number."""
    wrong = ~torch.isfinite(array)
    if bool(wrong.any()):
        index = tuple(int(i) for i in torch.nonzero(wrong)[0])
        raise UserError(f"{name}{list(index) or ''} is {float(array[index])}: finite numbers are expected")
    return array


def finite(name: str, value: float) -> float:
    """The number itself. Raises UserError where it is not finite."""
    if not isfinite(value):
        raise UserError(f"{name} expects a finite number, got {value}")
    return float(value)


def check_columns(name: str, array: Tensor) -> None:
    """Check that axis 0 is a probability distribution for every index of the other axes; raises UserError otherwise."""
    if not bool(torch.isfinite(array).all()) or bool((array < 0).any()):
        index = tuple(int(i) for i in torch.nonzero(~torch.isfinite(array) | (array < 0))[0])
        raise UserError(f"{name}{list(index)} is {float(array[index])}: probabilities must be finite and >= 0")
    sums = array.sum(0)
    wrong = (sums - 1).abs() > CLOSE
    if bool(wrong.any()):
        index = tuple(int(i) for i in torch.nonzero(wrong)[0]) if sums.dim() else ()
        column = f"{name}[:, {', '.join(map(str, index))}]" if index else name
        raise UserError(
            f"{column} sums to {float(sums[index]):.6g} along axis 0, expected 1: "
            "divide each column by its sum (rows are outcomes, columns are conditions)"
        )


def check_shape(name: str, array: Tensor, expected: tuple[int, ...], meaning: str) -> None:
    """Check the shape of an array, where -1 stands for any size; raises UserError otherwise."""
    fits = array.dim() == len(expected) and all(e in (-1, s) for s, e in zip(array.shape, expected, strict=True))
    if not fits:
        wanted = ", ".join("any" if e == -1 else str(e) for e in expected)
        raise UserError(f"{name} expects shape ({wanted}) = {meaning}, got {tuple(array.shape)}")
