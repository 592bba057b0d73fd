"""Quadratures: points and weights that stand for a standard normal, expectations without chance."""

from abc import ABC, abstractmethod

from torch import Tensor


class Quadrature(ABC):
    """A fixed set of points in place of draws from N(0, 1), the same at every call."""

    @abstractmethod
    def points(self, size: int) -> tuple[Tensor, Tensor]:
        """Points (k, size) and weights (k,) that sum to 1, float64."""
