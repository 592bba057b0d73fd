"""The replay of a run: world, belief, candidate plans and energies of its first episodes, as one piece of HTML.

The piece holds data and no code: `templates/replay.js` and `replay.css` bring every replay of a page to life.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from math import prod
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
from agentic_report.parts import DIGITS, WIDEST, keys, number, parts, pictured, values
from agentic_report.pictures import WIDTHS, Album, observed
from agentic_report.rendering import render
from agentic_report.scenes import Scene, scene

EPISODES, TICKS, BYTES = 3, 600, 300_000
READ = 300_000_000  # bytes of ticks that are read at most
PICTURES = 250_000  # characters of the pictures of a replay, where it is one of many
LEAST = 1e-3  # probabilities below are left out of a belief
SCANTER = [(3, 10, 600), (2, 10, 600), (1, 10, 600), (1, 5, 600), (1, 2, 600), (1, 0, 300), (1, 0, 100), (1, 0, 20)]
"""Episodes, candidates of a tick and ticks of an episode: ever fewer, until a replay is small enough."""


def replay(folder: Path, title: str, pictures: int = PICTURES, *, trust: bool = False) -> str:
    """The HTML of a replay of the run in `folder`, for a page that has `templates/replay.js` and `replay.css`.

    `pictures` is how many characters those may take; a world that is not installed is made where there is `trust`.
    Raises UserError where no evaluation episode was recorded.
    """
    found = story(Record.salvage(folder), pictures, trust=trust)
    data = htmlsafe_json_dumps(found, separators=(",", ":"), allow_nan=False)
    return render("replay", title=title, data=data)


def story(record: Record, pictures: int = PICTURES, *, trust: bool = False) -> dict[str, Any]:
    """The content of a replay, as plain values for strict JSON of at most 300 KB; what is not finite is None.

    An episode of n steps has n + 1 places (`obs`, `frame`) and n of all that was decided. `plans` holds of each step
    the candidates as [actions, probability, terms], each term with its sign in the expected energy, in nats. The
    pictures come on top, in at most so many characters: fewer ticks, and where even few are too much smaller pictures.
    """
    episodes = _first(record)
    if not episodes:
        raise UserError(f"{record.folder} has no evaluation episode to show: record at least one")
    made, plans = scene(record, episodes, pictures, trust=trust), record.candidates()
    seen = {part.name: observed(episodes, part) for part in pictured(episodes[0])}
    for count, best, ticks in SCANTER:
        shown = [_cut(each, ticks) for each in episodes[:count]]
        albums = _albums(made, seen, [each.length + 1 for each in shown])
        found = _story(shown, made, plans, best) | {"albums": []}
        length = len(json.dumps(found, separators=(",", ":")))
        if length <= BYTES and sum(album.size for album in albums.values()) <= pictures:
            break
    for width in WIDTHS[1:]:  # even so few are too much
        if sum(album.size for album in albums.values()) <= pictures:
            break
        smaller = {part.name: observed(shown, part, width) for part in pictured(shown[0])}
        albums = _albums(made, smaller, [each.length + 1 for each in shown])
    return found | {"albums": [{"name": name, **vars(album)} for name, album in albums.items()]}


def _albums(made: Scene, seen: Mapping[str, Album], lengths: Sequence[int]) -> dict[str | None, Album]:
    """The pictures of the episodes that are shown: first those that the world drew, under None, then those observed."""
    every: dict[str | None, Album] = {None: made.album} if made.album.urls else {}
    return {name: album.cut(lengths) for name, album in (every | dict(seen)).items()}


def _first(record: Record) -> list[EpisodeRecord]:
    """The first evaluation episodes of row 0, whole ones as long as they are not too many ticks."""
    if not record.columns:
        return []
    shown = (pc.field("phase") == "evaluate") & (pc.field("row") == 0)
    counted = record.table(["episode"], shown)["episode"].value_counts().to_pylist()
    lengths = dict(sorted((each["values"], each["counts"]) for each in counted)[:EPISODES])
    most = min(TICKS, max(20, READ // _width(record.table(where=shown & (pc.field("t") < 0)))))
    whole = [each for each, end in zip(lengths, accumulate(lengths.values()), strict=True) if end <= most]
    wanted = pc.field("episode").isin(whole or [*lengths][:1]) & (pc.field("t") < most)
    return record.episodes("evaluate", shown & wanted)


def _width(table: pa.Table) -> int:
    """About how many bytes a tick takes when it is read."""
    widths = [
        field.type.byte_width if pa.types.is_fixed_size_binary(field.type) else 8 * prod(shapes.get(field.name, [1]))
        for shapes in [shapes_of(table)]
        for field in table.schema
    ]
    return sum(widths) or 1


def _cut(episode: EpisodeRecord, ticks: int) -> EpisodeRecord:
    return replace(episode, arrays={name: array[:ticks] for name, array in episode.arrays.items()})


def _story(episodes: Sequence[EpisodeRecord], made: Scene, plans: pa.Table, best: int) -> dict[str, Any]:
    shown = [[*places[: each.length + 1]] for each, places in zip(episodes, made.places, strict=False)]
    used = {place: i for i, place in enumerate(sorted({place for places in shown for place in places}))}
    terms, courses = _candidates(episodes, plans, best) if best and len(plans) else _chosen(episodes)
    seen, acted = parts(episodes[0], "obs"), parts(episodes[0], "action")
    total = sum(part.size for part in seen)
    words = made.words.observations if len(made.words.observations) == total <= WIDEST else ()
    about, beliefs = _beliefs(episodes, made, total)
    reported = [
        {
            "frame": [used[place] for place in shown[i]] if shown and made.frames else [],
            "obs": values(each, seen, "next_"),
            "texts": {name: found[i][: each.length + 1] for name, found in made.texts.items()},
            "action": values(each, acted),
            "reward": _numbers(each.arrays["reward"]),
            "end": _end(each),
            "energies": {name: _numbers(each.arrays[f"energy.{name}"]) for name in _energies(episodes)},
            "belief": beliefs[i],
            "plans": courses[i],
        }
        for i, each in enumerate(episodes)
    ]
    return {
        "scene": made.kind if made.kind != "bars" or not pictured(episodes[0]) else "seen",
        "note": made.note,
        "actions": made.words.actions,
        "observations": words or [label for part in seen for label in part.labels],
        "seen": [part.summary for part in seen],
        "done": [part.summary for part in acted],
        "frames": [made.frames[place] for place in used] if made.frames else [],
        "belief": about,
        "terms": terms,
        "opens": _telling(episodes),
        "episodes": reported,
    }


def _telling(episodes: Sequence[EpisodeRecord]) -> int:
    """The episode that a replay opens with: of those shown to their end the one that earned most, the first of equals.

    Where none came to its end, of all.
    """
    ended = [i for i, each in enumerate(episodes) if each.complete] or [*range(len(episodes))]
    return max(ended, key=lambda i: (np.nan_to_num(episodes[i].total, nan=-np.inf), -i))


def _end(episode: EpisodeRecord) -> str:
    last = [flag for flag in ("terminated", "truncated") if episode.arrays[flag][-1]]
    return last[0] if last else "cut here"


def _energies(episodes: Sequence[EpisodeRecord]) -> list[str]:
    return [name.removeprefix("energy.") for name in episodes[0].arrays if name.startswith("energy.")]


def _chosen(episodes: Sequence[EpisodeRecord]) -> tuple[list[str], list[list[Any]]]:
    """The parts of the expected energy that the ticks have: one course a step, what was chosen, its plan not known."""
    names = _energies(episodes)
    weighed = names[names.index("expected_energy") + 1 :] if "expected_energy" in names else []
    weighed = [name for name in weighed if name not in ("risk", "ambiguity")]  # of the next step, not of the plan
    courses = []
    for each in episodes:
        signed = [sign(name) * each.arrays[f"energy.{name}"] for name in weighed]
        actions = values(each, parts(each, "action"))
        rows = np.stack(signed, 1) if signed else np.empty((each.length, 0))
        courses.append(
            [[[[action], None, _numbers(row)]] if weighed else [] for action, row in zip(actions, rows, strict=True)]
        )
    return [_label(name) for name in weighed], courses


def _candidates(episodes: Sequence[EpisodeRecord], plans: pa.Table, best: int) -> tuple[list[str], list[list[Any]]]:
    """The terms' labels, and of each episode and step the candidates."""
    names = [name for name in plans.column_names if name.startswith("term.")]
    signs = np.array([sign(name.removeprefix("term.")) for name in names])
    shapes, courses = shapes_of(plans), []
    kept = [(f"plan{part.column.removeprefix('action')}", part.kept) for part in parts(episodes[0], "action")]
    for each in episodes:
        steps: list[Any] = [[] for _ in range(each.length)]
        wanted = (pc.field("phase") == "evaluate") & (pc.field("row") == each.row) & (pc.field("rank") < best)
        for row in plans.filter(wanted & (pc.field("episode") == each.episode)).to_pylist():
            if row["t"] < each.length:
                acts = [_rows(np.reshape(row[key], shapes[key]))[:, :count] for key, count in kept]
                actions = np.concatenate(acts, 1)[:WIDEST].tolist()
                terms = signs * np.array([np.nan if row[name] is None else row[name] for name in names])
                course = [[[number(x, DIGITS) for x in action] for action in actions], number(row["probability"])]
                steps[row["t"]].append([*course, _numbers(terms)])
        courses.append(steps)
    return [_label(name.removeprefix("term.")) for name in names], courses


def _rows(plan: np.ndarray) -> np.ndarray:
    """The numbers of each action of a plan, (steps, n)."""
    return plan.reshape(len(plan), -1)


def _label(term: str) -> str:
    words = term.replace("_", " ")
    return f"− {words}" if sign(term) < 0 else words


def _beliefs(
    episodes: Sequence[EpisodeRecord], made: Scene, seen: int
) -> tuple[dict[str, Any] | None, list[list[Any]]]:
    """What kind of belief there is, and of each episode and step its numbers.

    "factors": the probable levels of each factor, [index, probability], by itself where the belief is a joint one.
    "points": [means, standard deviations], the `range` of each component over all episodes, how many are `left` out,
    and whether they are the numbers `seen`, as many as those.
    """
    fields = keys(episodes[0].arrays, "belief")
    if not fields:
        return None, [[] for _ in episodes]
    if fields == ["probs"]:
        probs = [each.arrays["belief.probs"] for each in episodes]
        names, sizes = made.words.factors, made.sizes
        if len(sizes) > 1 and prod(sizes) == probs[0].shape[1]:
            probs = [_marginals(part, sizes) for part in probs]
        cuts = _factors(np.concatenate(probs), sizes)
        about: dict[str, Any] = {"kind": "factors", "sizes": cuts, "names": names if len(names) == len(cuts) else ()}
        return about, [[_levels(row, cuts) for row in part] for part in probs]
    first = "mean" if "mean" in fields else fields[0]
    whole = [each.arrays[f"belief.{first}"].reshape(each.length, -1) for each in episodes]
    means, size = [each[:, :WIDEST] for each in whole], whole[0].shape[1]
    spreads = [_spread(each, mean) for each, mean in zip(episodes, means, strict=True)]
    every, wide = np.concatenate(means), 2 * np.nan_to_num(np.concatenate(spreads))
    about = {"kind": "points", "range": [_numbers((every - wide).min(0)), _numbers((every + wide).max(0))]}
    about |= {"left": max(0, size - WIDEST), "same": size == seen <= WIDEST}
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
    return [[[int(i), number(block[i])] for i in np.flatnonzero(block >= LEAST)] for block in blocks]


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
    """Four significant digits are more than a picture shows, and what rounding left of nothing is nothing."""
    return [number(0.0 if abs(value) < 1e-12 else value) for value in np.asarray(values, np.float64).tolist()]
