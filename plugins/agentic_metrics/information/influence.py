"""Causal influence: information under interventions, and the integration of a mechanism.

Observed information counts common causes as influence. Interventions set the cause by hand, for which the mechanism
itself must be known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, exact_null, observed
from agentic_metrics.finite.laws import Floats, checked_chain, checked_law, difference, entropy, mutual_information
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.information.complexity import law_over

Mechanism = tuple[Sequence[str], ArrayLike]  # the causes of a variable, and its table (*causes, values)


def effective_information(transition: ArrayLike, *, intervention: ArrayLike | None = None) -> float:
    """The effective information of a transition matrix, in bits (Hoel, Albantakis and Tononi 2013).

    EI = I(do(X_t); X_{t+1}) = H(mean row) - mean H(row). `transition` (causes, effects): one law of the effect per
    cause, such as a transition matrix. `intervention` (causes,) is how causes are set, all equally often where it is
    None. Raises UserError for rows that are no laws.
    """
    rows = checked_law(transition, "a transition matrix", dimensions=2)
    return mutual_information(law_over(len(rows), intervention, "an intervention", "rows")[:, None] * rows)


def information_flow(
    mechanisms: Mapping[str, Mechanism],
    source: str,
    target: str,
    *,
    intervention: ArrayLike | None = None,
    imposed: str | None = None,
) -> float:
    """The information flow I(do(source) -> target), in bits, optionally | do(imposed) (Ay and Polani 2008).

    sum p(s) p(x | do s) p(y | do x, s) log2 [p(y | do x, s) / sum_x' p(x' | do s) p(y | do x', s)]

    `mechanisms`: for each variable its causes and the table (*causes, values) of its law given them; all influence
    runs along them. `intervention` (values,) is how the source is set; None: as often as it happens by itself.

    Raises UserError for unknown names, influence in a circle and tables that do not fit.
    """
    tables = _tables(mechanisms)
    held = [imposed] if imposed else []
    for name in (source, target, *held):
        if name not in tables:
            raise UserError(f"there is no variable {name!r}, only {', '.join(tables)}")
    if len({source, target, *held}) < 2 + len(held):
        raise UserError("source, target and imposed must be different variables")
    context = _law(mechanisms, tables, held, []) if held else np.ones(1)
    causes = _law(mechanisms, tables, [source], held) if intervention is None else intervention
    chosen = checked_law(np.broadcast_to(causes, (len(context), np.shape(causes)[-1])), "an intervention", dimensions=2)
    if chosen.shape[1] != tables[source].shape[-1]:
        raise UserError(f"{source} has {tables[source].shape[-1]} values, got an intervention on {chosen.shape[1]}")
    effects = _law(mechanisms, tables, [target], [*held, source]).reshape(*chosen.shape, -1)
    parts = zip(context, chosen, effects, strict=True)
    return sum(float(weight) * effective_information(rows, intervention=law) for weight, law, rows in parts)


def _tables(mechanisms: Mapping[str, Mechanism]) -> dict[str, Floats]:
    """Each variable's law given its causes, (*causes, values), checked against the sizes of its causes."""
    unknown = {cause for causes, _ in mechanisms.values() for cause in causes} - set(mechanisms)
    if unknown:
        raise UserError(f"there is no mechanism for {', '.join(sorted(unknown))}: add it, or drop it from the causes")
    try:
        tuple(TopologicalSorter({name: causes for name, (causes, _) in mechanisms.items()}).static_order())
    except CycleError as error:
        raise UserError(f"influence runs in a circle, {' <- '.join(error.args[1])}: unroll it in time") from None
    tables = {
        name: checked_law(table, f"the mechanism of {name}", dimensions=len(causes) + 1)
        for name, (causes, table) in mechanisms.items()
    }
    for name, (causes, _) in mechanisms.items():
        sizes = tuple(tables[cause].shape[-1] for cause in causes)
        if tables[name].shape[:-1] != sizes:
            raise UserError(f"the mechanism of {name} needs axes {sizes} for its causes, got {tables[name].shape[:-1]}")
    return tables


def _law(
    mechanisms: Mapping[str, Mechanism], tables: Mapping[str, Floats], wanted: Sequence[str], held: Sequence[str]
) -> Floats:
    """p(wanted | do(held)), (*held, *wanted): the mechanisms of what is held are cut, the others go on."""
    axes = {name: axis for axis, name in enumerate(mechanisms)}
    operands: list[Any] = []
    for name, (causes, _) in mechanisms.items():
        table = np.ones(tables[name].shape[-1]) if name in held else tables[name]
        operands += [table, [axes[name]] if name in held else [axes[each] for each in (*causes, name)]]
    return np.asarray(np.einsum(*operands, [axes[name] for name in (*held, *wanted)], optimize=True))


@final
@dataclass(frozen=True)
class Integration:
    """The information of a whole beyond its parts, in bits; `parts` are the two groups of units of which it is least.

    `whole` is I(X_t; X_{t+1}), of which the parts explain `whole - bits`. Negative where they are redundant.
    """

    bits: float
    whole: float
    parts: tuple[tuple[int, ...], tuple[int, ...]]

    def __float__(self) -> float:
        return self.bits


def integration(transition: ArrayLike, sizes: Sequence[int], *, law: ArrayLike | None = None) -> Integration:
    """The integration of a mechanism of several units, in bits (Barrett and Seth 2011).

    min over bipartitions of I(X_t; X_{t+1}) - sum over both parts of I(M_t; M_{t+1}). `transition` (n, n) over the
    joint states of units of `sizes`, the last unit varying fastest. `law` (n,) is the distribution of X_t; None:
    uniform. Cost grows as 2^units; about ten binary units are feasible.

    Raises UserError for a single unit, and where sizes do not fit the matrix.
    """
    table, units = checked_chain(transition), len(sizes)
    if units < 2 or int(np.prod(sizes)) != len(table):
        raise UserError(f"integration needs two or more units whose sizes multiply to {len(table)}, got {tuple(sizes)}")
    first = law_over(len(table), law, "the law", "joint states")
    joint = (first[:, None] * table).reshape(*sizes, *sizes)

    def known(part: Sequence[int]) -> float:
        gone = [unit for unit in range(units) if unit not in part]
        kept = joint.sum(tuple(gone + [units + unit for unit in gone]))
        return mutual_information(kept.reshape(int(np.prod([sizes[unit] for unit in part])), -1))

    whole = known(range(units))
    cuts = [
        (part, rest)
        for size in range(units - 1)
        for others in combinations(range(1, units), size)
        for part in [(0, *others)]
        for rest in [tuple(unit for unit in range(units) if unit not in part)]
    ]
    bits = [difference(whole, known(part) + known(rest)) for part, rest in cuts]
    least = int(np.argmin(bits))
    return Integration(bits[least], whole, cuts[least])


@final
@dataclass(frozen=True)
class EffectiveInformation(Metric):
    """Effective information, in bits: what the next state tells of the one before, where that is set by hand.

    Of the state transitions that agent and world make together, from states drawn uniformly among those that can be met
    and in which the episode goes on. 0 where everything leads to the same law of next states, log2 n where n states
    lead to n different ones. Needs a finite world that tells its dynamics and shows its state.
    """

    access = Access.MODEL
    unit = "bits"
    needs = ("agent", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        truth, world = known_world(subject.environment)
        met = reached(world)
        here = met & ~world.ended
        if not here.any():
            raise UserError("effective_information needs a state in which the episode goes on, this world has none")
        policy = query(subject.agent, truth, generator=generator)
        step = np.einsum("sa,san->sn", policy, world.dynamics)[here]
        value = effective_information(step)
        noise = float(entropy(step).mean())
        found = Estimate(
            value=value,
            estimator="exact",
            null=exact_null(value, "the next state does not depend on the state"),
            diagnostics={
                "states": len(step),
                "determinism": float(np.log2(met.sum()) - noise),
                "degeneracy": float(np.log2(met.sum()) - entropy(step.mean(0))),
            },
        )
        frame = observed(
            ("state", "next state"),
            boundary="agent and world are one mechanism, from state to next state",
            horizon=1,
            start="uniform over the states that can be met in which the episode goes on",
        )
        return found.measurement("effective_information", self, replace(frame, interventions=("state set by hand",)))
