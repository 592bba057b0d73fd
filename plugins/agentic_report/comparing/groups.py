"""Groups of runs that differ in their seed alone, each called by what makes it another."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from agentic.errors import UserError, listed, suggest
from agentic_report.comparing.trial import Trial
from agentic_report.listing.conditions import text_of

FIRST = ("agent.name", "agent.from", "model.name", "planner.name", "planner.horizon")  # to call a group by
SHORT = {"agent": "agent.name", "env": "env.id"}
LONGEST = 24  # letters of a value in a label


@final
@dataclass(frozen=True, eq=False)
class Group:
    """Runs by their seeds, of one configuration or more; `differing` are the values that other groups have not."""

    label: str
    trials: Sequence[Trial]
    differing: Mapping[str, Any]

    @property
    def seeds(self) -> list[int]:
        """The seeds in order, each once; without those that are not known."""
        return [*dict.fromkeys(each.seed for each in self.trials if each.seed is not None)]

    @property
    def sources(self) -> dict[int | str, list[int]]:
        """The places of the runs of each seed; a run whose seed is not known has a source of its own."""
        found = dict[int | str, list[int]]()
        for place, each in enumerate(self.trials):
            found.setdefault(each.source, []).append(place)
        return found

    @property
    def uneven(self) -> bool:
        """Whether its seeds have runs of other configurations, so that means of their runs differ in that too."""
        every = [{_frozen(self.trials[place].settings) for place in places} for places in self.sources.values()]
        return any(each != every[0] for each in every)

    @property
    def counted(self) -> str:
        """The number of seeds, and that of runs where it is another."""
        return counted(len(self.sources), len(self.trials))


def counted(seeds: int, runs: int) -> str:
    """The number of seeds, and that of runs where it is another: `3 (13 runs)`."""
    return f"{seeds}" if seeds == runs else f"{seeds} ({runs} runs)"


def grouped(trials: Sequence[Trial], by: Sequence[str] = ()) -> tuple[list[Group], list[str]]:
    """The groups in the order of their first run, and sentences on what was left out.

    They differ in anything but the seed, or in the keys `by` alone. Of runs that agree in all, seed included, the last
    counts: it is no evidence more. Raises UserError for a key that no run has.
    """
    by = [SHORT.get(key, key) for key in by]
    for key in by:
        known = list(dict.fromkeys(name for each in trials for name in each.settings))
        if key not in known:
            raise UserError(f"no run has {key!r} to group by{suggest(key, known)}; known: {listed(known)}")
    parts = dict[str, list[Trial]]()
    for each in trials:
        own = {key: each.settings.get(key) for key in by} if by else each.settings
        parts.setdefault(_frozen(own), []).append(each)
    differing = _differing([each[0].settings for each in parts.values()], by)
    labels = _labels([{key: each[0].settings.get(key) for key in differing} for each in parts.values()])
    if len(parts) == 1:
        labels = [text_of(trials[0].settings.get("agent.name") or "all runs")]
    return named(dict(zip(labels, parts.values(), strict=True)), by)


def named(parts: Mapping[str, Sequence[Trial]], by: Sequence[str] = ()) -> tuple[list[Group], list[str]]:
    """The groups that somebody made, by label, and sentences on what was left out."""
    differing = _differing([each[0].settings for each in parts.values()], by)
    groups, notes = list[Group](), list[str]()
    for label, every in parts.items():
        once = list({(_frozen(each.settings), each.source): each for each in every}.values())
        if repeated := len(every) - len(once):
            runs = "a run repeats" if repeated == 1 else f"{repeated} runs repeat"
            later = "a later one, and is" if repeated == 1 else "later ones, and are"
            notes.append(f"{label}: {runs} the configuration and the seed of {later} left out")
        if len({_frozen(each.settings) for each in once}) > 1:
            notes.append(f"{label}: its runs differ in more than their seeds")
        once.sort(key=lambda each: (each.seed is None, each.seed or 0))
        own = {key: once[0].settings[key] for key in differing if key in once[0].settings}
        groups.append(Group(label, once, own))
    return groups, notes


def _differing(every: Sequence[Mapping[str, Any]], by: Sequence[str]) -> list[str]:
    """The keys in which configurations differ, those to call a group by first."""
    keys = [*by] or [*FIRST, *dict.fromkeys(key for each in every for key in each)]
    return [key for key in dict.fromkeys(keys) if len({_frozen(each.get(key)) for each in every}) > 1]


def _labels(every: Sequence[Mapping[str, Any]]) -> list[str]:
    """A label for each group, of as few differing values as tell all apart."""
    if len(every) == 1:
        return [""]
    chosen = ["agent.name"] if "agent.name" in every[0] else []
    keys = [key for key in every[0] if key not in chosen]
    while keys and _apart(every, chosen) < len(every):
        best = max(keys, key=lambda key: (_apart(every, [*chosen, key]), -keys.index(key)))
        chosen.append(best)
        keys.remove(best)
    chosen.sort(key=[*every[0]].index)
    tails = [_plain(key).rpartition(".")[2] for key in chosen]
    names = {key: tail if tails.count(tail) == 1 else _plain(key) for key, tail in zip(chosen, tails, strict=True)}
    rounded, exact = (
        [", ".join(_said(key, name, each.get(key), short) for key, name in names.items()) for each in every]
        for short in (True, False)
    )
    said = exact if len({*exact}) > len({*rounded}) else rounded
    found = [text if said.count(text) == 1 else f"{text} ({place + 1})" for place, text in enumerate(said)]
    return found if len({*found}) == len(found) else [f"{place}. {text}" for place, text in enumerate(said, 1)]


def _apart(every: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> int:
    chosen = [*keys]
    return len({_frozen([each.get(key) for key in chosen]) for each in every})


def _said(key: str, name: str, value: Any, short: bool) -> str:
    """A value in a label: `horizon=3`; an agent by its name alone; of what is not there that it is not."""
    if value is None:
        return f"no {name}"
    text = f"{value:.6g}" if short and isinstance(value, float) else text_of(value)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return text if key == "agent.name" else f"{name}={text}"


def _plain(key: str) -> str:
    return key.removesuffix(".name").removesuffix(".id")


def _frozen(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
