"""What a changed world makes of nine agents that its records cannot all tell apart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agentic_metrics import OutcomeDevaluation, World, adaptation_index, battery_policies, battery_truth
from agentic_metrics.finite.places import choices
from agentic_metrics.interventions.battery import CHANGES, DISCOUNT, HORIZON
from figures.style import COLORS, picture

SHOWN = {"deval": "goal devalued", "swap": "rewards swapped", "wall": "wall", "remap": "actions swapped"}


def draw(folder: Path) -> Iterator[Path]:
    """Bars of devaluation, and the adaptation index of each agent under each of four changes."""
    path = folder / "adaptation.svg"
    names, shifts, indices = _measured()
    with picture(path, columns=2, figsize=(9.2, 3.6), sharey=True) as (left, right):
        places = np.arange(len(names))
        left.barh(places, shifts, color=COLORS[0])
        left.set_yticks(places, names)
        left.invert_yaxis()
        left.set_xlim(0, 1)
        left.set_xlabel("change of policy after devaluation (bits)")
        for i, (change, label) in enumerate(SHOWN.items()):
            offset = (i - (len(SHOWN) - 1) / 2) * 0.16
            right.plot(indices[change], places + offset, "o", color=COLORS[i], label=label, markersize=5)
        right.axvline(0, color="0.6", linewidth=0.8)
        right.axvline(1, color="0.6", linewidth=0.8, linestyle="--")
        right.set_xlabel("adaptation index: 0 acts as before, 1 plans anew")
        right.legend(loc="center", frameon=False)
    yield path


def _measured() -> tuple[list[str], list[float], dict[str, list[float]]]:
    """Names, devaluation in bits, and the index under each change."""
    truth = battery_truth()
    world = World.of(truth)
    changed = {name: World.of(change(truth)) for name, change in CHANGES.items()}
    policies = battery_policies()
    span: dict[str, Any] = {"horizon": HORIZON, "discount": DISCOUNT}
    shifts, indices = [], {name: [] for name in CHANGES}  # type: tuple[list[float], dict[str, list[float]]]
    for policy in policies.values():
        before = policy(world)
        shifts.append(OutcomeDevaluation().of_policies(before, policy(changed["deval"]), choices(world)).value)
        for name, after in changed.items():
            indices[name].append(adaptation_index(after, before, policy(after), **span))
    return list(policies), shifts, indices
