"""What was measured, as tables for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.agents import Thought
from benchmarks.empowerment import Map
from benchmarks.information import Measured, missing
from benchmarks.loop import RUNGS, Loops
from benchmarks.sample import Sample
from benchmarks.start import Start


def loop_tables(loops: Sequence[Loops]) -> list[Table]:
    """The ratios, and where the time goes."""
    return [_ratios(loops), _split(loops)]


def _ratios(loops: Sequence[Loops]) -> Table:
    table = _table(
        "Loop: agentic (random agent, recorded to a folder) over a bare Gymnasium loop (records nothing)",
        "us per step of all rows: median (min-max). Ratios: median of the repeats (min-max); that of the two bests.\n"
        "Resets per 1,000 environment steps: ours / bare.",
        ["world"],
        ["ours", "bare, sample()", "bare, precomputed", "ratio to sample()", "ratio to precomputed", "resets"],
    )
    for each in loops:
        ours, drawing, precomputed = (each.micros[name] for name in ("folder", "drawing", "precomputed"))
        cells = [spread(ours), spread(drawing), spread(precomputed), _ratio(ours, drawing), _ratio(ours, precomputed)]
        table.add_row(each.world, *cells, f"{each.resets[0]:.1f} / {each.resets[1]:.1f}")
    return table


def _split(loops: Sequence[Loops]) -> Table:
    once = ", ".join(f"{each.once.median:.0f}" for each in loops)
    table = _table(
        "Loop: where the time goes, each line what it adds to those above",
        f"us per step of all rows, best repeat of each, and its share.\n"
        f"Not in the loop: {once} ms once per run() for manifest and folder.",
        ["part"],
        [each.world for each in loops],
    )
    for name, label in RUNGS.items():
        added = [(each.split()[name], each.micros["folder"].low) for each in loops]
        table.add_row(label, *[f"{_number(part)}  {part / whole:4.0%}" for part, whole in added])
    table.add_section()
    table.add_row("all of it", *[f"{_number(each.micros['folder'].low)}  100%" for each in loops])
    return table


def start_table(starts: Sequence[Start]) -> Table:
    """Best, median and worst start of each command."""
    caption = (
        f"Seconds of the whole process, {len(starts[0].taken.values)} starts each after a first that is not counted."
    )
    table = _table("Process start", caption, ["command"], ["best", "median", "worst"])
    for each in starts:
        table.add_row(each.command, *[f"{value:.3f}" for value in (each.taken.low, each.taken.median, each.taken.high)])
    return table


def agents_table(thoughts: Sequence[Thought]) -> Table:
    """Each agent's tick beside the random agent's."""
    table = _table(
        "Agents: one tick (one environment, nothing recorded)",
        "us: median (min-max). The first tick is that of an agent just made, in ms.",
        ["world", "agent"],
        ["tick", "random agent's", "ratio", "first tick, ms"],
    )
    for each in thoughts:
        ratio, first = spread(each.tick.over(each.random)), "-" if each.first is None else spread(each.first)
        table.add_row(each.world, each.agent, spread(each.tick), spread(each.random), ratio, first)
    return table


def empowerment_table(maps: Sequence[Map]) -> Table:
    """The map of each horizon beside the unmerged one and dit."""
    caption = (
        "States per second: median (min-max), bounds certified to 1e-6 bits. dit is given the channels ready made and\n"
        "certifies nothing; unmerged and dit on a sample of the cells. Apart: how far ours and unmerged differ, bits."
    )
    numbers = ["ours", "unmerged", "ratio", "dit", "ratio", "apart"]
    table = _table("Empowerment: a grid of 50 x 50 cells, 5 actions", caption, ["cells", "steps"], numbers)
    for each in maps:
        dit = ["-", "-"] if each.dit is None else [spread(each.dit), spread(each.ours.over(each.dit))]
        cells = [spread(each.ours), spread(each.unmerged), spread(each.ours.over(each.unmerged)), *dit]
        table.add_row(each.world, str(each.horizon), *cells, f"{each.apart:.0e}")
    return table


def information_table(measured: Sequence[Measured]) -> Table:
    """Each package's time, and how many times ours the best peer takes."""
    absent = "".join(f"\n{name} is not installed: skipped." for name in missing())
    table = _table(
        "Information from nearest neighbors, k = 4, one processor",
        f"ms: median (min-max). Apart: the largest difference of a peer's value from ours, in bits.{absent}",
        ["what", "samples"],
        ["ours", "ennemi", "infomeasure", "best peer / ours", "apart"],
    )
    for each in measured:
        cells = [spread(each.taken[name]) if name in each.taken else "-" for name in ("ours", "ennemi", "infomeasure")]
        ratio = spread(each.taken[each.best_peer].over(each.taken["ours"])) if each.best_peer else "-"
        apart = max(abs(value - each.bits["ours"]) for value in each.bits.values())
        table.add_row(each.what, f"{each.count:,}", *cells, ratio, f"{apart:.1g}")
    return table


def spread(sample: Sample) -> str:
    """The median, and from where to where."""
    return f"{_number(sample.median)} ({_number(sample.low)}-{_number(sample.high)})"


def _ratio(ours: Sample, theirs: Sample) -> str:
    return f"{spread(ours.over(theirs))}; {ours.low / theirs.low:.2f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 10 else f"{value:.2f}"


def _table(title: str, caption: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def console() -> Console:
    """Standard output; not so narrow when piped that numbers are cut."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=160)
