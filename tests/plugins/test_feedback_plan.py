"""Affine feedback as a plan: a law of the belief's mean."""

import torch

from agentic import Gaussian, Point
from agentic_optimizers.feedback_plan import AffineFeedback

F64 = torch.float64


def test_feedback_is_affine_in_the_beliefs_mean() -> None:
    gains, offsets = torch.tensor([[[1.0, 2.0]], [[0.0, 1.0]]], dtype=F64), torch.tensor([[0.5], [0.0]], dtype=F64)
    start = Gaussian(torch.tensor([[1.0, 1.0]], dtype=F64), torch.eye(2, dtype=F64).unsqueeze(0))
    plan = AffineFeedback(gains, offsets, start)
    later = Point(torch.tensor([[3.0, -1.0]], dtype=F64))
    assert plan.first_action().mean.tolist() == [[3.5]]
    assert plan.act(later, 1).mean.tolist() == [[-1.0]]
    assert plan.shifted() is plan
    assert plan.shifted(torch.tensor([True])) is plan


def test_it_is_the_one_candidate() -> None:
    start = Point(torch.tensor([[1.0, 2.0], [0.0, 1.0]], dtype=F64))
    gains, parts = torch.tensor([[[1.0, 1.0]]], dtype=F64), {"pragmatic": torch.tensor([5.0, 6.0], dtype=F64)}
    plan = AffineFeedback(gains, torch.tensor([[0.5]], dtype=F64), start, parts)
    found = plan.candidates(3)
    assert found is not None
    assert found.actions.tolist() == [[[[3.5]], [[1.5]]]]
    assert found.probability.tolist() == [[1, 1]]
    assert found.terms["pragmatic"].tolist() == [[5, 6]]
