"""The T-maze that is walked: five places, of which only neighbors can be reached, and a cue of its own."""

from typing import final

import numpy as np

from agentic_envs import drawing
from agentic_envs.checks import checked_probability
from agentic_envs.finite import Arrays, FiniteWorld

CENTER, LEFT, RIGHT, CUE, MIDDLE = range(5)
NEIGHBORS = ((CENTER, CUE), (CENTER, MIDDLE), (MIDDLE, LEFT), (MIDDLE, RIGHT))
PLACES = {LEFT: (0, 0), MIDDLE: (0, 1), RIGHT: (0, 2), CENTER: (1, 1), CUE: (2, 1)}  # row and column in the picture


@final
class AdjacentTMaze(FiniteWorld):
    """A maze of two arms, one with a reward and the other with a punishment; the cue lies in the other direction.

    From the center one reaches the cue or the middle, from the middle the arms. What the arms hold shows with
    probability `certainty`, at every step anew; the cue is right with probability `validity`.

    Hidden state: `location` (center, left, right, cue, middle), moved by the agent, and `side` (left, right), drawn
    uniformly at reset and static.
    Actions, Discrete(5): go to a place; where it is no neighbor, the agent stays.
    Observations, MultiDiscrete([5, 3, 3]): the place; the outcome, 0 nothing, 1 reward, 2 punishment; the cue, 0
    nothing, 1 left, 2 right.
    Reward: +1 for a reward seen, -1 for a punishment, else 0. Never terminated, truncated after `steps` moves; arms
    do not absorb. `validity` and `certainty` may be changed by a wrapper.

    Source: `TMaze` of pymdp (Heins et al. 2022). `TMaze` here is its simplified one.
    """

    metadata = drawing.RENDERING | {
        "words": {
            "actions": ["center", "left arm", "right arm", "cue", "middle"],
            "observations": ["place", "outcome", "cue"],
            "factors": ["location", "side"],
        }
    }
    numbers = ("validity", "certainty")
    outcome = 1
    values = (0.0, 1.0, -1.0)

    def __init__(
        self, steps: int = 8, validity: float = 0.95, certainty: float = 1.0, render_mode: str | None = None
    ) -> None:
        self.validity, self.certainty = validity, certainty
        super().__init__(steps, render_mode)

    def arrays(self) -> Arrays:
        right, sure = (checked_probability(name, value) for name, value in zip(self.numbers, self._read(), strict=True))
        outcome, cue = np.zeros((3, 5, 2)), np.zeros((3, 5, 2))
        outcome[0] = cue[0] = 1.0
        outcome[:, LEFT] = np.array([[1 - sure, 1 - sure], [sure, 0], [0, sure]])
        outcome[:, RIGHT] = outcome[:, LEFT, ::-1]
        cue[:, CUE] = np.array([[0, 0], [right, 1 - right], [1 - right, right]])
        moves = np.repeat(np.eye(5)[:, :, None], 5, axis=2)
        for pair in NEIGHBORS:
            for here, there in (pair, pair[::-1]):
                moves[:, here, there] = np.eye(5)[there]
        stays = np.repeat(np.eye(2)[:, :, None], 5, axis=2)
        starts = [np.eye(5)[CENTER], np.full(2, 0.5)]
        return Arrays([np.eye(5), outcome, cue], [moves, stays], starts, {"A": [[0], [0, 1], [0, 1]]})

    def _text(self) -> str:
        location, side = self.state
        marks = {CENTER: ".", LEFT: "-", RIGHT: "-", CUE: "?", MIDDLE: ".", LEFT + side: "+", location: "@"}
        return f"{marks[LEFT]}{marks[MIDDLE]}{marks[RIGHT]}\n {marks[CENTER]} \n {marks[CUE]} \n"

    def _picture(self) -> drawing.Image:
        location, side = self.state
        colors = np.full((3, 3, 3), drawing.WALL, dtype=np.uint8)
        colors[PLACES[CENTER]] = colors[PLACES[MIDDLE]] = drawing.FLOOR
        colors[PLACES[CUE]] = drawing.HINT
        colors[PLACES[LEFT + side]], colors[PLACES[RIGHT - side]] = drawing.GOOD, drawing.BAD
        return drawing.with_disc(drawing.tiled(colors), *PLACES[location], drawing.AGENT)
