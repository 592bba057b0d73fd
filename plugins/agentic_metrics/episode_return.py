"""The mean return per episode: what every other number about an agent is read next to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from agentic import Access, Frame, Measurement, Metric, Record, Subject, UserError
from agentic_metrics.resampling import mean_interval

FEW = 10  # episodes below which a bootstrap interval is too narrow to be believed


@final
@dataclass(frozen=True)
class EpisodeReturn(Metric):
    """(1/n) sum over complete evaluation episodes of their undiscounted return, in units of reward.

    No null: there is no surrogate of a return. What a rock and a random agent score are references.
    """

    level: float = 0.95
    resamples: int = 2000

    access = Access.RECORDS
    unit = "reward"
    needs = ("record",)

    def __post_init__(self) -> None:
        if not 0 < self.level < 1 or self.resamples < 1:
            raise UserError(f"episode_return expects a level between 0 and 1 and resamples >= 1, got {self}")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        assert subject.record is not None
        returns = subject.record.returns()
        if not len(returns):
            raise UserError("episode_return needs complete evaluation episodes, the record has none: run it longer")
        if not np.isfinite(returns).all():
            raise UserError("a return must be finite, got NaN or infinity: leave those episodes out of the record")
        few = f"{len(returns)} episodes are too few for the interval: record at least {FEW}"
        return Measurement(
            metric="episode_return",
            value=float(returns.mean()),
            unit=self.unit,
            access=self.access,
            frame=Frame(
                variables=("reward",),
                boundary="the agent chooses actions, the environment pays",
                horizon=None,
                goal="the environment's reward",
                start="the environment's own resets",
                interventions=(),
            ),
            estimator="mean",
            parameters={"level": self.level, "resamples": self.resamples},
            interval=mean_interval(returns, level=self.level, resamples=self.resamples, generator=generator),
            episodes=len(returns),
            samples=len(returns),
            diagnostics={"sd": float(returns.std(ddof=1)) if len(returns) > 1 else 0.0},
            warnings=(few,) if len(returns) < FEW else (),
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """Episodes that pay 1, 2 and 6 return 3 on average."""
        rewards = [[0.0, 1.0], [2.0], [3.0, 2.0, 1.0]]
        rows = [(e, t, r, t == len(all_) - 1) for e, all_ in enumerate(rewards) for t, r in enumerate(all_)]
        episode, t, reward, end = zip(*rows, strict=True)
        table = pa.table(
            {
                "phase": ["evaluate"] * len(rows),
                "row": [0] * len(rows),
                "episode": episode,
                "t": t,
                "reward": reward,
                "terminated": end,
                "truncated": [False] * len(rows),
            }
        )
        yield cls(), Subject(record=Record(tables=[table])), 3.0, 1e-12
