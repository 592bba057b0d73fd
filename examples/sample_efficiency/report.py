"""What was found, for people: a line for each run, a Markdown table of all."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from . import protocol
from .jobs import Row


def place(row: Row) -> tuple[str, str, str]:
    """What a row is a seed of."""
    return row["task"], row["learner"], row["variant"]


def line(row: Row) -> str:
    """One run: when it was solved, whether it stays, every look, and its seconds of processor time."""
    name = " ".join(filter(None, place(row)))
    if row["failed"]:
        return f"{name}  seed {row['seed']}  failed: {row['failed']}"
    looks = "  ".join(map(protocol.shown, row["looks"]))
    solved = f"solved at {shown(row)}  stays {row['stays']}"
    return f"{name}  seed {row['seed']}  {solved}   {looks}   {row['seconds']:.0f} s"


def shown(row: Row) -> str:
    """The first step at which the threshold was reached, "> cap", or "failed"."""
    if row["failed"]:
        return "failed"
    return f"> {row['cap']:,}" if row["solved"] is None else f"{row['solved']:,}"


def table(found: Sequence[Row]) -> Iterator[str]:
    """The lines of a Markdown table: a line for each task, learner and variant, every seed in it."""
    titles = ("task (threshold)", "learner", "solved in time", "of those stay", "median", "first look at it, by seed")
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    order = {each: position for position, each in enumerate(dict.fromkeys(map(place, found)))}
    for each, group in groupby(sorted(found, key=lambda row: (order[place(row)], row["seed"])), key=place):
        rows = list(group)
        name, learner, variant = each
        timely = [row for row in rows if row["solved"] is not None and row["solved"] <= row["wanted"]]
        looked = [row["stays"] for row in timely if row["stays"] is not None]
        middle = median(float("inf") if row["solved"] is None else row["solved"] for row in rows)
        cells = (
            f"{name} ({rows[0]['threshold']:g})",
            f"{learner}, {variant}" if variant else learner,
            f"{len(timely)} of {len(rows)} in {rows[0]['wanted']:,}",
            f"{sum(looked)} of {len(looked)}" if looked else "-",
            f"> {rows[0]['cap']:,}" if middle == float("inf") else f"{middle:,.0f}",
            ", ".join(f"{shown(row)}{'' if row['stays'] in (True, None) else ' (falls)'}" for row in rows),
        )
        yield f"| {' | '.join(cells)} |"
