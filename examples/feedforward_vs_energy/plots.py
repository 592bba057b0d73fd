"""One picture for each question: the measures against the number of data, with intervals."""

from pathlib import Path

import numpy as np
from matplotlib import rc_context

from figures.style import COLORS, picture

from .sections import Section
from .summary import Rows

MARKERS = "osD^vP*"


def plot(section: Section, rows: Rows, folder: Path) -> Path:
    """Draw the section's picture into a folder."""
    path = folder / f"feedforward_vs_energy_{section.question}.svg"
    panels = section.shown[: section.plotted]
    look = rc_context({"svg.hashsalt": "agentic"})  # the same numbers give the same bytes
    with look, picture(path, columns=len(panels), figsize=(4.2 * len(panels), 4.4), squeeze=False) as axes:
        for axis, shown in zip(axes[0], panels, strict=True):
            for place, variant in enumerate(rows.variants):
                sizes = [size for size in rows.sizes if rows.values(variant, shown.measure, size)]
                found = [rows.estimate(variant, shown.measure, size) for size in sizes]
                means = np.array([each.mean for each in found if each])
                reach = np.array([each.high - each.mean for each in found if each])
                if shown.logarithmic:
                    reach = np.stack([np.minimum(reach, 0.9 * means), reach])
                apart = np.array(sizes) * 1.03 ** (place - len(rows.variants) / 2)  # where they would hide each other
                style = {"color": COLORS[place % len(COLORS)], "marker": MARKERS[place % len(MARKERS)]}
                axis.errorbar(apart, means, reach, label=variant, markersize=4, linewidth=1, capsize=2, **style)
            axis.set(xscale="log", xlabel="number of data", title=shown.name)
            axis.set_xticks(rows.sizes, [f"{size:,}" for size in rows.sizes])
            axis.minorticks_off()
            if shown.logarithmic:
                axis.set_yscale("log")
        figure = axes[0][0].figure
        handles, labels = axes[0][0].get_legend_handles_labels()
        for axis in axes[0][1:]:
            more = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
            new = [label for label in more if label not in labels]
            labels, handles = [*labels, *new], [*handles, *(more[label] for label in new)]
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), frameon=False)
    return path
