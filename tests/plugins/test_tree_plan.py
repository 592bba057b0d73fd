"""Belief trees as plans: the policy of the steps left, habits, and what is not visited."""

from math import log

import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, Point, Simplex
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64


class TestTree:
    beliefs = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=F64)
    depths = (torch.tensor([[0.0, 1.0], [2.0, 0.0]], dtype=F64), torch.tensor([[5.0, 4.0]], dtype=F64))
    roots = torch.tensor([0])

    def tree(self, habits: list[float] | None = None) -> Tree:
        prior = None if habits is None else torch.tensor(habits, dtype=F64).log()
        values = self.depths[-1][self.roots].T
        return Tree(values, {"pragmatic": values}, self.beliefs, self.roots, self.depths, Simplex((2,)), prior)

    def test_the_policy_is_that_of_the_steps_left(self) -> None:
        tree = self.tree()
        assert tree.first_action().mean.tolist() == [[0, 1]]
        there = Categorical(self.beliefs)
        assert tree.act(there, 1).mean.tolist() == [[1, 0], [0, 1]]
        assert tree.terms()["pragmatic"].tolist() == [4]

    def test_habits_count(self) -> None:
        energies = torch.tensor([5.0, 4.0], dtype=F64)
        expected = torch.softmax(-energies + torch.tensor([0.9, 0.1], dtype=F64).log(), 0)
        assert_close(self.tree([0.9, 0.1]).first_action(1.0).mean[0], expected)

    def test_a_belief_it_does_not_visit(self) -> None:
        with pytest.raises(ValueError, match=r"this tree does not visit the given belief \(nearest differs by 0.5\)"):
            self.tree().act(Point(torch.tensor([[0.5, 0.5]], dtype=F64)), 1)

    def test_it_lists_its_first_actions(self) -> None:
        values = torch.tensor([[log(3)], [0.0]], dtype=F64)
        eye = torch.eye(2, dtype=F64)
        tree = Tree(values, {"pragmatic": values}, eye, torch.tensor([0]), (values.T,), Simplex((2,)))
        found = tree.candidates(5, 1.0)
        assert found.actions.tolist() == [[[[0, 1]]], [[[1, 0]]]]
        assert found.probability[:, 0].tolist() == pytest.approx([0.75, 0.25])
        assert found.terms["pragmatic"][:, 0].tolist() == pytest.approx([0, log(3)])
