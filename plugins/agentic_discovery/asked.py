"""Discovery as it is asked for, in Python and by the command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic.errors import listed, shown
from agentic_discovery.columns import Columns, pruned, ranks
from agentic_discovery.discovery import Discovery
from agentic_discovery.estimators import ESTIMATORS
from agentic_discovery.finding import discovered
from agentic_discovery.particles import axes_of, fitted_reach, particles as particles_of
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
    estimator: str = "gaussian"
    particles: str | None = None
    reach: float | None = None

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
            (self.estimator not in [*ESTIMATORS], f"an estimator of {listed(ESTIMATORS)}, got {shown(self.estimator)}"),
            (
                self.particles is not None and self.estimator != "gaussian",
                f"the gaussian estimator with particles, got {self.estimator!r}",
            ),
            (self.reach is not None and self.particles is None, "particles where a reach is given: name coordinates"),
            (
                self.particles is not None and not isinstance(self.particles, str),
                f"particles by the endings of their coordinates, as 'x,y', got {shown(self.particles)}",
            ),
            (
                self.reach is not None and not (isinstance(self.reach, Real) and 0 < self.reach < np.inf),
                f"a reach above 0, got {shown(self.reach)}",
            ),
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
        placed = ranks(found.names, order)
        axes = axes_of(self.particles) if self.particles is not None else ()
        reach = self._reach(found, axes, placed)
        look = Look(placed, int(self.lag), float(self.resolution), most, self.estimator, axes, reach)
        made = discovered(found, look, self.window, np.random.default_rng(self.seed), progress)
        asked = ("objects", "lag", "resolution", "window", "seed", "estimator", "particles")
        plain = {name: _plain(getattr(self, name)) for name in asked}
        return replace(made, settings={"order": order, **plain, "reach": _plain(reach)})

    def _reach(self, found: Columns, axes: tuple[str, ...], placed: NDArray[np.intp]) -> float | None:
        """How far forces reach: as was asked, else as fits. Raises UserError where particles are none."""
        if not axes:
            return None
        places = particles_of(found.names, axes)
        _check(found.names, axes, places, placed)
        return fitted_reach(found, places, self.lag, self.resolution, placed) if self.reach is None else self.reach


def _check(names: Sequence[str], axes: Sequence[str], found: list[list[int]], placed: NDArray[np.intp]) -> None:
    """Raise UserError where no two particles are there, or coordinates of one come at different places in a step."""
    if len(found) < 2:
        ends = " and ".join(f".{axis} or _{axis}" for axis in axes)
        raise UserError(
            f"two particles or more are needed, columns of one stem that end in {ends}, and there are {len(found)}; "
            f"the columns are {', '.join(names)}: name others, or leave particles out"
        )
    for places in found:
        if len(set(placed[places])) > 1:
            its = " and ".join(names[place] for place in places)
            raise UserError(f"the order puts {its} at different places, and they are one particle: give them one place")


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
    estimator: str = "gaussian",
    particles: str | None = None,
    reach: float | None = None,
) -> Discovery:
    """Discover boundaries in a recording: which columns are world, sensors, actuators and inside of an object.

    `recording` is a Parquet, CSV or NPZ file, the folder of a run or its `Record`, `minari:ID`, a data frame, an array
    (steps, columns), or a mapping from names to arrays. `columns` are those to look at, `episode` is the column that
    numbers episodes. `order` says which columns come first within a step, as `state<obs<belief<action`; runs have one
    of their own. `objects` is the most that are looked for in a part that hangs together. Effects reach back `lag`
    steps; below `resolution` of its spread, a column's values are not told apart. With `window`, roles are looked for
    in every so many steps as well. `estimator` is that of couplings: `gaussian` is linear regression, `plugin` counts
    columns of few values, `neighbors` hears dependence of any form, slowly. With `particles` such as `x,y`, columns of
    one stem with those endings are coordinates of one particle, which has one role, and forces between particles that
    fall off with their distance over `reach` may act.

    Raises UserError for what cannot be read, for columns that are not there, and for settings out of range. That no
    boundary is told is an answer: see `Discovery.detected`.
    """
    asked = Asked(order, objects, lag, resolution, window, columns, episode, seed, estimator, particles, reach)
    return asked.of(recording, lambda stage, done, total: None)
