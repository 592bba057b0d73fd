"""Lag information: how long what was seen stays in what is carried, read off a latent lag by lag.

Read from a record, this counts what the world keeps as well. A latent may also carry what never matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import ceil
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_discrete_lyapunov

from agentic import Access, Interval, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import Estimate, check_fields, observed
from agentic_metrics.finite.laws import Floats, checked_law, mutual_information, positive, stationary
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.embedding import Places, check_aligned, past, steps, window
from agentic_metrics.sampling.information import Estimator, Information, interval
from agentic_metrics.sampling.samples import Samples
from agentic_metrics.sampling.series import Series, Variable, access_to, recorded
from agentic_metrics.sampling.surrogates import compare
from agentic_metrics.sampling.units import constant, unit

SURROGATES = 99
LEVEL = 0.05  # of all lags together


@final
@dataclass(frozen=True)
class LagInformation(Metric):
    """Memory of a recorded column for what was seen, in steps: the largest lag that is outside its null.

    Half of the 5 % level is for the lags up to the first that is inside, one after the other, and half is shared by all
    those after an empty one: what is repeated two steps later is not held at lag 1. Where `surrogates` are too few to
    tell those, all of it is for the first ones. The bits at each lag are in the diagnostics. `latent` and `observation`
    name columns. From records alone, what the world keeps for the agent counts too; of the column `belief.mean`, it is
    what the agent's belief holds, whether it matters for what it does or not.
    """

    latent: str = "action"
    observation: str = "obs"
    lags: int = 8
    estimator: str = "auto"
    surrogates: int = 499

    unit = "steps"
    needs = ("record",)

    def __post_init__(self) -> None:
        check_fields(self, lags=1, surrogates=1)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.latent, self.observation)

    def profile(
        self,
        latent: Variable,
        observation: Variable,
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> tuple[Estimate, ...]:
        """The information of the latent on what was seen, lag by lag up to `lags`, one estimate each.

        I(Z_t; O_{t-L} | O_{t-L+1}, ..., O_t) in bits for L = 0, 1, ...: what the latent holds of what was seen L steps
        ago beyond what was seen since. Ends with the first L >= 1 for which there is too little data, as there will be
        for later ones, or, where surrogates are too few for lags after an empty one, with the first that is inside its
        null (latents of other episodes): `memory_steps` finds the last of those that are not, by `adjusted_p` in their
        diagnostics, for all lags together. Each series is an array (t,) or (t, d), or a list of them, one
        per episode. An `estimator` given here takes the place of the one named by the field. Raises UserError for
        series of different steps.
        """
        held, seen = Series.of(latent), Series.of(observation)
        check_aligned(latent=held, observation=seen)
        chosen = estimator or named(self.estimator) or suited(held, seen)
        found: list[Estimate] = []
        values, most, chain = seen.joined(), min(self.lags, max(held.lengths) - 1), 0.0
        split = 1 if most < 2 or self._few(most) else 2
        for lag in range(most + 1):
            at, episode = steps(held.lengths, lag)
            since = window(values, past(at, first=0, depth=lag))
            samples = Samples(held, at[:, None], values[at - lag], since, episode)
            known, against = samples.compared(chosen, surrogates=self.surrogates, generator=generator)
            p_value = 1.0 if against is None else against.p_value
            chain = max(chain, p_value if lag else 0.0)
            apart = (most - 1) * p_value if split > 1 < lag else 1.0
            shown = {"lag": lag, "bias": known.bias, "adjusted_p": min(1.0, split * min(chain, apart))}
            found.append(Estimate.of(known, chosen.name, episode, null=against, diagnostics=shown))
            if lag and (known.cautions or (split == 1 and not _outside(found[-1]))):
                break
        return tuple(found)

    def estimate(
        self,
        latent: Variable,
        observation: Variable,
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The estimate of memory in steps; its interval counts the lags of the `profile` surely and possibly above 0.

        Raises UserError where no episode has two steps.
        """
        profile = self.profile(latent, observation, estimator=estimator, generator=generator)
        if len(profile) < 2:
            raise UserError("lag_information needs episodes of at least two steps, none is so long: record longer ones")
        value, first = memory_steps(profile), profile[1]
        spans = [(each, each.interval) for each in profile if each.interval is not None]
        held = [(each, span.low > 0) for each, span in spans[1:] if _outside(each)]
        low = max((each.diagnostics["lag"] for each, _ in takewhile(lambda pair: pair[1], held)), default=0)
        high = value + any(span.high > 0 for _, span in spans[value + 1 : value + 2])
        cautions = list(dict.fromkeys(caution for each in profile for caution in each.cautions))
        if value == len(profile) - 1 and not profile[-1].cautions:
            text = f"what was seen is still held at the longest lag tried, {value}: raise lags, now {self.lags}"
            cautions.append(Caution(text))
        most = min(self.lags, max(Series.of(latent).lengths) - 1)
        if self._few(most) and not _outside(profile[-1]):
            few = f"{self.surrogates} surrogates cannot tell a lag after an empty one from chance"
            cautions.append(Caution(f"{few}: raise them to {ceil(2 * (most - 1) / LEVEL)}"))
        return replace(
            first,
            value=float(value),
            interval=Interval(0.95, float(low), float(high), "lags with intervals above zero"),
            null=_joint(profile[1:]),
            diagnostics={
                "bits": [each.value for each in profile],
                "p_values": [each.null.p_value for each in profile if each.null is not None],
            },
            cautions=tuple(cautions),
        )

    def _few(self, lags: int) -> bool:
        """Whether the surrogates are too few to tell one of so many lags from its null after an empty one."""
        return 2 * (lags - 1) / (1 + self.surrogates) >= LEVEL

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        latent, observation = (recorded(subject.record, name) for name in (self.latent, self.observation))
        frame = observed(
            (self.latent, self.observation),
            boundary="what the agent carries and what the world keeps for it are not told apart",
            horizon=self.lags,
        )
        return self.estimate(latent, observation, generator=generator).measurement("lag_information", self, frame)


def memory_steps(profile: Sequence[Estimate]) -> int:
    """The largest lag from 1 that is outside its null, adjusted for all: 0 for a rock, a coin and a reflex.

    A latent that holds the last m observations, the present one included, has m - 1.
    """
    return max((int(each.diagnostics["lag"]) for each in profile[1:] if _outside(each)), default=0)


def _joint(profile: Sequence[Estimate]) -> Null | None:
    """The null of all lags together, as if each had only its share of the surrogates; None where a lag has none."""
    best = min(profile, key=lambda each: float(each.diagnostics["adjusted_p"]))
    if best.null is None:
        return None
    p_value = float(best.diagnostics["adjusted_p"])
    count = max(1, int((1 + best.null.n) * best.null.p_value / p_value) - 1)
    return Null(f"all lags: {best.null.kind}", 0.0, 0.0, count, max(p_value, 1 / (1 + count)))


def _outside(estimate: Estimate) -> bool:
    return float(estimate.diagnostics["adjusted_p"]) < LEVEL


def exact_lag_information(update: ArrayLike, observation: ArrayLike, *, lags: int) -> Floats:
    """The exact lag information of a finite latent that sees independent observations, in bits.

    I(Z_t; O_{t-L}) for L = 0 .. lags, (lags + 1,).

    `update` (observations, states, states): law of Z_t given O_t and Z_{t-1}; `observation` (observations,) the law of
    each. Raises UserError where the latent has no single stationary law.
    """
    moves = checked_law(update, "an update", dimensions=3)
    drawn = checked_law(observation, "the observation", dimensions=1)
    if moves.shape != (len(drawn), moves.shape[1], moves.shape[1]):
        raise UserError(f"an update is ({len(drawn)} observations, states, states), got shape {moves.shape}")
    blind = np.einsum("o,ozn->zn", drawn, moves)
    joint = drawn[:, None] * (stationary(blind) @ moves)
    found = []
    for _ in range(lags + 1):
        found.append(mutual_information(joint))
        joint = joint @ blind
    return np.array(found)


def linear_lag_information(dynamics: ArrayLike, gain: ArrayLike, *, lags: int) -> Floats:
    """The exact lag information of a linear latent z_t = A z_{t-1} + B o_t with o independent N(0, I), in bits.

    I(z_t; o_{t-L}) for L = 0 .. lags, (lags + 1,), is -1/2 log2 det(1 - B'A'^L S^-1 A^L B) with S = A S A' + B B'.
    Raises UserError for A that does not forget, and where part of z is determined exactly.
    """
    a, b = np.atleast_2d(np.asarray(dynamics, np.float64)), np.atleast_2d(np.asarray(gain, np.float64))
    if a.shape[0] != a.shape[1] or len(b) != len(a) or np.abs(np.linalg.eigvals(a)).max() >= 1:
        raise UserError(
            f"expected dynamics (d, d) with eigenvalues within the unit circle and a gain (d, inputs), got {a.shape} "
            f"and {b.shape}: a latent that never forgets has no stationary law"
        )
    spread = solve_discrete_lyapunov(a, b @ b.T)
    if np.linalg.matrix_rank(spread, hermitian=True) < len(a):
        raise UserError("part of the latent is never moved by what is seen: leave it out")
    found = []
    for _ in range(lags + 1):
        left = np.eye(b.shape[1]) - b.T @ np.linalg.solve(spread, b)
        _, logarithm = np.linalg.slogdet(left)
        found.append(positive(-0.5 * float(logarithm) / float(np.log(2))))
        b = a @ b
    return np.array(found)


def decay_time(
    series: Variable, *, surrogates: int = SURROGATES, level: float = 0.95, generator: np.random.Generator
) -> Estimate:
    """The time in which an exponential memory falls to 1/e, in steps: 0 for none, infinite for a constant relation.

    tau = -1 / ln |r|, r the correlation of a variable, one column of numbers or of two names, with itself one step
    later. The interval is that of r; the null has the same values in random order.

    Raises UserError for several columns, for more than two names and for a variable that never varies.
    """
    held = Series.of(series)
    at, episode = steps(held.lengths, 1)
    values = held.joined()
    if values.shape[1] != 1 or (held.discrete and len(np.unique(values)) > 2):
        raise UserError(
            "a decay time is of one column of numbers or of two names: take one column, or lag_information for names"
        )
    numbers = unit(values.astype(np.float64))[:, 0]
    if constant(numbers):
        raise UserError("a variable that never varies has no decay time: it stores nothing")
    influence = _correlation(numbers, at)
    correlation = interval(influence, episode, level=level)
    ends = sorted(exponential_time(end) for end in (correlation.low, correlation.high))
    low = 0.0 if correlation.low <= 0 <= correlation.high else ends[0]
    draws = [exponential_time(_correlation(generator.permutation(numbers), at).value) for _ in range(surrogates)]
    value = exponential_time(influence.value)
    return Estimate(
        value=value,
        estimator="lag-one correlation",
        interval=Interval(level, low, ends[1], f"{correlation.method}, of the correlation"),
        null=compare(value, draws, "the same values in random order") if draws else None,
        episodes=len(np.unique(episode)),
        samples=len(at),
        diagnostics={"correlation": influence.value},
    )


def exponential_time(correlation: float) -> float:
    """The decay time -1 / ln |r| of a correlation r, in steps: 0 without correlation, infinite from |r| = 1 on."""
    size = abs(correlation)
    if size >= 1:
        return float("inf")
    return float(-1 / np.log(size)) if size > 0 else 0.0


def _correlation(numbers: Floats, at: Places) -> Information:
    """The correlation of each step `at` with the one before, as a mean of contributions to first order."""
    scaled = (numbers - numbers.mean()) / numbers.std()
    products = scaled[at] * scaled[at - 1]
    r = float(products.mean())
    pull = products - r * (scaled[at] ** 2 + scaled[at - 1] ** 2) / 2
    return Information(r + pull - pull.mean())
