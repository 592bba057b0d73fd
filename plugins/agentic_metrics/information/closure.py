"""How far a system makes its own next state, and how far it models its world rather than being driven by it.

What a system repeats may come from a world that repeats: autonomy is what is left once the world is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Access, Frame, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.laws import Floats, checked_law, conditional_information, mutual_information, stationary
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.columns import access_to
from agentic_metrics.sampling.embedding import Places, check_aligned, past, steps, window
from agentic_metrics.sampling.information import Estimator, Information, Values, interval
from agentic_metrics.sampling.series import Series, codes, recorded
from agentic_metrics.sampling.surrogates import chi_square, null, sampled

Variable = Series | ArrayLike | Sequence[ArrayLike]

SURROGATES = 499
ALIKE = 8  # samples of about the same environment among which the system's past is exchanged


def autonomy(
    system: Variable,
    environment: Variable,
    *,
    history: int = 1,
    lag: int = 1,
    estimator: Estimator | None = None,
    surrogates: int = SURROGATES,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """A = I(S_t; S_{t-1} | E_{t-lag}, ..., E_{t-lag-history+1}) in bits (Bertschinger, Olbrich, Ay and Jost 2008).

    What the system's state tells of its next one beyond what the environment's last `history` states tell. `lag` is 1
    where the environment acts on the system's next state, 0 where it comes first within a step, as observations come
    before actions. Each is an array (t,) or (t, d), or a list of them, one per episode; whole numbers are names.

    In the null the system's past is that of another moment with the same environment (of one of about `ALIKE` similar
    moments, where it is measured), so that the two are independent given it; without surrogates it is the chi-square
    law of the plug-in and Gaussian estimators. Diagnostics hold the non-trivial informational closure. Where the
    system controls its environment, what it keeps out there is not counted: measure its active information storage.

    Raises UserError for series that are not of the same steps, or too short.
    """
    samples = _Samples.of(system, environment, history, lag)
    chosen = estimator or suited(*samples.variables)
    found = chosen.information(samples.before, samples.after, samples.world)
    closed = _closure(samples, chosen)
    against = chi_square(found) if not surrogates else _exchanged(samples, chosen, found, surrogates, generator)
    corrected = {"effective": found.value - against.mean} if against else {}
    estimate = _estimate(samples, chosen, found, level)
    return replace(estimate, null=against, diagnostics={"bias": found.bias, "ntic": closed.value, **corrected})


def ntic(
    system: Variable,
    environment: Variable,
    *,
    history: int = 1,
    lag: int = 1,
    estimator: Estimator | None = None,
    surrogates: int = SURROGATES,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """Non-trivial informational closure I(S_t; E) - I(S_t; E | S_{t-1}) in bits (Bertschinger et al. 2006).

    E are the environment's states as in `autonomy`. High where the system knows of its environment without being told
    by it at that moment; negative where only both together tell the system's next state. The null is of environments
    taken from other episodes. Arguments and errors as for `autonomy`.
    """
    samples = _Samples.of(system, environment, history, lag)
    chosen = estimator or suited(*samples.variables)
    found = _closure(samples, chosen)

    def again(order: Places) -> Information:
        moved = order[samples.behind]
        kept = np.asarray((moved >= 0).all(axis=1))
        elsewhere = window(samples.variables[1].joined(), moved[kept])
        return _closure(replace(samples.only(kept), world=elsewhere), chosen)

    against = null(found, samples.variables[1], again, surrogates=surrogates, generator=generator)
    return replace(_estimate(samples, chosen, found, level), null=against)


@final
@dataclass(frozen=True)
class Closure:
    """What a system and its environment tell of the system's next state, in bits, exactly.

    `autonomy` I(S'; S | E), `transfer` I(S'; E | S), `storage` I(S'; S), `ntic` I(S'; E) - I(S'; E | S).
    """

    autonomy: float
    transfer: float
    storage: float
    ntic: float


def informational_closure(kernel: ArrayLike, environment: ArrayLike) -> Closure:
    """The exact closure of a system that is driven by independent draws of its environment.

    `kernel` (states, environment, states): law of the next state given state and environment; `environment`
    (environment,) its law. The system is in its stationary law; raises UserError where it has more than one.
    """
    moves = checked_law(kernel, "a kernel", dimensions=3)
    drawn = checked_law(environment, "the environment", dimensions=1)
    if moves.shape != (moves.shape[0], len(drawn), moves.shape[0]):
        raise UserError(
            f"a kernel is (states, environment, states), with {len(drawn)} environments as their law has it, "
            f"got shape {moves.shape}"
        )
    law = stationary(np.einsum("sen,e->sn", moves, drawn))
    return closure_of(np.einsum("s,e,sen->sen", law, drawn, moves))


def closure_of(joint: ArrayLike) -> Closure:
    """The exact closure of a joint law (state, environment, next state) that sums to 1."""
    table = np.asarray(joint, np.float64)
    checked_law(table.reshape(1, -1), "the joint law of state, environment and next state", dimensions=2)
    if table.ndim != 3:
        raise UserError(f"a joint law has axes (state, environment, next state), got {table.ndim} axes")
    by_world: Floats = table.transpose(0, 2, 1)
    by_state: Floats = table.transpose(1, 2, 0)
    transfer = conditional_information(by_state)
    return Closure(
        autonomy=conditional_information(by_world),
        transfer=transfer,
        storage=mutual_information(by_world.sum(2)),
        ntic=mutual_information(by_state.sum(2)) - transfer,
    )


@final
@dataclass(frozen=True)
class _Samples:
    """The system's state `after` and `before` a step, and the environment's states `world` at places `behind`."""

    variables: tuple[Series, Series]
    after: Values
    before: Values
    world: Values
    behind: Places
    episode: Places

    @classmethod
    def of(cls, system: Variable, environment: Variable, history: int, lag: int) -> "_Samples":
        own, outer = Series.of(system), Series.of(environment)
        check_aligned(system=own, environment=outer)
        if history < 1 or lag < 0:
            raise UserError(f"the environment's history is at least 1 and its lag at least 0, got {history} and {lag}")
        at, episode = steps(own.lengths, max(1, lag + history - 1))
        behind = past(at, first=lag, depth=history)
        values = own.joined()
        return cls((own, outer), values[at], values[at - 1], window(outer.joined(), behind), behind, episode)

    def only(self, kept: NDArray[np.bool_]) -> "_Samples":
        """Some of the samples."""
        return replace(
            self,
            after=self.after[kept],
            before=self.before[kept],
            world=self.world[kept],
            behind=self.behind[kept],
            episode=self.episode[kept],
        )


def _estimate(samples: _Samples, estimator: Estimator, found: Information, level: float) -> Estimate:
    return Estimate(
        value=found.value,
        estimator=estimator.name,
        interval=interval(found, samples.episode, level=level),
        episodes=len(np.unique(samples.episode)),
        samples=len(samples.episode),
        diagnostics={"bias": found.bias},
        cautions=found.cautions,
    )


def _closure(samples: _Samples, estimator: Estimator) -> Information:
    known = estimator.information(samples.world, samples.after)
    driven = estimator.information(samples.world, samples.after, samples.before)
    return Information(
        known.local - driven.local,
        known.bias - driven.bias,
        cautions=tuple(dict.fromkeys((*known.cautions, *driven.cautions))),
        noise=lambda: sum(each.noise() for each in (known, driven) if each.noise),
    )


def _exchanged(
    samples: _Samples, estimator: Estimator, found: Information, surrogates: int, generator: np.random.Generator
) -> Null:
    """The null in which the system's past is that of another moment with the same environment."""
    alike = codes(samples.world) if samples.variables[1].discrete else _alike(np.asarray(samples.world, np.float64))
    order = np.argsort(alike, kind="stable")

    def draw() -> float:
        moved = np.empty(len(order), np.int64)
        moved[order] = np.lexsort((generator.random(len(order)), alike))
        return estimator.information(samples.before[moved], samples.after, samples.world).value

    return sampled(found.value, draw, surrogates, "the system's past among moments of the same environment")


def _alike(values: Floats) -> NDArray[np.int64]:
    """Groups of at most `ALIKE` neighboring points (n, d), (n,): halved along their widest side until small enough."""
    group, waiting, found = np.zeros(len(values), np.int64), [np.arange(len(values))], 0
    scaled = values / np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
    while waiting:
        rows = waiting.pop()
        if len(rows) <= ALIKE:
            group[rows] = found
            found += 1
            continue
        axis = int(np.ptp(scaled[rows], axis=0).argmax())
        ordered = rows[np.argsort(scaled[rows, axis], kind="stable")]
        waiting += [ordered[: len(rows) // 2], ordered[len(rows) // 2 :]]
    return group


@final
@dataclass(frozen=True)
class Autonomy(Metric):
    """I(next state; state | environment) of recorded columns, in bits: what a system makes of itself.

    The system is what is done (`action`) and the environment what is seen just before (`obs`, the last `history`
    steps, the present one included). 0 for a rock, a coin and a reflex. A system that keeps its memory in the world
    is not credited for it.
    """

    system: str = "action"
    environment: str = "obs"
    history: int = 1
    lag: int = 0
    estimator: str = "auto"
    surrogates: int = SURROGATES
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        if not 0 < self.level < 1 or self.surrogates < 0:
            raise UserError(f"autonomy expects a level between 0 and 1 and surrogates >= 0, got {self}")
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.system, self.environment)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = autonomy(
            recorded(subject.record, self.system),
            recorded(subject.record, self.environment),
            history=self.history,
            lag=self.lag,
            estimator=named(self.estimator),
            surrogates=self.surrogates,
            level=self.level,
            generator=generator,
        )
        frame = Frame(
            variables=(self.system, self.environment),
            boundary=f"{self.system} is the system, {self.environment} all that it knows of its environment",
            horizon=max(1, self.lag + self.history - 1) + 1,
            goal="none",
            start="all steps of the evaluation episodes with enough past",
            interventions=(),
        )
        return found.measurement("autonomy", self, frame)
