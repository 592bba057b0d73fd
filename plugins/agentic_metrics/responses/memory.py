"""How many steps back an agent carries what counts: found by wiping its memory, which no record can replace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import gymnasium
import numpy as np

from agentic import Access, Agent, Frame, Interval, Measurement, Metric, Subject, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.responses.reset import recorded_moments, reset_divergences
from agentic_metrics.sampling.information import Information, interval


def memory_timescale(
    agent: Agent,
    environment: Callable[[], gymnasium.Env[Any, Any]],
    *,
    episodes: int = 10,
    horizon: int = 100,
    moments: int = 200,
    lags: int = 8,
    threshold: float = 0.01,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """The largest L for which wiping the agent's memory L steps ago changes what it does, in steps.

    `episodes` are recorded; at up to `moments` of their first `horizon` steps the agent, sealed, sees all of its
    observations again, and then only the last L, starting afresh. It changes what it does where the mean KL divergence
    between the two laws of its next action exceeds `threshold` bits (see `reset_divergences`); those for L = 1 ..
    `lags` are in the diagnostics. Memory that lies in the world is seen again, and does not count.

    The interval holds the largest L for which the divergence is surely, and possibly, above the threshold. Raises
    UserError where no episode has two steps, and for continuous actions without a reported law.
    """
    if min(episodes, moments, lags) < 1 or horizon < 2 or threshold <= 0:
        raise UserError(
            "memory_timescale expects episodes, moments and lags >= 1, a horizon >= 2 and a threshold > 0, got "
            f"{episodes}, {moments}, {lags}, {horizon} and {threshold}"
        )
    replay = recorded_moments(
        agent, environment, episodes=episodes, horizon=horizon, moments=moments, generator=generator
    )
    bits, spans = [], []
    for divergences, episode in reset_divergences(agent, replay, lags=lags, generator=generator):
        bits.append(float(divergences.mean()))
        spans.append(interval(Information(divergences), episode, level=level))
    steps = _last([value > threshold for value in bits])
    low, high = (_last([end > threshold for end in ends]) for ends in ([s.low for s in spans], [s.high for s in spans]))
    return Estimate(
        value=float(steps),
        estimator="latent reset",
        interval=Interval(level, float(min(low, steps)), float(max(high, steps)), "lags by interval of the mean KL"),
        null=exact_null(float(steps), "an agent without memory, which a reset does not change"),
        episodes=len(np.unique(replay.episode)),
        samples=len(replay.step),
        diagnostics={"bits": bits},
        cautions=tuple(_cautions(steps, len(bits), lags)),
    )


def _last(true: list[bool]) -> int:
    """The place of the last true one, counted from 1; 0 where there is none."""
    return max((place for place, each in enumerate(true, 1) if each), default=0)


def _cautions(steps: int, reached: int, lags: int) -> list[Caution]:
    if steps == lags:
        return [Caution(f"wiping memory {lags} steps ago still matters, so it may reach further: raise lags")]
    if reached < lags:
        late = f"no recorded moment has more than {reached} steps before it, so lags up to {lags} are not tried"
        return [Caution(late)]
    return []


@final
@dataclass(frozen=True)
class MemoryTimescale(Metric):
    """Steps back to which an agent's memory matters for what it does, by wiping it and showing the same again.

    0 for a rock, a coin and a reflex, also in a world that remembers for them; m for an agent that acts on what it saw
    m steps ago. Diagnostics: the mean divergence of its action law in bits for each lag.
    """

    episodes: int = 10
    horizon: int = 100
    moments: int = 200
    lags: int = 8
    threshold: float = 0.01
    level: float = 0.95

    access = Access.INTERVENE
    unit = "steps"
    needs = ("agent", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = memory_timescale(
            subject.agent,
            subject.environment,
            episodes=self.episodes,
            horizon=self.horizon,
            moments=self.moments,
            lags=self.lags,
            threshold=self.threshold,
            level=self.level,
            generator=generator,
        )
        frame = Frame(
            variables=("policy", "observation", "state of the agent"),
            boundary="what the agent carries from step to step is inside, what it sees again is outside",
            horizon=self.lags,
            goal="none",
            start=f"moments of the first {self.horizon} steps of the agent's own episodes",
            interventions=("the agent's state wiped L steps ago",),
        )
        return found.measurement("memory_timescale", self, frame)
