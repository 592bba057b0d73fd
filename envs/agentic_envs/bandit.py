"""A bandit whose best arm is hidden, depends on what is shown, and may move: exploring is worth what it tells.

What an arm gives depends on the state in which it is pulled, so that factors of the state act on each other.
"""

from typing import final

import numpy as np

from agentic_envs import drawing
from agentic_envs.checks import checked_probability
from agentic_envs.finite import Arrays, FiniteWorld

NOTHING, LOSS, WIN = range(3)


@final
class Bandit(FiniteWorld):
    """A slot machine of `arms`, one of which wins with probability `high` and the others with `low`.

    Which one that is depends on a `context` that is shown: in context c it is arm (best + c) mod arms. `best` is
    hidden, drawn uniformly at reset, and moves to an arm drawn uniformly with probability `drift` at every step (a
    restless bandit). The context is drawn anew at every step.

    Hidden state: `best`; `context`; `outcome` of the last pull (nothing yet, loss, win).
    Actions, Discrete(arms): the arm to pull in the context that was shown last.
    Observations, MultiDiscrete([contexts, 3]): the context, and the outcome of the last pull.
    Reward: 1 for a win, else 0. Never terminated; truncated after `steps` pulls. `high`, `low` and `drift` may be
    changed by a wrapper.
    """

    metadata = drawing.RENDERING | {
        "words": {"observations": ["context", "outcome"], "factors": ["best", "context", "outcome"]}
    }
    numbers = ("high", "low", "drift")
    values = (0.0, 0.0, 1.0)

    def __init__(
        self,
        arms: int = 3,
        contexts: int = 1,
        high: float = 0.8,
        low: float = 0.2,
        drift: float = 0.0,
        steps: int = 50,
        render_mode: str | None = None,
    ) -> None:
        for name, size, least in (("arms", arms, 2), ("contexts", contexts, 1)):
            if isinstance(size, bool) or not isinstance(size, int) or size < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {size!r}: pass a larger one.")
        self._arms, self._contexts = arms, contexts
        self.high, self.low, self.drift = high, low, drift
        super().__init__(steps, render_mode)

    def arrays(self) -> Arrays:
        high, low, drift = (checked_probability(n, value) for n, value in zip(self.numbers, self._read(), strict=True))
        arms, contexts = self._arms, self._contexts
        best, context, arm = np.ogrid[:arms, :contexts, :arms]
        wins = np.where((best + context) % arms == arm, high, low)
        outcome = np.stack([np.zeros_like(wins), 1 - wins, wins])
        moves = (1 - drift) * np.eye(arms) + drift / arms
        anew = np.full((contexts, contexts), 1 / contexts)
        starts = [np.full(arms, 1 / arms), np.full(contexts, 1 / contexts), np.eye(3)[NOTHING]]
        dependencies = {"A": [[1], [2]], "B": [[0], [1], [0, 1]], "B_actions": [[], [], [0]]}
        return Arrays([np.eye(contexts), np.eye(3)], [moves, anew, outcome], starts, dependencies)

    def _text(self) -> str:
        best, context, outcome = self.state
        good = (best + context) % self._arms
        arms = "".join("$" if arm == good else "." for arm in range(self._arms))
        return f"context {context}: {arms} {('', 'lost', 'won')[outcome]}\n"
