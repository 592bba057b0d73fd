"""Tiles and discs."""

import numpy as np

from agentic_envs.drawing import AGENT, FLOOR, TILE, WALL, tiled, with_disc


def test_tiles_keep_their_colors_inside_their_borders() -> None:
    image = tiled(np.array([[FLOOR, WALL]], dtype=np.uint8))
    assert image.shape == (TILE, 2 * TILE, 3)
    assert image.dtype == np.uint8
    assert (image[1:, 1:TILE] == FLOOR).all()
    assert (image[1:, TILE + 1 :] == WALL).all()
    assert (image[0] == 180).all()


def test_a_disc_lies_within_its_tile_and_leaves_the_original_alone() -> None:
    plain = tiled(np.array([[FLOOR, WALL]], dtype=np.uint8))
    image = with_disc(plain, 0, 1, AGENT)
    changed = (image != plain).any(axis=2)
    assert not changed[:, :TILE].any()
    assert changed[TILE // 2, TILE + TILE // 2]
    assert 0.25 < changed[:, TILE:].mean() < 0.4  # a disc of radius .32 covers .32 of its tile
