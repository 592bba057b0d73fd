"""Transfer entropy: the information that a source's past gives on a target, beyond the target's own past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from agentic import Access, Frame, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, check_fields, effective, observed
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.embedding import Places, check_aligned, past, steps, window
from agentic_metrics.sampling.information import Estimator, Information
from agentic_metrics.sampling.samples import Samples
from agentic_metrics.sampling.series import Series, Variable, access_to, recorded, written
from agentic_metrics.sampling.theory import chi_square


@final
@dataclass(frozen=True)
class TransferEntropy(Metric):
    """Transfer entropy, in bits: what the past of `source` tells of `target` beyond the target's own past.

    I(Y_t ; X_{t-lag}, ..., X_{t-lag-l+1} | Y_{t-1}, ..., Y_{t-k}, Z_{t-lag}, ..., Z_{t-lag-l+1}) (Schreiber 2000)

    X is the source, Y the target, Z all of `given`; k is `history`, l `source_history`. With `lag` 0 the source at the
    same step counts as the past: an observation comes before the action of its step, and that action before the next
    observation. By default it is responsiveness, from observation to action; `source="action", target="obs", lag=1` is
    realized control, from the action to the observation that follows. A rock scores 0, and so does a random agent from
    observation to action; from action to observation it does not.

    A `history` shorter than the target's own memory counts that memory as transfer, and so does a common cause that is
    not among `given`. Two sources that matter only together need to be one source of two columns.

    `source`, `target` and `given` name columns of a record; columns joined by "+" are one variable. With a column of
    the agent's own (belief.*, energy.*) the metric looks at INTERNALS, otherwise at RECORDS. `estimator` is auto (by
    the kind of the values), plugin, gaussian, neighbors or mixed.
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
        check_fields(self, history=0, source_history=1, lag=0, surrogates=0)

    @property
    def access(self) -> Access:
        return access_to(self.source, self.target, *self.given)

    def estimate(
        self,
        source: Variable,
        target: Variable,
        given: Sequence[Variable] = (),
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The estimate from series, each an array (t,) or (t, d), or a list of them, one per episode.

        Whole numbers are names. An `estimator` given here takes the place of the one named by the field; its bias is
        removed from the value. The interval is over episodes, the null is of sources taken from other episodes (turned
        round in time as well where there are fewer than four); without surrogates it is the chi-square law of the
        plug-in and Gaussian estimators. Without enough ways to rearrange, steps free of memory or samples per cell
        there is no null, and a warning says why. Raises UserError for series that are not of the same steps, or too
        short.
        """
        x, y, z = Series.of(source), Series.of(target), [Series.of(each) for each in given]
        check_aligned(source=x, target=y, **{f"given[{place}]": each for place, each in enumerate(z)})
        chosen = estimator or named(self.estimator) or suited(x, y, *z)
        at, episode = steps(y.lengths, max(self.history, self.lag + self.source_history - 1))
        behind, after = past(at, first=self.lag, depth=self.source_history), y.joined()
        before = [window(after, past(at, first=1, depth=self.history)), *(window(each.joined(), behind) for each in z)]
        samples = Samples(x, behind, after[at], np.concatenate(before, axis=1), episode)
        found, against = samples.compared(chosen, surrogates=self.surrogates, generator=generator)
        shown = {**_diagnostics(found, episode), **effective(found.value, against)}
        return Estimate.of(found, chosen.name, episode, null=against, diagnostics=shown, level=self.level)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        source, target, *given = (recorded(subject.record, name) for name in (self.source, self.target, *self.given))
        return self.estimate(source, target, given, generator=generator).measurement(
            "transfer_entropy", self, self._frame()
        )

    def _frame(self) -> Frame:
        when = "the same step" if self.lag == 0 else f"{self.lag} steps later" if self.lag > 1 else "the next step"
        known = (f"given {self.history} past of {self.target}", *(f"given {column}" for column in self.given))
        return observed(
            (f"{self.source} -> {self.target} of {when}", *known),
            boundary="o_t is seen before a_t is chosen; r_t and o_{t+1} follow a_t",
            horizon=1,
            start="the environment's own resets",
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """The known answers for an action that copies a fair bit, 1 bit; with one flip in ten, 1 - H(0.1) = 0.531."""
        source = np.random.default_rng(0)
        seen = source.integers(0, 2, (40, 250))
        for flips, bits in ((0.0, 1.0), (0.1, 0.531004)):
            done = seen ^ (source.random(seen.shape) < flips)
            yield cls(surrogates=19), Subject(record=written(obs=list(seen), action=list(done))), bits, 0.05


def _diagnostics(found: Information, episode: Places) -> dict[str, float]:
    shown = {"raw": float(found.local.mean()), "bias": found.bias}
    _, theory = chi_square(found, episode)
    if theory is not None and found.freedom is not None:
        shown |= {"freedom": found.freedom, "chi_square_p": theory.p_value}
    return shown
