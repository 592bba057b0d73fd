"""Numbers that are none are refused where they come in: every array and every parameter of every energy and model."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import torch

from agentic import Real, UserError
from agentic_energies.anti_collapse import Variance
from agentic_energies.categorical import CategoricalModel
from agentic_energies.emission import GaussianEmission
from agentic_energies.ensemble import Ensemble
from agentic_energies.gains import Disagreement
from agentic_energies.gaussian import GaussianEnergy
from agentic_energies.goals import LogPreferences, PredictedReward, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.landscapes import Banana, DoubleWell
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.network import Network
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_energies.predictive_coding import PredictiveCoding
from agentic_energies.regression import Regression
from agentic_energies.reward import Reward
from agentic_energies.table import Table
from agentic_energies.weight_prior import WeightPrior

EYE = np.eye(2)
MOVES = np.stack([EYE, EYE[::-1]], -1)


def tables(**changed: Any) -> CategoricalModel:
    return CategoricalModel(**{"A": [EYE], "B": [MOVES], "D": [[0.5, 0.5]], **changed})


def system(**changed: Any) -> LinearGaussian:
    return LinearGaussian(**{"A": EYE, "B": EYE, "Q": EYE, "R": EYE, **changed})


def with_one(array: Any, value: float) -> Any:
    changed = np.array(array, np.float64)
    changed.flat[0] = value
    return changed


def in_matrix(name: str) -> Callable[[float], object]:
    return lambda x: system(**{name: with_one(EYE, x)})


def in_vector(name: str) -> Callable[[float], object]:
    return lambda x: system(**{name: [x, 0.0]})


def network() -> Network:
    return Network([2, 3, 2], generator=torch.Generator().manual_seed(0))


TAKES: dict[str, Callable[[float], object]] = {
    "categorical A": lambda x: tables(A=[with_one(EYE, x)]),
    "categorical B": lambda x: tables(B=[with_one(MOVES, x)]),
    "categorical D": lambda x: tables(D=[[x, 0.5]]),
    "categorical E": lambda x: tables(E=[x, 0.5]),
    "categorical ends": lambda x: tables(ends=[x, 0.0]),
    "categorical counts": lambda x: tables(A=None, counts=[[[x, 1.0], [1.0, 1.0]]]),
    "categorical floor": lambda x: tables(floor=x),
    **{f"linear {name}": in_matrix(name) for name in ("A", "B", "C", "Q", "R", "covariance")},
    **{f"linear {name}": in_vector(name) for name in ("c", "d", "mean")},
    "learned noise": lambda x: LinearGaussian.learned(Real((2,)), Real((1,)), noise=x),
    "learned sensor": lambda x: LinearGaussian.learned(Real((2,)), Real((1,)), sensor_noise=x),
    "learned start": lambda x: LinearGaussian.learned(Real((2,)), Real((1,)), start_variance=x),
    "regression mean": lambda x: Regression(torch.tensor([[x]]), torch.eye(1), torch.ones(1)),
    "regression precision": lambda x: Regression(torch.ones(1, 1), torch.tensor([[x]]), torch.ones(1)),
    "regression rate": lambda x: Regression(torch.ones(1, 1), torch.eye(1), torch.tensor([x])),
    "gaussian mean": lambda x: GaussianEnergy([x], [1.0]),
    "gaussian precision": lambda x: GaussianEnergy([0.0], [x]),
    "goal weights": lambda x: QuadraticGoal([x, 1.0]),
    "goal center": lambda x: QuadraticLatentGoal([1.0, 1.0], [x, 0.0]),
    "goal after": lambda x: QuadraticGoal([1.0], after=x),
    "likes": lambda x: LogPreferences([[x, 0.0]]),
    "likes after": lambda x: LogPreferences([[0.0, 0.0]], after=x),
    "predicted reward": lambda x: PredictedReward(scale=x),
    "rewards": lambda x: Reward([[x, 0.0]]),
    "reward scale": lambda x: Reward([[1.0, 0.0]], scale=x),
    "reward after": lambda x: Reward([[1.0, 0.0]], after=x),
    "table": lambda x: Table([[x, 0.0]]),
    "emission": GaussianEmission,
    "weight prior": lambda x: WeightPrior(3, x),
    "banana scale": Banana,
    "banana bend": lambda x: Banana(1.0, x),
    "well barrier": DoubleWell,
    "well tilt": lambda x: DoubleWell(1.0, x),
    "ensemble": lambda x: Ensemble(Real((2,)), Real((1,)), sensor_noise=x),
    "predictive coding": lambda x: PredictiveCoding(network(), x),
    "predictive coding prior": lambda x: PredictiveCoding(network(), prior=x),
    "confinement": lambda x: EnergyNetwork(2, confinement=x),
    "variance": Variance,
    "disagreement": lambda x: Disagreement(x),
}


@pytest.mark.parametrize("value", [nan, inf])
@pytest.mark.parametrize("what", TAKES)
def test_what_is_no_number_is_refused(what: str, value: float) -> None:
    with pytest.raises(UserError):
        TAKES[what](value)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: tables(A=[[[0.9, 0.1], [0.1, 0.9]]], counts=[np.ones((2, 2))]), r"A\[0\] must be the mean of counts"),
        (lambda: tables(floor=2.0), "floor expects a probability from 0"),
        (lambda: tables(floor=-1.0), "floor expects a probability from 0"),
        (lambda: tables(ends=[nan, 0.0]), r"ends\[0\] is nan"),
        (lambda: system(R=[[1.0, 0.5], [0.0, 1.0]]), "R expects a symmetric covariance"),
        (lambda: system(covariance=[[1.0, 2.0], [2.0, 1.0]]), "covariance expects a covariance .* none negative"),
        (lambda: system(A=[[nan, 0.0], [0.0, 1.0]]), r"A\[0, 0\] is nan: finite numbers are expected"),
        (lambda: tables(counts=[EYE + 1, EYE + 1], A=[(EYE + 1) / 3]), "counts has 2 arrays and A has 1"),
        (lambda: tables(A=[np.ma.masked_array(EYE, [[True, False], [False, False]])]), r"A\[0\] expects .* masked"),
        (lambda: tables(A=[EYE + 0j]), r"A\[0\] expects .* numbers .complex128 is not real"),
        (lambda: system(A=EYE * 1j), "A expects .* numbers .complex128 is not real"),
        (lambda: system(R="x"), "R expects .* numbers"),
        (lambda: GaussianEnergy([1j], [1.0]), "mean expects .* numbers .complex128 is not real"),
        (lambda: QuadraticGoal([]), "weights expects a list of numbers"),
        (lambda: QuadraticGoal("a"), "weights expects .* numbers"),
        (lambda: LogPreferences([]), "values expects one list of log preferences per modality, none empty"),
        (lambda: LogPreferences([[0.0], []]), "values expects one list of log preferences per modality, none empty"),
        (lambda: Regression(torch.ones(2, 1), torch.tensor([[1.0, 0.9], [0.0, 1.0]]), torch.ones(1)), "symmetric"),
        (lambda: Regression(torch.ones(1, 1), -torch.eye(1), torch.ones(1)), "positive definite precision"),
    ],
)
def test_what_contradicts_itself_is_refused(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make()


def test_what_is_right_but_for_rounding_is_taken() -> None:
    counts = np.array([[3.0, 1.0], [1.0, 2.0]])
    tables(A=[counts / counts.sum(0)], counts=[counts])
    root = np.array([[0.1, 0.2], [0.3, 0.6]])
    system(Q=root @ root.T, R=np.array([[1.0, 0.1 + 0.2], [0.3, 1.0]]))
    tables(floor=0.0)
