"""A planar arm of two links: one place of the hand, two postures (elbow up, elbow down)."""

from math import pi

import torch
from torch import Tensor

UPPER, FORE = 1.0, 0.8  # lengths of the links
BEND = (0.3, 2.8)  # how far the elbow is bent either way, radians
NOISE = 0.01  # standard deviation of the measured hand, each coordinate


def encode(angles: Tensor) -> Tensor:
    """Angles (*, 2) as points on two circles (*, 4), so that near postures are near: cosines, then sines."""
    return torch.cat([angles.cos(), angles.sin()], -1)


def decode(points: Tensor) -> Tensor:
    """The angles (*, 2) nearest to points (*, 4) that need not lie on the circles."""
    return torch.atan2(points[..., 2:], points[..., :2])


def hand(angles: Tensor) -> Tensor:
    """Where the hand is (*, 2), of the angles of shoulder and elbow (*, 2)."""
    first, second = angles[..., :1], angles.sum(-1, keepdim=True)
    return torch.cat([UPPER * first.cos() + FORE * second.cos(), UPPER * first.sin() + FORE * second.sin()], -1)


def postures(place: Tensor) -> Tensor:
    """Both postures (2, *, 2) that bring the hand to a place (*, 2)."""
    cosine = (place.square().sum(-1) - UPPER**2 - FORE**2) / (2 * UPPER * FORE)
    bend = cosine.clamp(-1, 1).acos()
    elbow = torch.stack([bend, -bend])
    toward = torch.atan2(place[..., 1], place[..., 0])
    return torch.stack([toward - torch.atan2(FORE * elbow.sin(), UPPER + FORE * elbow.cos()), elbow], -1)


def draw(count: int, *, both: bool, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Measured hands (count, 2) and angles (count, 2); the elbow bent either way, or one way only."""
    shoulder = 2 * pi * torch.rand(count, generator=generator) - pi
    bend = BEND[0] + (BEND[1] - BEND[0]) * torch.rand(count, generator=generator)
    side = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0) if both else torch.ones(count)
    angles = torch.stack([shoulder, side * bend], -1)
    return hand(angles) + NOISE * torch.randn(count, 2, generator=generator), angles
