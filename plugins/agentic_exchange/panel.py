"""A frame of a video: the picture of the world, and beside it what the agent believed, weighed and did."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agentic.runs import EpisodeRecord

HEIGHT, PANEL, GAP, LINE = 400, 340, 12, 14  # pixels
MOST = 12  # bars of a belief, and energies
INK, SOFT, BLUE, ORANGE, PAPER = "#222222", "#999999", "#3465a4", "#d9730d", "#ffffff"


@final
@dataclass(frozen=True)
class Panel:
    """The drawing of an episode's frames; `plans` has the best recorded plan of each step, as text."""

    episode: EpisodeRecord
    title: str
    plans: dict[int, str]

    def frame(self, t: int, world: np.ndarray | None) -> Image.Image:
        """The frame before step `t`, or after the last; `world` is the picture of the world then."""
        picture = None if world is None else _scaled(world)
        left = 0 if picture is None else picture.width + GAP
        height = max(HEIGHT, 0 if picture is None else picture.height)
        made = Image.new("RGB", (left + PANEL + (left + PANEL) % 2, height + height % 2), PAPER)
        if picture is not None:
            made.paste(picture, (0, 0))
        self._write(ImageDraw.Draw(made), left + GAP, t)
        return made

    def _write(self, pen: ImageDraw.ImageDraw, x: int, t: int) -> None:
        arrays, step = self.episode.arrays, min(t, self.episode.length - 1)
        done = f"action {_short(arrays, 'action', step)}" if t < self.episode.length else "the end"
        paid = float(arrays["reward"][:t].sum())
        lines = [self.title, f"step {t} of {self.episode.length}, return {paid:.4g}, {done}"]
        lines += [f"plan {self.plans[step]}"] if step in self.plans else []
        y = GAP
        for line in lines:
            _text(pen, x, y, line)
            y += LINE
        for name in (name for name in arrays if name.startswith("belief.")):
            y = self._belief(pen, x, y + GAP, name, np.ravel(arrays[name][step]).astype(float))
        self._energies(pen, x, y + GAP, step)

    def _belief(self, pen: ImageDraw.ImageDraw, x: int, y: int, name: str, values: np.ndarray) -> int:
        """Bars of the values, the first of many; where the next thing may be drawn."""
        more = f", the first {MOST} of {len(values)}" if len(values) > MOST else ""
        _text(pen, x, y, f"{name}{more}", SOFT)
        whole = np.nanmax(np.abs(self.episode.arrays[name]), initial=1e-12)
        for value in values[:MOST].tolist():
            y += LINE
            _text(pen, x, y, f"{value:8.3g}")
            width = 0 if value != value else int((PANEL - 100) * min(1.0, abs(value) / whole))
            pen.rectangle((x + 64, y + 3, x + 64 + width, y + LINE - 3), fill=BLUE if value >= 0 else ORANGE)
        return y + LINE

    def _energies(self, pen: ImageDraw.ImageDraw, x: int, y: int, step: int) -> None:
        """A line for each energy over the steps so far."""
        names = [name for name in self.episode.arrays if name.startswith("energy.")][:MOST]
        for name in names:
            values = np.asarray(self.episode.arrays[name], float)
            _text(pen, x, y, f"{name.partition('.')[2][:18]} {values[step]:.3g}")
            known = values[np.isfinite(values)]
            low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
            x0, width = x + 170, PANEL - 200
            places = [
                (
                    x0 + width * k / max(1, len(values) - 1),
                    y + LINE - 3 - (LINE - 5) * (v - low) / ((high - low) or 1.0),
                )
                for k, v in enumerate(values[: step + 1])
                if np.isfinite(v)
            ]
            if len(places) > 1:
                pen.line(places, fill=BLUE)
            if places:
                a, b = places[-1]
                pen.ellipse((a - 2, b - 2, a + 2, b + 2), fill=ORANGE)
            y += LINE


def _scaled(world: np.ndarray) -> Image.Image:
    """A picture of about the height of the panel: small ones in whole multiples, large ones smaller."""
    picture = Image.fromarray(np.ascontiguousarray(world))
    if picture.height > 2 * HEIGHT:
        return picture.resize((max(1, picture.width * HEIGHT // picture.height), HEIGHT))
    times = max(1, min(HEIGHT // max(1, picture.height), 2 * HEIGHT // max(1, picture.width)))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _text(pen: ImageDraw.ImageDraw, x: int, y: int, line: str, color: str = INK) -> None:
    pen.text((x, y), line.encode("ascii", "replace").decode()[:64], fill=color, font=ImageFont.load_default())


def _short(arrays: Any, prefix: str, step: int) -> str:
    parts = [np.ravel(array[step]).tolist() for name, array in arrays.items() if name.partition(".")[0] == prefix]
    return ", ".join(f"{value:.3g}" for part in parts for value in part[:4])
