"""Replays that fit on one page: each a fragment of its own, the rest left out and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from markupsafe import Markup

from agentic.errors import BREAKS, described
from agentic_report.replay import PICTURES, replay

ROOM = 2_300_000  # characters: with plotly.js and the tables a page stays below 8 MB
ALONE = 3_500_000  # characters of the pictures of a replay that is the only one: such a page stays below 10 MB


@final
@dataclass(frozen=True)
class Replays:
    """The replays of a page, by world, agent and fragment; those left out for room, and why others `failed`.

    `telling` are world and agent of the one that the page's first sentence is about.
    """

    shown: Sequence[tuple[str, str, Markup]]
    left: Sequence[str]
    failed: Sequence[tuple[str, str]]
    telling: tuple[str, str] | None = None

    @property
    def opens(self) -> tuple[str, str] | None:
        """World and agent of the one that is shown first: the telling one, else the longest in the first world."""
        if any(each[:2] == self.telling for each in self.shown):
            return self.telling
        first = [each for each in self.shown if each[0] == self.shown[0][0]]
        longest = max(first, key=lambda each: len(each[2]), default=None)
        return longest and longest[:2]


def replays(
    units: Sequence[tuple[str, str, Path]], telling: tuple[str, str] | None = None, *, trust: bool = False
) -> Replays:
    """The replays of runs, given as world, agent and folder, in this order as long as there is room.

    Worlds that are not installed are made where there is `trust`.
    """
    pictures = ALONE if len(units) == 1 else PICTURES
    shown, left, failed, room = [], [], [], ROOM + (ALONE if len(units) == 1 else 0)
    for world, agent, folder in units:
        title = f"{agent} in {world}"
        try:
            fragment = replay(folder, title, pictures, trust=trust) if room > 0 else ""
        except BREAKS as error:  # no episode, half a record, or a third party's world that is broken
            failed.append((title, described(error)))
            continue
        if fragment and len(fragment) <= room:
            shown.append((world, agent, Markup(fragment)))
            room -= len(fragment)
        else:
            left.append(title)
    worlds = [world for world, _, _ in units]
    return Replays(sorted(shown, key=lambda each: worlds.index(each[0])), left, failed, telling)
