"""Discovery as it is asked for, in Python and by the command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, final

import numpy as np

from agentic import UserError
from agentic.errors import shown
from agentic_discovery.columns import pruned, ranks
from agentic_discovery.discovery import Discovery
from agentic_discovery.finding import discovered
from agentic_discovery.parting import MOST, Look, Progress
from agentic_discovery.recording import read

FINEST = 1e-6  # the least resolution: squares of less are lost in the rounding of covariances


def _whole(given: Any) -> bool:
    return isinstance(given, Integral) and not isinstance(given, bool)


def _plain(given: Any) -> Any:
    """Numbers of numpy as Python's own, which JSON takes."""
    if isinstance(given, Real) and not isinstance(given, bool):
        return int(given) if isinstance(given, Integral) else float(given)
    return given


@final
@dataclass(frozen=True)
class Asked:
    """What `discover` is asked for beside the recording. Raises UserError for what is out of range."""

    order: str | None = None
    objects: int | str = "auto"
    lag: int = 1
    resolution: float = 0.01
    window: int | None = None
    columns: Sequence[str] | str = ()
    episode: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("lag", "window", "seed"):
            if not _whole(given := getattr(self, name)) and not (name == "window" and given is None):
                raise UserError(f"discover expects a whole number as {name}, got {shown(given)}")
        counts = _whole(self.objects) and int(self.objects) >= 1
        real = isinstance(self.resolution, Real)
        wrong = [
            (self.lag < 1, f"lag >= 1, got {self.lag}"),
            (self.seed < 0, f"a seed >= 0, got {self.seed}"),
            (
                not real or not FINEST <= self.resolution < 1,
                f"a resolution between {FINEST:g} and 1, got {shown(self.resolution)}",
            ),
            (self.window is not None and self.window < 2, f"a window of at least 2 steps, got {self.window}"),
            (self.objects != "auto" and not counts, f"'auto' or 1, 2, ... objects, got {shown(self.objects)}"),
        ]
        for failed, said in wrong:
            if failed:
                raise UserError(f"discover expects {said}")

    def of(self, recording: Any, progress: Progress) -> Discovery:
        """The discovery in a recording; `progress` is called with a stage, what is done and the total."""
        patterns = [self.columns] if isinstance(self.columns, str) else list(map(str, self.columns))
        found = read(recording, episode=self.episode, columns=patterns)
        order = pruned(found.order, found.names) if self.order is None else self.order
        most = MOST if self.objects == "auto" else int(self.objects)
        look = Look(ranks(found.names, order), int(self.lag), float(self.resolution), most)
        made = discovered(found, look, self.window, np.random.default_rng(self.seed), progress)
        asked = ("objects", "lag", "resolution", "window", "seed")
        plain = {name: _plain(getattr(self, name)) for name in asked}
        return replace(made, settings={"order": order, **plain})


def discover(
    recording: Any,
    *,
    order: str | None = None,
    objects: int | str = "auto",
    lag: int = 1,
    resolution: float = 0.01,
    window: int | None = None,
    columns: Sequence[str] | str = (),
    episode: str | None = None,
    seed: int = 0,
) -> Discovery:
    """Discover boundaries in a recording: which columns are world, sensors, actuators and inside of an object.

    `recording` is a Parquet, CSV or NPZ file, the folder of a run or its `Record`, `minari:ID`, a data frame, an array
    (steps, columns), or a mapping from names to arrays. `columns` are those to look at, `episode` is the column that
    numbers episodes. `order` says which columns come first within a step, as `state<obs<belief<action`; runs have one
    of their own. `objects` is the most that are looked for in a part that hangs together. Effects reach back `lag`
    steps; below `resolution` of its spread, a column's values are not told apart. With `window`, roles are looked for
    in every so many steps as well.

    Raises UserError for what cannot be read, for columns that are not there, and for settings out of range. That no
    boundary is told is an answer: see `Discovery.detected`.
    """
    asked = Asked(order, objects, lag, resolution, window, columns, episode, seed)
    return asked.of(recording, lambda stage, done, total: None)
