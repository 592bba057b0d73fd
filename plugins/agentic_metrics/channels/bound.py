"""A lower bound on empowerment from trials alone: what a decoder can tell of the actions from their outcomes.

It is a bound, not the value: a poor decoder or too few trials make it smaller, never larger, because it is judged on
trials that it was not made from. That it comes out larger than the truth now and then is chance, told by the interval.
"""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from agentic import Interval, Null, UserError
from agentic_metrics.cautions import Caution, too_few
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.arrays import Floats, Ints
from agentic_metrics.information.decoder import Decoder, held_out
from agentic_metrics.sampling.series import Series

Simulate = Callable[[Ints, np.random.Generator], ArrayLike]
Reader = Callable[[Series, Ints], Floats]  # from outcomes and the sequences that were played to log2 q(a|o), (k,)

MOST = 4096  # sequences that are tried one by one
PRIOR = 1.0  # trials that the source is worth to the decoder where an outcome was never met
SPREAD = 0.01  # share of the source that stays even, so that no sequence is given up for good
ENOUGH = 20  # samples per sequence below which the decoder is much worse than it could be
NAME = "variational_lower_bound"


def variational_empowerment(
    simulate: Simulate,
    actions: int,
    horizon: int,
    *,
    generator: np.random.Generator,
    samples: int = 4096,
    rounds: int = 8,
    level: float = 0.95,
) -> Estimate:
    """A lower bound on empowerment, in bits, from a simulator that can be put back to where it was.

    C >= I(A; O) >= E[log2 q(a|o) - log2 w(a)] for any source w of action sequences and any decoder q (Barber and
    Agakov 2003; Mohamed and Rezende 2015). In `rounds` turns a decoder is fitted to `samples` trials of the source, and
    the source follows it, w(a) proportional to 2^E[log2 q(a|o)]. The bound is then evaluated on as many fresh trials.
    `simulate(sequences, generator)` plays sequences (k, n) of numbers below `actions`, n = `horizon`, and returns what
    was sensed after each: names (whole numbers, decoded by counting) or measurements (k, d) (decoded by logistic
    regression).

    Raises UserError where there are too many sequences or too few samples to try each.
    """
    count = actions**horizon
    if actions < 1 or horizon < 1 or count > min(MOST, samples):
        raise UserError(
            f"every sequence is tried, at most {MOST}, with at least one sample each: {actions} actions over {horizon} "
            f"steps make {count} for {samples} samples; shorten the horizon, or draw more samples"
        )
    trials = _Trials(simulate, np.array(list(np.ndindex(*[actions] * horizon)), np.int64), generator)
    source, each = np.full(count, 1 / count), np.repeat(np.arange(count), max(1, samples // count))
    for _ in range(rounds):
        decode = trials.decoder(source, samples)
        said = np.bincount(each, decode(trials.play(each), each), count) / np.bincount(each)
        bold = np.exp2(said - said.max())
        source = (1 - SPREAD) * bold / bold.sum() + SPREAD / count
    decode = trials.decoder(source, samples)
    chosen = generator.choice(count, samples, p=source)
    local = decode(trials.play(chosen), chosen) - np.log2(source[chosen])
    few = too_few(f"{samples} samples loosen the bound for {count} sequences: draw at least {ENOUGH * count}")
    return _estimate(local, source, level, (few,) if samples < ENOUGH * count else ())


def _estimate(local: Floats, source: Floats, level: float, cautions: tuple[Caution, ...]) -> Estimate:
    n, value = len(local), float(local.mean())
    error = float(local.std(ddof=1)) / n**0.5 if n > 1 else float("inf")
    freedom, method = max(1, n - 1), f"Student t over {n} held-out trials"
    sure = value / error if error > 0 else np.sign(value) * np.inf
    return Estimate(
        value=value,
        estimator=NAME,
        interval=Interval.student(value, error, freedom, level=level, method=method),
        null=Null("no control, exactly zero", 0.0, error, n, float(1 - stdtr(freedom, sure))),
        samples=n,
        diagnostics={"source": source.tolist(), "sequences": len(source)},
        cautions=cautions,
    )


@final
class _Trials:
    """Sequences (m, n) that can be played as often as one likes."""

    def __init__(self, simulate: Simulate, sequences: Ints, generator: np.random.Generator) -> None:
        self.simulate, self.sequences, self.generator = simulate, sequences, generator

    def play(self, chosen: Ints) -> Series:
        """What came of the sequences of these numbers (k,): one series of k rows."""
        found = Series.of(np.asarray(self.simulate(self.sequences[chosen], self.generator)))
        if found.lengths != (len(chosen),):
            raise UserError(
                f"simulate must return one outcome for each of {len(chosen)} sequences, got {found.lengths}"
            )
        return found

    def decoder(self, source: Floats, samples: int) -> Reader:
        """The decoder fitted to so many trials of the source."""
        played = self.generator.choice(len(source), samples, p=source)
        outcomes = self.play(played)
        return (_counting if outcomes.discrete else _regression)(source, outcomes, played)


def _counting(source: Floats, outcomes: Series, played: Ints) -> Reader:
    """The decoder q(a|o) = (trials of a that gave o + w(a)) / (trials that gave o + 1)."""
    names, which = np.unique(outcomes.joined(), axis=0, return_inverse=True)
    known = {name.tobytes(): i for i, name in enumerate(names)}
    table = np.zeros((len(names) + 1, len(source)))  # the last row is for outcomes never met
    np.add.at(table, (which.reshape(-1), played), 1.0)

    def log2(outcomes: Series, played: Ints) -> Floats:
        met, which = np.unique(outcomes.joined(), axis=0, return_inverse=True)
        row = np.array([known.get(name.tobytes(), len(known)) for name in met])[which.reshape(-1)]
        trials = table.sum(1)[row]
        return np.asarray(np.log2((table[row, played] + PRIOR * source[played]) / (trials + PRIOR)))

    return log2


def _regression(source: Floats, outcomes: Series, played: Ints) -> Reader:
    """Logistic regression on measurements; sequences that were never played get the source's share."""
    center, scale = outcomes.joined().mean(0), outcomes.joined().std(0)

    def features(outcomes: Series) -> Floats:
        return np.asarray((outcomes.joined() - center) / np.where(scale > 0, scale, 1.0), np.float64)

    x = features(outcomes)
    start = np.zeros((x.shape[1] + 1, len(source)))
    start[-1] = np.log(source)
    weights = Decoder().fit(x, played, start)
    return lambda outcomes, played: held_out(weights, features(outcomes), played)
