"""Selections: how an action is taken from a policy."""

from math import inf

import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, Greedy, Simplex, Softmax, UserError

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestSelection:
    policy = Categorical(torch.tensor([[0.4, 0.4, 0.2]], dtype=F64))

    def test_greedy_takes_the_lowest_of_equals(self) -> None:
        assert Greedy().precision == inf
        assert Greedy().choose(self.policy, Simplex((3,)), seeded()).tolist() == [[1, 0, 0]]

    def test_softmax_draws_from_the_policy(self) -> None:
        many = Categorical(self.policy.probs.expand(20_000, 3))
        chosen = Softmax(2.0).choose(many, Simplex((3,)), seeded())
        assert_close(chosen.mean(0), self.policy.probs[0], atol=5 * (0.25 / 20_000) ** 0.5, rtol=0)

    @pytest.mark.parametrize("precision", [-1.0, inf, float("nan")])
    def test_a_precision_that_is_none(self, precision: float) -> None:
        with pytest.raises(UserError, match=r"softmax selection expects a finite precision >= 0, got .*: use greedy"):
            Softmax(precision)
