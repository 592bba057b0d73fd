"""Discovery as it is asked for, in Python and by the command."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agentic import UserError
from agentic.errors import shown
from agentic_discovery.columns import pruned, ranks
from agentic_discovery.discovery import Discovery
from agentic_discovery.finding import discovered
from agentic_discovery.parting import MOST, Look, Progress
from agentic_discovery.recording import read


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
    progress: Progress | None = None,
) -> Discovery:
    """Discover boundaries in a recording: which columns are world, sensors, actuators and inside of an object.

    `recording` is a Parquet, CSV or NPZ file, the folder of a run or its `Record`, `minari:ID`, an array (steps,
    columns), or a mapping from names to arrays. `columns` are those to look at, `episode` is the column that numbers
    episodes. `order` says which columns come first within a step, as `state<obs<belief<action`; runs have one of their
    own. `objects` is the most that are looked for in a part that hangs together. Effects reach back `lag` steps; below
    `resolution` of its spread, a column's values are not told apart. With `window`, roles are looked for in every so many
    steps as well. `progress` is called with a stage, what is done and the total.

    Raises UserError for what cannot be read, for columns that are not there, and for settings out of range. That no
    boundary is told is an answer: see `Discovery.told`.
    """
    wrong = [
        (lag < 1, f"lag >= 1, got {lag}"),
        (not 0 < resolution < 1, f"a resolution between 0 and 1, got {resolution}"),
        (window is not None and window < 2, f"a window of at least 2 steps, got {window}"),
        (objects != "auto" and not (isinstance(objects, int) and objects >= 1), f"'auto' or 1, 2, ... objects, got {shown(objects)}"),
    ]
    for failed, said in wrong:
        if failed:
            raise UserError(f"discover expects {said}")
    patterns = [columns] if isinstance(columns, str) else list(columns)
    found = read(recording, episode=episode)
    if patterns:
        found = found.only(patterns)
    order = pruned(found.order, found.names) if order is None else order
    look = Look(ranks(found.names, order), lag, resolution, MOST if objects == "auto" else int(objects))
    generator = np.random.default_rng(seed)
    made = discovered(found, look, window, generator, progress or (lambda stage, done, total: None))
    settings = {"order": order, "objects": objects, "lag": lag, "resolution": resolution, "window": window, "seed": seed}
    made.settings.update(settings)
    return made
