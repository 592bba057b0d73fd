"""Pictures made of tiles, in plain numpy: no display, no window, nothing to install.

An environment says what color each tile has and where its discs are; the image is uint8, (height, width, 3).
"""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[int, int, int]

RENDERING: dict[str, Any] = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4, "ends_episodes": True}
TILE = 32  # pixels along each side of a tile, its border line included

FLOOR: Color = (238, 238, 238)
WALL: Color = (60, 60, 60)
GOOD: Color = (90, 170, 90)
LESS: Color = (165, 205, 130)
BAD: Color = (200, 80, 70)
HINT: Color = (240, 200, 90)
AGENT: Color = (50, 100, 190)


def tiled(colors: Image) -> Image:
    """A picture of (rows * TILE, columns * TILE, 3) from one color per tile, (rows, columns, 3)."""
    image = colors.astype(np.uint8).repeat(TILE, axis=0).repeat(TILE, axis=1)
    image[::TILE] = image[:, ::TILE] = 180
    return image


def with_disc(image: Image, row: int, column: int, color: Color, radius: float = 0.32) -> Image:
    """A copy of `image` with a disc on one tile; `radius` is a share of the tile's side."""
    offsets = np.arange(TILE) - (TILE - 1) / 2
    inside = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= (radius * TILE) ** 2
    copy = image.copy()
    tile = copy[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
    tile[inside] = color
    return copy


def rendered(mode: str | None, text: Callable[[], str], picture: Callable[[], Image]) -> Any:
    """The answer of `render` for `mode`: the text, the picture, or None with Gymnasium's warning."""
    if mode is None:
        gymnasium.logger.warn("render() was called without a render_mode; pass one to gymnasium.make.")
        return None
    return text() if mode == "ansi" else picture()
