"""The timescale of an agent's memory, found by wiping it, which no record can replace."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from agentic import Agent, Frame, Interval, Measurement, Subject, UserError, make, ticks
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import Estimate, check_fields, exact_null
from agentic_metrics.interventions.simulation import Maker
from agentic_metrics.responses.reset import Replay, reset_divergences
from agentic_metrics.responses.response import Response
from agentic_metrics.sampling.information import Information, interval


@final
@dataclass(frozen=True)
class MemoryTimescale(Response):
    """The largest L for which wiping an agent's memory L steps ago changes what it does, in steps.

    0 for a rock, a coin and a reflex, also in a world that remembers for them; m for an agent that acts on what it saw
    m steps ago. `episodes` are recorded; at up to `moments` of their first `horizon` steps the agent, sealed, sees all
    of its observations again, and then only the last L, starting afresh. It changes what it does where the mean KL
    divergence between the two laws of its next action exceeds `threshold` bits (see `reset_divergences`); those for
    L = 1 .. `lags` are in the diagnostics. Memory that lies in the world is seen again, and does not count.

    The interval, of `level`, holds the largest L for which the divergence is surely, and possibly, above the threshold.
    """

    episodes: int = 10
    horizon: int = 100
    moments: int = 200
    lags: int = 8
    threshold: float = 0.01
    level: float = 0.95

    unit = "steps"

    def __post_init__(self) -> None:
        check_fields(self, episodes=1, horizon=2, moments=1, lags=1)
        self.expect(self.threshold > 0, "a threshold > 0")

    def estimate(self, agent: Agent, environment: Maker, *, generator: np.random.Generator) -> Estimate:
        """The timescale of `agent` in the worlds that `environment` makes.

        Raises UserError where no episode has two steps, and for continuous actions without a reported law.
        """
        replay = self._recorded(agent, environment, generator)
        bits, spans = [], []
        for divergences, episode in reset_divergences(agent, replay, lags=self.lags, generator=generator):
            bits.append(float(divergences.mean()))
            spans.append(interval(Information(divergences), episode, level=self.level))
        steps, sure, possible = (
            max((lag for lag, value in enumerate(values, 1) if value > self.threshold), default=0)
            for values in (bits, [span.low for span in spans], [span.high for span in spans])
        )
        low, high = float(min(sure, steps)), float(max(possible, steps))
        return Estimate(
            value=float(steps),
            estimator="latent reset",
            interval=Interval(self.level, low, high, "lags by interval of the mean KL"),
            null=exact_null(float(steps), "an agent without memory, which a reset does not change"),
            episodes=len(np.unique(replay.episode)),
            samples=len(replay.step),
            diagnostics={"bits": bits},
            cautions=self._cautions(steps, len(bits)),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        frame = Frame(
            variables=("policy", "observation", "state of the agent"),
            boundary="what the agent carries from step to step is inside, what it sees again is outside",
            horizon=self.lags,
            goal="none",
            start=f"moments of the first {self.horizon} steps of the agent's own episodes",
            interventions=("the agent's state wiped L steps ago",),
        )
        found = self.estimate(subject.agent, subject.environment, generator=generator)
        return found.measurement("memory_timescale", self, frame)

    def _recorded(self, agent: Agent, environment: Maker, generator: np.random.Generator) -> Replay:
        """The replay of moments drawn from all steps but the first of each recorded episode."""
        world, seed = make(environment), int(generator.integers(2**31))
        seen: list[list[Tensor]] = [[] for _ in range(self.episodes)]
        limit = self.episodes * self.horizon
        try:
            for tick in ticks(agent, world, seed=seed, steps=limit, episodes=self.episodes, phase="evaluate"):
                if tick.t[0] < self.horizon:
                    seen[tick.episode[0]].append(tick.obs[0])
        finally:
            world.close()
        places = [(e, t) for e, obs in enumerate(seen) for t in range(1, len(obs))]
        if not places:
            hint = "raise horizon or the step limit"
            raise UserError(f"memory needs episodes of at least two steps, none is so long: {hint}")
        chosen = np.sort(generator.choice(len(places), min(self.moments, len(places)), replace=False))
        episode, step = np.array(places, np.int64)[chosen].T
        longest = max(map(len, seen))
        padded = [torch.stack([*obs, *[obs[-1]] * (longest - len(obs))]) for obs in seen if obs]
        return Replay(world.action, torch.stack(padded), episode, step)

    def _cautions(self, steps: int, reached: int) -> tuple[Caution, ...]:
        if steps == self.lags:
            return (Caution(f"wiping memory {steps} steps ago still matters, so it may reach further: raise lags"),)
        late = f"no recorded moment has more than {reached} steps before it, so lags up to {self.lags} are not tried"
        return (Caution(late),) if reached < self.lags else ()
