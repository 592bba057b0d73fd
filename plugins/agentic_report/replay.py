"""The replay of a run: world, belief, candidate plans and energies of its first episodes, as one piece of HTML.

The piece holds data and no code: `templates/replay.js` and `replay.css` bring every replay of a page to life.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jinja2.utils import htmlsafe_json_dumps

from agentic import Record
from agentic.errors import UserError
from agentic.planning import sign
from agentic.runs import EpisodeRecord, shapes_of
from agentic_report.rendering import render
from agentic_report.scenes import Scene, scene

EPISODES, TICKS, BYTES = 3, 600, 300_000
WIDE, PICTURED = (
    10_000,
    100,
)  # numbers of what is a picture, of which little is shown, and the ticks read of those
WIDEST = 24  # numbers of an observation, an action or a belief that are kept
LEAST = 1e-3  # probabilities below are left out of a belief
SCANTER = [(3, 10, 600), (2, 10, 600), (1, 10, 600), (1, 5, 600), (1, 2, 600), (1, 0, 300), (1, 0, 100), (1, 0, 20)]
"""Episodes, candidates of a tick and ticks of an episode: ever fewer, until a replay is small enough."""


def replay(folder: Path, title: str) -> str:
    """The HTML of a replay of the run in `folder`, for a page that has `templates/replay.js` and `replay.css`.

    Raises UserError where no evaluation episode was recorded.
    """
    data = htmlsafe_json_dumps(story(Record.salvage(folder)), separators=(",", ":"), allow_nan=False)
    return render("replay", title=title, data=data)


def story(record: Record) -> dict[str, Any]:
    """The content of a replay, as plain values for strict JSON of at most 300 KB; what is not finite is None.

    An episode of n steps has n + 1 places (`obs`, `frame`) and n of all that was decided. `plans` holds of each step
    the candidates as [actions, probability, terms], each term with its sign in the expected energy, in nats.
    """
    episodes = _first(record)
    if not episodes:
        raise UserError(f"{record.folder} has no evaluation episode to show: record at least one")
    pictures, plans = scene(record, episodes), record.candidates()
    for count, best, ticks in SCANTER:
        found = _story([_cut(each, ticks) for each in episodes[:count]], pictures, plans, best)
        if len(json.dumps(found, separators=(",", ":"))) <= BYTES:
            break
    return found


def _first(record: Record) -> list[EpisodeRecord]:
    """The first evaluation episodes of row 0, whole ones as long as they are not too many ticks."""
    if not record.columns:
        return []
    shown = (pc.field("phase") == "evaluate") & (pc.field("row") == 0)
    counted = record.table(["episode"], shown)["episode"].value_counts().to_pylist()
    lengths = dict(sorted((each["values"], each["counts"]) for each in counted)[:EPISODES])
    shapes = shapes_of(record.table(where=shown & (pc.field("t") < 0)))
    most = PICTURED if any(prod(shape) > WIDE for shape in shapes.values()) else TICKS
    whole = [number for number, end in zip(lengths, accumulate(lengths.values()), strict=True) if end <= most]
    wanted = pc.field("episode").isin(whole or [*lengths][:1]) & (pc.field("t") < most)
    return record.episodes("evaluate", shown & wanted)


def _cut(episode: EpisodeRecord, ticks: int) -> EpisodeRecord:
    return replace(episode, arrays={name: array[:ticks] for name, array in episode.arrays.items()})


def _story(episodes: Sequence[EpisodeRecord], pictures: Scene, plans: pa.Table, best: int) -> dict[str, Any]:
    shown = [[*places[: each.length + 1]] for each, places in zip(episodes, pictures.places, strict=False)]
    used = {place: i for i, place in enumerate(sorted({place for places in shown for place in places}))}
    terms, courses = _candidates(episodes, plans, best) if best and len(plans) else _chosen(episodes)
    about, beliefs = _beliefs(episodes, pictures)
    reported = [
        {
            "frame": [used[place] for place in shown[i]] if shown else [],
            "obs": _table(each, "obs", "next_obs"),
            "action": _table(each, "action"),
            "reward": _numbers(each.arrays["reward"]),
            "end": _end(each),
            "energies": {name: _numbers(each.arrays[f"energy.{name}"]) for name in _energies(episodes)},
            "belief": beliefs[i],
            "plans": courses[i],
        }
        for i, each in enumerate(episodes)
    ]
    return {
        "scene": pictures.kind,
        "note": pictures.note,
        "actions": pictures.words.actions,
        "observations": pictures.words.observations or [name for name in _keys(episodes[0], "obs") if name],
        "frames": [pictures.frames[place] for place in used],
        "belief": about,
        "terms": terms,
        "episodes": reported,
    }


def _end(episode: EpisodeRecord) -> str:
    last = [flag for flag in ("terminated", "truncated") if episode.arrays[flag][-1]]
    return last[0] if last else "cut here"


def _keys(episode: EpisodeRecord, name: str) -> list[str]:
    """The keys of a Dict's columns; one empty key where there is one column."""
    return [key[len(name) + 1 :] for key in episode.arrays if key == name or key.startswith(f"{name}.")]


def _table(episode: EpisodeRecord, name: str, last: str | None = None) -> list[list[float | None]]:
    """The numbers of each tick, all keys one after the other; of `last` those of the last tick too."""
    columns = []
    for key in _keys(episode, name):
        ending = f".{key}" if key else ""
        column = episode.arrays[name + ending]
        if last is not None:
            column = np.concatenate([column, episode.arrays[last + ending][-1:]])
        columns.append(column.reshape(len(column), -1))
    return [_numbers(row) for row in np.concatenate(columns, 1)[:, :WIDEST]]


def _energies(episodes: Sequence[EpisodeRecord]) -> list[str]:
    return [name.removeprefix("energy.") for name in episodes[0].arrays if name.startswith("energy.")]


def _chosen(episodes: Sequence[EpisodeRecord]) -> tuple[list[str], list[list[Any]]]:
    """The parts of the expected energy that the ticks have: one course a step, what was chosen, its plan not known."""
    names = _energies(episodes)
    parts = names[names.index("expected_energy") + 1 :] if "expected_energy" in names else []
    parts = [name for name in parts if name not in ("risk", "ambiguity")]  # of the next step, not of the plan
    courses = []
    for each in episodes:
        values = [sign(name) * each.arrays[f"energy.{name}"] for name in parts]
        actions = _table(each, "action")
        rows = np.stack(values, 1) if values else np.empty((each.length, 0))
        courses.append(
            [[[[action], None, _numbers(row)]] if parts else [] for action, row in zip(actions, rows, strict=True)]
        )
    return [_label(name) for name in parts], courses


def _candidates(episodes: Sequence[EpisodeRecord], plans: pa.Table, best: int) -> tuple[list[str], list[list[Any]]]:
    """The terms' labels, and of each episode and step the candidates."""
    names = [name for name in plans.column_names if name.startswith("term.")]
    signs = np.array([sign(name.removeprefix("term.")) for name in names])
    keys = [name for name in plans.column_names if name == "plan" or name.startswith("plan.")]
    shapes = shapes_of(plans)
    courses = []
    for each in episodes:
        steps: list[Any] = [[] for _ in range(each.length)]
        wanted = (pc.field("phase") == "evaluate") & (pc.field("row") == each.row) & (pc.field("rank") < best)
        for row in plans.filter(wanted & (pc.field("episode") == each.episode)).to_pylist():
            if row["t"] < each.length:
                parts = [np.reshape(row[key], shapes[key]) for key in keys]
                actions = np.concatenate([part.reshape(len(part), -1) for part in parts], 1)[:WIDEST, :WIDEST]
                terms = signs * np.array([np.nan if row[name] is None else row[name] for name in names])
                course = [[_numbers(action) for action in actions], _number(row["probability"]), _numbers(terms)]
                steps[row["t"]].append(course)
        courses.append(steps)
    return [_label(name.removeprefix("term.")) for name in names], courses


def _label(term: str) -> str:
    words = term.replace("_", " ")
    return f"− {words}" if sign(term) < 0 else words


def _beliefs(episodes: Sequence[EpisodeRecord], pictures: Scene) -> tuple[dict[str, Any] | None, list[list[Any]]]:
    """What kind of belief there is, and of each episode and step its numbers.

    "factors": the probable levels of each factor, [index, probability], by itself where the belief is a joint one.
    "points": [means, standard deviations], and the `range` of each component over all episodes.
    """
    fields = _keys(episodes[0], "belief")
    if not fields:
        return None, [[] for _ in episodes]
    if fields == ["probs"]:
        probs = [each.arrays["belief.probs"] for each in episodes]
        names, sizes = pictures.words.factors, pictures.sizes
        if len(sizes) > 1 and prod(sizes) == probs[0].shape[1]:
            probs = [_marginals(part, sizes) for part in probs]
        cuts = _factors(np.concatenate(probs), sizes)
        about: dict[str, Any] = {"kind": "factors", "sizes": cuts, "names": names if len(names) == len(cuts) else ()}
        return about, [[_levels(row, cuts) for row in part] for part in probs]
    first = "mean" if "mean" in fields else fields[0]
    means = [each.arrays[f"belief.{first}"].reshape(each.length, -1)[:, :WIDEST] for each in episodes]
    spreads = [_spread(each, mean) for each, mean in zip(episodes, means, strict=True)]
    every, wide = np.concatenate(means), 2 * np.nan_to_num(np.concatenate(spreads))
    about = {"kind": "points", "range": [_numbers((every - wide).min(0)), _numbers((every + wide).max(0))]}
    steps = [
        [[_numbers(mean), _numbers(spread)] for mean, spread in zip(*pair, strict=True)]
        for pair in zip(means, spreads, strict=True)
    ]
    return about, steps


def _marginals(probs: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The factors' own probabilities side by side, from joint ones (t, product), the last factor fastest."""
    joint = probs.reshape(-1, *sizes)
    axes = range(1, joint.ndim)
    return np.concatenate([joint.sum(tuple(axis for axis in axes if axis != keep)) for keep in axes], 1)


def _spread(episode: EpisodeRecord, mean: np.ndarray) -> np.ndarray:
    """Standard deviations like `mean` (t, d); NaN where the belief has no covariance."""
    covariance = episode.arrays.get("belief.covariance")
    if covariance is None:
        return np.full_like(mean, np.nan)
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)[:, : mean.shape[1]]
    return np.asarray(np.sqrt(variances.clip(min=0)))


def _levels(probs: np.ndarray, sizes: Sequence[int]) -> list[list[list[float | None]]] | None:
    if np.isnan(probs).any():
        return None
    blocks = np.split(probs, np.cumsum(sizes)[:-1])
    return [[[int(i), _number(block[i])] for i in np.flatnonzero(block >= LEAST)] for block in blocks]


def _factors(probs: np.ndarray, sizes: Sequence[int]) -> list[int]:
    """Sizes of the factors in (n, width) probabilities: the world's own where they fit, else where sums reach 1.

    What is read is the shortest blocks that every row allows, one block where they do not come out even.
    """
    known = probs[~np.isnan(probs).any(1)]
    for cuts in ([0, *np.cumsum(sizes)], _cuts(known)):
        if cuts[-1] == probs.shape[1]:
            sums = np.add.reduceat(known, cuts[:-1], 1)
            if np.allclose(sums, 1, atol=1e-3):
                return [int(size) for size in np.diff(cuts)]
    return [probs.shape[1]]


def _cuts(probs: np.ndarray) -> list[int]:
    totals, cuts = probs.cumsum(1), [0]
    for place in range(probs.shape[1]):
        if len(probs) and np.allclose(totals[:, place], len(cuts), atol=1e-3):
            cuts.append(place + 1)
    return cuts


def _numbers(values: Any) -> list[float | None]:
    return [_number(value) for value in np.asarray(values, np.float64).tolist()]


def _number(value: float) -> float | None:
    """Four significant digits are more than a picture shows, and what rounding left of nothing is nothing."""
    if not isfinite(value):
        return None
    if abs(value) < 1e-12:
        return 0
    short = float(f"{value:.4g}") if abs(value) < 1e4 else float(round(value))
    return int(short) if short.is_integer() else short
