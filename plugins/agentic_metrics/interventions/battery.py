"""The smallest world in which a planner, a reflex, a habit and a rock differ in what a changed world makes of them.

A grid of 5 x 5 cells with a goal in each corner of the last column: the lower pays 1, the upper .6. Whoever is in a
goal is paid for any action, and the episode ends. Starts are the other cells, equally likely.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from agentic import Truth
from agentic_metrics.finite.world import Floats, World, planner
from agentic_metrics.interventions import changes

SIDE, ACTIONS, END = 5, 5, 25  # cells in a row; north, south, east, west, stay; the state after the episode
NORTH, SOUTH, EAST, WEST, STAY = range(ACTIONS)
MOVES = ((-1, 0), (1, 0), (0, 1), (0, -1), (0, 0))
GOALS = {24: 1.0, 4: 0.6}
HORIZON, DISCOUNT = 60, 0.9
FENCE = [(5 * row + 3 + side, 5 * row + 4 - side) for row in (2, 3, 4) for side in (0, 1)]
CHANGES: Mapping[str, Callable[[Truth], Truth]] = {
    "deval": partial(changes.devalue, outcome=1.0),
    "swap": partial(changes.swap, one=1.0, other=0.6),
    "wall": partial(changes.wall, passages=FENCE),
    "remap": partial(changes.remap, order=[NORTH, SOUTH, WEST, EAST, STAY]),
}
DEPTHS = (1, 3, 5, 40)


def battery_truth() -> Truth:
    """The truth of the world: 25 cells, row by row, and the state in which the episode is over."""
    moves, rewards = np.zeros((END + 1, END + 1, ACTIONS)), np.zeros((END + 1, ACTIONS))
    for cell in range(END):
        for action, (down, right) in enumerate(MOVES):
            row, column = divmod(cell, SIDE)
            place = row + down, column + right
            inside = all(0 <= at < SIDE for at in place)
            moves[END if cell in GOALS else SIDE * place[0] + place[1] if inside else cell, cell, action] = 1.0
        rewards[cell] = GOALS.get(cell, 0.0)
    moves[END, END] = 1.0
    start = np.isin(np.arange(END + 1), [*GOALS, END], invert=True) / (END - len(GOALS))
    ends = (np.arange(END + 1) == END).astype(np.float64)
    return {"A": [np.eye(END + 1)], "B": [moves], "D": [start], "rewards": rewards, "ends": ends}


def battery_policies() -> dict[str, Callable[[World], Floats]]:
    """The policies of the agents, given the world that they believe in; all but the planners are deaf to it."""
    blind = {
        "rock": np.eye(ACTIONS)[STAY],
        "random": np.full(ACTIONS, 1 / ACTIONS),
        "constant-E": np.eye(ACTIONS)[EAST],
    }
    tables = {name: np.tile(row, (END + 1, 1)) for name, row in blind.items()}
    column = np.arange(END + 1) % SIDE
    tables["reflex"] = np.eye(ACTIONS)[np.where(column == SIDE - 1, SOUTH, EAST)]
    planners = {f"planner-{depth}": partial(planner, depth=depth, discount=DISCOUNT) for depth in DEPTHS}
    tables["clone"] = planners["planner-40"](World.of(battery_truth()))
    deaf = {name: partial(_same, table=table) for name, table in tables.items()}
    return {**deaf, **planners}


def _same(world: World, table: Floats) -> Floats:
    return table
