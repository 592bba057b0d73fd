"""The page: every question with its picture, tables with intervals, differences on shared seeds, and limits."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import fill

from .plots import plot
from .questions import SHARED, chosen, questions
from .runs import Row
from .search import SEEDS
from .sections import SECTIONS, Section, Shown
from .summary import Rows

HEAD = """\
# Feedforward regression and energies that are settled

Claims are made for models that put a cost on internal states too and settle them, against ordinary networks from input
to output. Three of them are put to the test here, on worlds that are made in code: the same data, about the same number
of weights (stated), the same number of steps, {seeds} seeds. What came out is shown, whichever way.

```
python examples/feedforward_vs_energy.py               # this page and its pictures
python examples/feedforward_vs_energy.py --quick       # the same, much too small, in a minute: does everything run?
python examples/feedforward_vs_energy.py --search      # choose the settings anew
```

Numbers are means over seeds 0 to {last} with 95 % intervals (Student's t). *Best on average* and *Differences* are
written by the program: a difference is taken seed by seed (same data, same test), "lower" or "higher" means that its
95 % interval leaves out zero, "not told apart" that it does not. There are many intervals, and none is corrected for
that: one in twenty leaves out a true zero.

{settings}
"""

SETTINGS_CHOSEN = """\
**Settings.** Every learner chose among eight: four rates of Adam ({rates}) times two values of a number of its own, by
the criterion of its question on the seeds {search}, which are not reported, with {tuned}. All else is the same for all
and was fixed before, while trying things out on seed 100. Two choices were made after first searches on seeds 100 and
101: the slowest rate was added for all, and the widths of the law were made wider. What was chosen is at the end.
"""


def write(rows: Sequence[Row], folder: Path) -> Path:
    """Write the page about the rows into a folder, its pictures into `pictures` there."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    seeds = len({row["seed"] for row in rows})
    parts = [_head(seeds)]
    for section in SECTIONS:
        found = Rows([row for row in rows if row["question"] == section.question])
        if found.rows:
            path = plot(section, found, pictures)
            parts.append(_section(section, found, path.relative_to(folder)))
    parts += [_settings(), _versions()]
    page = folder / "feedforward_vs_energy.md"
    page.write_text("\n".join(parts))
    return page


def _head(seeds: int) -> str:
    every = [question for question in questions().values() if question.name not in SHARED]
    candidates = every[0].learners[0].candidates
    rates = ", ".join(str(rate) for rate in sorted({candidate.rate for candidate in candidates}))
    tuned = ", ".join(f"{_listed(question.tuned_on)} data ({question.name})" for question in every)
    settings = fill(SETTINGS_CHOSEN.format(rates=rates, search=_listed(SEEDS), tuned=tuned), 120)
    return HEAD.format(seeds=seeds, last=seeds - 1, settings=settings)


def _section(section: Section, rows: Rows, picture: Path) -> str:
    lines = [f"## {section.title}", "", section.setup, "", f"![{section.title}]({picture.as_posix()})", ""]
    lines += ["Best on average:", ""]
    for shown in section.shown[: section.plotted]:
        lines.append(f"- {shown.name}: {rows.leaders(shown.measure, highest=shown.highest)}")
    lines.append("")
    for shown in section.shown:
        lines += [_table(shown, rows), ""]
    lines += ["### Differences", ""]
    labels = {shown.measure: shown.name for shown in section.shown}
    for measure in dict.fromkeys(pair.measure for pair in section.compared):
        lines += [f"{labels[measure].capitalize()}:", ""]
        pairs = [pair for pair in section.compared if pair.measure == measure]
        lines += [f"- {rows.compared(pair.one, pair.other, measure)}" for pair in pairs]
        lines.append("")
    return "\n".join([*lines, "### What it does not say", "", section.limits, ""])


def _table(shown: Shown, rows: Rows) -> str:
    sizes = rows.sizes
    head = [f"| {shown.label} | weights | " + " | ".join(f"n = {size:,}" for size in sizes) + " |"]
    head.append("| --- | --: |" + " --: |" * len(sizes))
    for variant in rows.variants:
        cells = [_cell(rows, variant, shown, size) for size in sizes]
        if any(cells):
            head.append(f"| {variant} | {rows.weights(variant):,} | " + " | ".join(cells) + " |")
    return "\n".join(head)


def _cell(rows: Rows, variant: str, shown: Shown, size: int) -> str:
    found = rows.estimate(variant, shown.measure, size)
    if found is None:
        return ""
    mean, low, high = (f"{value:,.{shown.decimals}f}" for value in (found.mean, found.low, found.high))
    return mean if found.low == found.high else f"{mean} [{low}, {high}]"


def _settings() -> str:
    lines = [
        "## Settings that were chosen",
        "",
        "| question | learner | rate | its own number | |",
        "| --- | --- | --: | --: | --- |",
    ]
    picked = chosen()
    for question in questions().values():
        if question.name in SHARED:
            continue
        for learner in question.learners:
            setting = picked[question.name][learner.name]
            lines.append(f"| {question.name} | {learner.name} | {setting.rate} | {setting.extra:g} | {learner.extra} |")
    return "\n".join([*lines, ""])


def _versions() -> str:
    names = ", ".join(f"{name} {version(name)}" for name in ("agentic", "torch", "numpy", "matplotlib"))
    return (
        f"Made with Python {platform.python_version()}, {names}, one thread for each process. The same versions on the "
        "same kind of processor\ngive the same page, to the byte, whatever the number of workers.\n"
    )


def _listed(parts: Sequence[object]) -> str:
    return " and ".join(str(part) for part in parts)
