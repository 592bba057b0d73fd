"""The pictures of a replay: what the world drew, and what was observed, each kept once and small enough for a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from agentic.runs import EpisodeRecord
from agentic_report.parts import Part
from agentic_report.png import COLORS, data_url, packed

WIDTHS = (320, 160, 110, 80, 50)  # pixels of the longer side: ever less, until pictures are small enough
SHADES = (1, 8, 16)  # of one color channel that are taken for one: ever more, until a palette is enough


@final
@dataclass(frozen=True)
class Album:
    """Pictures as addresses that hold them, each once, and for each episode the place of its pictures among them."""

    urls: tuple[str, ...] = ()
    places: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many characters they take."""
        return sum(map(len, self.urls))

    def cut(self, shown: Sequence[int]) -> "Album":
        """The same of the first episodes, `shown` pictures of each, without what those do not have."""
        places = [each[:count] for each, count in zip(self.places, shown, strict=False)]
        used = {place: i for i, place in enumerate(sorted({place for each in places for place in each}))}
        return Album(tuple(self.urls[place] for place in used), tuple(tuple(used[p] for p in each) for each in places))


def observed(episodes: Sequence[EpisodeRecord], part: Part, width: int = WIDTHS[0]) -> Album:
    """What a leaf of the observation showed, one picture more than there are steps; smaller where wider than that."""
    after = f"next_{part.column}"
    seen = ([*each.arrays[part.column], each.arrays[after][-1]] for each in episodes)
    return _album([[shrunk(flat(picture), width) for picture in each] for each in seen])


def drawn(episodes: Sequence[Sequence[np.ndarray]], room: int) -> Album:
    """What a world drew, (height, width, 3) each, as large as there is room for."""
    for width in WIDTHS:
        album = _album([[_coarse(shrunk(frame, width)) for frame in each] for each in episodes])
        if album.size <= room:
            break
    return album


def flat(seen: np.ndarray) -> np.ndarray:
    """A picture (height, width, 1 or 3) of what was observed; what lies behind one another is set side by side."""
    if seen.ndim == 2:
        return seen[..., None]
    if seen.ndim == 4:
        return np.concatenate([*seen], 1)
    if seen.shape[-1] in (1, 3):
        return seen
    if seen.shape[0] == 3:
        return np.moveaxis(seen, 0, -1)
    layers = seen if seen.shape[0] <= seen.shape[-1] else np.moveaxis(seen, -1, 0)
    return np.concatenate([*layers], 1)[..., None]


def _album(episodes: Sequence[Sequence[np.ndarray]]) -> Album:
    known: dict[bytes, int] = {}
    urls: list[str] = []
    places = tuple(tuple(_kept(episode, known, urls)) for episode in episodes)
    return Album(tuple(urls), places)


def _kept(episode: Sequence[np.ndarray], known: dict[bytes, int], urls: list[str]) -> Iterator[int]:
    for picture in episode:
        key = bytes(str(picture.shape), "ascii") + picture.tobytes()
        if key not in known:
            known[key] = len(urls)
            urls.append(data_url(picture))
        yield known[key]


def shrunk(frame: np.ndarray, width: int = WIDTHS[0]) -> np.ndarray:
    """A frame no wider or higher than that, each pixel the mean of those it stands for."""
    factor = -(-max(frame.shape[:2]) // width)
    if factor < 2:
        return frame
    down, across = (min(factor, size) for size in frame.shape[:2])
    height, wide = frame.shape[0] // down * down, frame.shape[1] // across * across
    total = np.zeros((height // down, wide // across, frame.shape[2]), np.uint32)
    for row in range(down):
        for column in range(across):
            total += frame[row:height:down, column:wide:across]
    return np.asarray((total + down * across // 2) // (down * across), np.uint8)


def _coarse(frame: np.ndarray) -> np.ndarray:
    """A frame in as many shades as a palette has, where that is not too coarse."""
    for shade in SHADES:
        coarse = np.minimum(frame // shade * shade + shade // 2, 255).astype(np.uint8) if shade > 1 else frame
        if len(np.unique(packed(coarse))) <= COLORS:
            break
    return coarse
