"""Transfer entropy: how much what one variable was tells of what another will be, beyond that one's own past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from agentic import Access, Frame, Measurement, Metric, Record, Subject, UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.columns import access_to
from agentic_metrics.sampling.embedding import Places, beside, check_aligned, past, steps, window
from agentic_metrics.sampling.information import Estimator, Information, interval
from agentic_metrics.sampling.series import Series, recorded
from agentic_metrics.sampling.surrogates import chi_square, null

Variable = Series | ArrayLike | Sequence[ArrayLike]


def transfer_entropy(
    source: Variable,
    target: Variable,
    *,
    history: int = 1,
    source_history: int = 1,
    lag: int = 1,
    given: Sequence[Variable] = (),
    estimator: Estimator | None = None,
    surrogates: int = 499,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """I(Y_t ; X_{t-lag}, ..., X_{t-lag-l+1} | Y_{t-1}, ..., Y_{t-k}, Z_{t-lag}, ..., Z_{t-lag-l+1}) in bits.

    X is the source, Y the target, Z all series of `given`; k is `history`, l `source_history`. Each series is an
    array (t,) or (t, d), or a list of them, one per episode; whole numbers are names. With `lag` 0 the source at the
    same step counts as the past: an observation comes before the action of its step, and that action before the next
    observation. The value is corrected for the estimator's bias; None chooses an estimator by the kind of the values.

    A `history` shorter than the target's own memory counts that memory as transfer, and so does a common cause that is
    not among `given`. Two sources that matter only together need to be one source of two columns.

    The interval is over episodes, the null is of sources taken from other episodes (or turned round in time where
    there are fewer than 8); without surrogates it is the chi-square law of the plug-in and Gaussian estimators.
    Raises UserError for series that are not of the same steps, or too short (Schreiber 2000).
    """
    x, y, z = Series.of(source), Series.of(target), [Series.of(each) for each in given]
    check_aligned(source=x, target=y, **{f"given[{place}]": each for place, each in enumerate(z)})
    _check(history, source_history, lag, surrogates, level)
    chosen = estimator or suited(x, y, *z)
    at, episode = steps(y.lengths, max(history, lag + source_history - 1))
    behind = past(at, first=lag, depth=source_history)
    values, after = x.joined(), y.joined()
    before = [window(after, past(at, first=1, depth=history)), *(window(each.joined(), behind) for each in z)]
    now, known = after[at], beside(before)

    def again(order: Places) -> Information:
        moved = order[behind]
        kept = (moved >= 0).all(axis=1)
        return chosen.information(window(values, moved[kept]), now[kept], known[kept])

    found = chosen.information(window(values, behind), now, known)
    against = null(found, x, again, surrogates=surrogates, generator=generator)
    return Estimate(
        value=found.value,
        estimator=chosen.name,
        interval=interval(found, episode, level=level),
        null=against,
        episodes=len(np.unique(episode)),
        samples=len(at),
        diagnostics={**_diagnostics(found), **({"effective": found.value - against.mean} if against else {})},
        cautions=found.cautions,
    )


def _diagnostics(found: Information) -> dict[str, float]:
    shown = {"raw": float(found.local.mean()), "bias": found.bias}
    theory = chi_square(found)
    if theory is not None and found.freedom is not None:
        shown |= {"freedom": found.freedom, "chi_square_p": theory.p_value}
    return shown


def _check(history: int, source_history: int, lag: int, surrogates: int, level: float) -> None:
    if history < 0 or source_history < 1 or lag < 0 or surrogates < 0 or not 0 < level < 1:
        raise UserError(
            "transfer entropy expects history >= 0, source_history >= 1, lag >= 0, surrogates >= 0 and 0 < level < 1, "
            f"got {history}, {source_history}, {lag}, {surrogates} and {level}"
        )


@final
@dataclass(frozen=True)
class TransferEntropy(Metric):
    """What `source` tells of `target` beyond the target's own past, in bits, from the columns of a record.

    By default responsiveness: what an observation tells of the action of the same step (`lag` 0), beyond the action
    before. `source="action", target="obs", lag=1` is realized control: the observation that follows the action. Columns
    joined by "+" are one variable; those in `given` are conditioned on, each on its own. With a column of the agent's
    own (belief.*, energy.*) it looks at INTERNALS, otherwise at RECORDS. `estimator` is auto, plugin, gaussian,
    neighbors or mixed; for the other fields see `transfer_entropy`.

    A rock scores 0, and so does a random agent from observation to action; from action to observation it does not.
    """

    source: str = "obs"
    target: str = "action"
    history: int = 1
    source_history: int = 1
    lag: int = 0
    given: tuple[str, ...] = ()
    estimator: str = "auto"
    surrogates: int = 499
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        if isinstance(self.given, str):
            raise UserError(f"given is a tuple of columns, got the single name {self.given!r}: write ({self.given!r},)")
        named(self.estimator)
        _check(self.history, self.source_history, self.lag, self.surrogates, self.level)

    @property
    def access(self) -> Access:
        return access_to(self.source, self.target, *self.given)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        source, target, *given = (
            recorded(subject.record, column) for column in (self.source, self.target, *self.given)
        )
        found = transfer_entropy(
            source,
            target,
            history=self.history,
            source_history=self.source_history,
            lag=self.lag,
            given=given,
            estimator=named(self.estimator),
            surrogates=self.surrogates,
            level=self.level,
            generator=generator,
        )
        return found.measurement("transfer_entropy", self, self._frame())

    def _frame(self) -> Frame:
        when = "the same step" if self.lag == 0 else f"{self.lag} steps later" if self.lag > 1 else "the next step"
        return Frame(
            variables=(
                f"{self.source} -> {self.target} of {when}",
                f"given {self.history} past of {self.target}",
                *(f"given {column}" for column in self.given),
            ),
            boundary="o_t is seen before a_t is chosen; r_t and o_{t+1} follow a_t",
            horizon=1,
            goal="none",
            start="the environment's own resets",
            interventions=(),
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """An action that copies a fair bit tells 1 bit of it; with one flip in ten, 1 - H(0.1) = 0.531004 bits."""
        source = np.random.default_rng(0)
        seen = source.integers(0, 2, (40, 250))
        for flips, bits in ((0.0, 1.0), (0.1, 0.531004)):
            done = seen ^ (source.random(seen.shape) < flips)
            yield cls(surrogates=19), Subject(record=_written(seen, done)), bits, 0.05


def _written(seen: Places, done: Places) -> Record:
    """The record of episodes (episodes, steps) of what was seen and done."""
    episodes, length = seen.shape
    last = np.tile(np.arange(length) == length - 1, episodes)
    table = pa.table(
        {
            "phase": ["evaluate"] * seen.size,
            "row": np.zeros(seen.size, np.int64),
            "episode": np.repeat(np.arange(episodes), length),
            "t": np.tile(np.arange(length), episodes),
            "obs": seen.ravel(),
            "action": done.ravel(),
            "reward": np.zeros(seen.size),
            "terminated": last,
            "truncated": np.zeros(seen.size, np.bool_),
        }
    )
    return Record(tables=[table])
