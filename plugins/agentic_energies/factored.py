"""The discrete generative model with a belief per factor: mean field, whatever the number of joint states.

Every table is looked at through the factors that it depends on, so that nothing is ever as large as the joint state.
`CategoricalModel` is the exact one on the joint state.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor, nn

from agentic import (
    Belief,
    Categorical,
    ClosedForm,
    Conditional,
    Conjugate,
    Environment,
    Hindsight,
    Model,
    Simplex,
    Step,
    Tick,
    UncertainWeights,
    UserError,
)
from agentic.engine import FactorGraph, outer
from agentic.environments import Dependencies
from agentic.models import NEGLIGIBLE, Branches, Branching
from agentic_energies.arrays import tensors
from agentic_energies.cpt import Cpt, tabled
from agentic_energies.dependencies import arrays_of, check, ending, fitting, habits
from agentic_energies.factored_learning import FactoredLearned
from agentic_energies.learned import check_taught
from agentic_energies.lessons import Lessons
from agentic_energies.multilinear import expected, states_first, states_last, sum_of
from agentic_energies.own_update import OwnUpdate
from agentic_energies.product import Product, split
from agentic_energies.pymdp_arrays import from_agent
from agentic_energies.taught import ENDING


@final
class FactoredObservation(Conditional):
    """The observation -log p(obs | z) where z are the factors' blocks: `forward(z, obs)`, linear in every block."""

    def __init__(self, tables: Sequence[Cpt], parents: Sequence[tuple[int, ...]], factors: Simplex) -> None:
        super().__init__()
        self.cpts, self.parents, self.factors = nn.ModuleList(tables), tuple(parents), factors
        self.sizes = tuple(each.size for each in tables)
        self.forbids = any(each.floor == 0 for each in tables)

    def pairs(self) -> list[tuple[Cpt, tuple[int, ...]]]:
        """Every modality's table with the factors it depends on."""
        return [(each, own) for each, own in zip(self.cpts, self.parents, strict=True) if isinstance(each, Cpt)]

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.swapped()(z, x)

    def swapped(self) -> "SwappedFactored":
        return SwappedFactored(self)

    def given(self, x: Tensor) -> Categorical:
        blocks = _columns(self.factors, x)
        seen = torch.cat([cpt.push(_joint(own, blocks)) for cpt, own in self.pairs()])
        return Categorical(states_last(seen, x), self.sizes)

    @classmethod
    def example(cls) -> Self:
        """Two modalities over two factors, for the conformance kit."""
        return FactoredModel.example().observation


@final
class SwappedFactored(ClosedForm, FactorGraph):
    """The observation as an energy of the factors' blocks: `forward(obs, z)`, linear in every block of `z`."""

    def __init__(self, observation: FactoredObservation) -> None:
        super().__init__()
        self.observation = observation

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        x, z = _together(x, z)
        blocks = _columns(self.observation.factors, z)
        terms = [_expected(costs, own, blocks, forbids=self.observation.forbids) for costs, own in self.potentials(x)]
        return sum_of(terms).reshape(z.shape[:-1])

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        x, z = _together(x, z)
        blocks = _columns(self.observation.factors, z)
        slopes = [torch.zeros_like(block) for block in blocks]
        for costs, own in self.potentials(x):
            for f in own:
                slopes[f] = slopes[f] + _expected(costs, own, blocks, but=f, forbids=self.observation.forbids)
        return states_last(torch.cat(slopes), z)

    def potentials(self, x: Tensor) -> list[tuple[Tensor, tuple[int, ...]]]:
        observation = self.observation
        known = x.nan_to_num(0.0).to(observation.pairs()[0][0].dtype)
        seen = torch.split(states_first(known), list(observation.sizes))
        sizes, found = observation.factors.sizes, []
        for (cpt, own), block in zip(observation.pairs(), seen, strict=True):
            costs = cpt.costs(block)  # the same in all states, where it looks at none: then said of the first factor
            found.append((costs.view(*[sizes[f] for f in own], -1) if own else costs.expand(sizes[0], -1), own or (0,)))
        return found


@final
class FactoredTransition(Conditional, FactorGraph):
    """The transition -log p(z' | z, a), factor by factor: `forward((z, a), z')`, linear in every block."""

    def __init__(self, tables: Sequence[Cpt], form: Dependencies) -> None:
        super().__init__()
        self.form = form
        self.tables = nn.ModuleList(tables)
        self.factors, self.action = Simplex(form.factors), Simplex(form.controls)

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        before, action, after = _together(*x, z)
        blocks, controls = _columns(self.factors, before), _columns(self.action, action.to(before.dtype))
        terms = []
        for f, (cpt, ahead) in enumerate(zip(self.cpts(), _columns(self.factors, after), strict=True)):
            terms.append(expected(cpt.costs(ahead).T, self._given(f, blocks, controls).T))
        return sum_of(terms).reshape(before.shape[:-1])

    def given(self, x: tuple[Tensor, Tensor]) -> Categorical:
        before, action = _together(*x)
        blocks, controls = _columns(self.factors, before), _columns(self.action, action.to(before.dtype))
        ahead = [cpt.push(self._given(f, blocks, controls)) for f, cpt in enumerate(self.cpts())]
        return Categorical(states_last(torch.cat(ahead), before), self.factors.sizes)

    def potentials(self, x: tuple[Tensor | None, Tensor]) -> list[tuple[Tensor, tuple[int, ...]]]:
        before, action = x
        if before is not None:
            before, action = _together(before, action)
        controls, count, found = _columns(self.action, action.to(self.cpts()[0].dtype)), len(self.form.factors), []
        for f, (cpt, own) in enumerate(zip(self.cpts(), self.form.B, strict=True)):
            every = cpt.every_cost()
            sizes = [self.form.factors[i] for i in own]
            taken = _joint(self.form.B_actions[f], controls)
            costs = _taken(every.view(prod(sizes), -1, cpt.size), taken).view(*sizes, cpt.size, -1)
            if before is None:
                found.append((costs, (*own, count + f)))
            else:
                blocks = _columns(self.factors, before)
                found.append((_expected(costs, (*own, count + f), blocks, but=count + f, forbids=True), (f,)))
        return found

    def cpts(self) -> list[Cpt]:
        """Every factor's table."""
        return [each for each in self.tables if isinstance(each, Cpt)]

    def _given(self, f: int, blocks: Sequence[Tensor], controls: Sequence[Tensor]) -> Tensor:
        """The probabilities (columns, b) of what factor `f` depends on."""
        return _joint(self.form.parents_of_B(f), (*blocks, *controls))

    @classmethod
    def example(cls) -> Self:
        """Two factors, the second moved by the first too, for the conformance kit."""
        return FactoredModel.example().transition


@final
class FactoredPrior(Conditional):
    """The prior -log p(z) at the start of an episode, factor by factor: `forward(c, z)`."""

    start: Tensor

    def __init__(self, start: Sequence[Tensor], floor: float) -> None:
        super().__init__()
        self.start, self.floor = nn.Buffer(torch.cat(list(start))), floor
        self.sizes = tuple(len(each) for each in start)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return expected(-self.start.clamp(min=self.floor).log(), z)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(self.start.expand(*x.shape[:-1], -1), self.sizes)


@final
class FactoredModel(Model, Branching, UncertainWeights, Conjugate, Hindsight, OwnUpdate):
    """A discrete generative model whose beliefs are independent factors: mean field (see `mirror`), float64.

    The arrays, `ends` and `dependencies` are those of `CategoricalModel`. Perceiving is exact where the factors are
    independent given what is observed, and so is having survived where `ends` depends on one factor; where it depends
    on several, the belief keeps each one's marginal. `exact` gives exact marginals at every step. Predicting takes the
    product of the factors' beliefs, and so do the branches of trees, which take in one modality after the other.
    `counts` and `learn` are those of `CategoricalModel`, but for rewards, see `FactoredLearned`; where `ends` are
    learned from nothing, dependencies should list what they depend on. Raises UserError naming array, axis, index and
    sum where something does not fit.
    """

    latent: Simplex
    outcome: Simplex
    action: Simplex
    observation: FactoredObservation
    transition: FactoredTransition
    prior: FactoredPrior
    going_on: Tensor

    def __init__(
        self,
        A: Sequence[Any] | None = None,
        B: Sequence[Any] = (),
        D: Sequence[Any] = (),
        *,
        E: Any = None,
        ends: Any = None,
        counts: Sequence[Any] | Mapping[str, Any] | None = None,
        floor: float = 1e-16,
        dependencies: Mapping[str, Any] | None = None,
        learn: Sequence[str] | Mapping[str, Any] = (),
    ) -> None:
        super().__init__()
        lessons = Lessons.read(learn, counts)
        if A is None and "A" not in lessons.counts:
            raise UserError("a factored model expects A, or counts to learn it from")
        seen, moves = tensors("A", lessons.mean("A", A)), tensors("B", lessons.mean("B", B))
        starts = tensors("D", lessons.mean("D", D), 1)
        over, parents, lists = ending(lessons.mean("ends", ends), [len(start) for start in starts], dependencies or {})
        form = Dependencies.read(seen, moves, starts, lists)
        check(form, seen, moves, starts)
        self.latent, self.action, self.floor = Simplex(form.factors), Simplex(form.controls), floor
        self.outcome = Simplex(tuple(len(a) for a in seen))
        likelihoods, tables = ([tabled(t.reshape(len(t), -1), floor) for t in each] for each in (seen, moves))
        self.observation = FactoredObservation(likelihoods, form.A, self.latent)
        self.transition = FactoredTransition(tables, form)
        self.prior = FactoredPrior(starts, floor)
        usual = torch.full((self.action.count,), 1 / self.action.count, dtype=torch.float64)
        E = lessons.mean("E", E)
        if E is not None:
            self.log_habits = habits(E, self.action)
        if "ends" in lessons and (over is None or not over.any()):
            over = torch.full([form.factors[f] for f in parents], ENDING, dtype=torch.float64)
        self._end(over, parents, all_of_them="ends" in lessons)
        means = {"A": seen, "B": moves, "D": starts, "E": [usual if self.log_habits is None else self.log_habits.exp()]}
        if over is not None:
            means["ends"] = [torch.stack([1 - over, over])]
        self.learned = FactoredLearned(lessons)
        self.learned.hold(self, means)

    def _end(self, over: Tensor | None, parents: tuple[int, ...], *, all_of_them: bool) -> None:
        """Let entering a state end the episode with the probabilities `over`, one axis for each of the `parents`."""
        over = torch.zeros(self.latent.sizes[0], dtype=torch.float64) if over is None or not over.any() else over
        axes = range(over.dim())
        kept = [axis for axis in axes if all_of_them or bool((over != over.narrow(axis, 0, 1)).any())]
        own = kept or ([0] if bool(over.any()) else [])
        self.ending = tuple(parents[axis] for axis in own)
        chosen = over[tuple(slice(None) if axis in own else 0 for axis in axes)]
        self.going_on = nn.Buffer((1 - chosen).reshape(-1).clone())

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The model with the given arrays, or where none are given with those of the environment's truth."""
        parameters = parameters if {"A", "B", "D", "counts"} & parameters.keys() else arrays_of(env, parameters)
        return fitting(cls(**parameters), env)

    @classmethod
    def example(cls) -> Self:
        """Two factors that act on each other, two modalities, for the conformance kit."""
        return cls(
            A=[[[0.9, 0.2], [0.1, 0.8]], [[[0.5, 0.1], [0.3, 0.6]], [[0.5, 0.9], [0.7, 0.4]]]],
            B=[
                [[[0.7, 0.1], [0.2, 0.6]], [[0.3, 0.9], [0.8, 0.4]]],
                [
                    [[[0.9, 0.5], [0.1, 0.3]], [[0.4, 0.2], [0.6, 0.7]]],
                    [[[0.1, 0.5], [0.9, 0.7]], [[0.6, 0.8], [0.4, 0.3]]],
                ],
            ],
            D=[[0.6, 0.4], [0.3, 0.7]],
            dependencies={"A": [[0], [0, 1]], "B": [[0], [1, 0]]},
        )

    @classmethod
    def from_pymdp(cls, A: Sequence[Any], B: Sequence[Any], D: Sequence[Any] | None = None, **given: Any) -> Self:
        """The model of a pymdp Agent with a belief per factor, as pymdp's are; see `CategoricalModel.from_pymdp`."""
        return cls(**from_agent(A, B, D, **given))

    def predict(self, belief: Belief, action: Tensor) -> Categorical:
        return self.transition.given((belief.mean, action))

    def emit(self, belief: Belief) -> Categorical:
        return self.observation.given(belief.mean)

    def ambiguity(self, belief: Belief) -> Tensor:
        blocks = _columns(self.latent, belief.mean)
        noise = [cpt.noise(_joint(own, blocks)) for cpt, own in self.observation.pairs()]
        return sum_of(noise).reshape(belief.mean.shape[:-1])

    def alive(self, z: Tensor) -> Tensor | None:
        return self.survivors(Categorical(z, self.latent.sizes))[1]

    def survivors(self, belief: Categorical) -> tuple[Categorical, Tensor | None]:
        if not self.ending:
            return belief, None
        mass = states_first(belief.probs)
        after = Product(mass, mass.new_ones(mass.shape[1]), self.latent.sizes)
        after = after.given(self.going_on.unsqueeze(-1), self.ending)
        alive = after.chance.reshape(belief.probs.shape[:-1])
        return Categorical(states_last(after.mass, belief.probs), belief.sizes), alive

    def branch(self, beliefs: Tensor) -> Branches:
        """What can follow, under the product of the factors' beliefs: each modality is taken in after those before it.

        Of what it tells, the marginals are kept; see `Product`.
        """
        if self.prior.start.dim() > 1:
            raise UserError(
                f"{len(self.prior.start)} agents have tables of their own: trees of beliefs ask the model of each"
            )
        actions = self.action.corners(beliefs.dtype).unsqueeze(1)
        moved, chance = self.survivors(self.predict(Categorical(beliefs, self.latent.sizes), actions))
        mass = states_first(moved.probs)
        whole = Product(mass, mass.new_ones(mass.shape[1]) if chance is None else chance.flatten(), self.latent.sizes)
        row = (whole.chance > NEGLIGIBLE).nonzero()[:, 0]
        after, seen = whole.at(row), row.new_zeros(len(row), 0)
        for cpt, own in self.observation.pairs():
            after, outcome, column = split(after, cpt, own)
            row, seen = row[column], torch.cat([seen[column], outcome.unsqueeze(-1)], -1)
        return Branches(after.chance, row % len(beliefs), row // len(beliefs), seen, after.mass.T)

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The information I(o; A | z) and, as `latent_parameter_gain`, I(z'; B | z, a), in nats, summed over arrays.

        An upper bound of what the agent's own update gains where states are uncertain, see `update_gain`.
        """
        return self.learned.gains(self, path)

    def update_gain(self, step: Step) -> Mapping[str, Tensor]:
        return self.learned.update_gain(self, step)

    def condition(self, tick: Tick) -> Mapping[str, float]:
        """Count what every valid row shows, weighted by the factors' beliefs."""
        check_taught(bool(self.learned.parts), "factored")
        self.learned.condition(self, tick)
        self.version += 1
        return {}

    def condition_on(self, ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor) -> Mapping[str, float]:
        check_taught(bool(self.learned.parts), "factored")
        self.learned.revise(self, ticks, row, beliefs, pairs)
        self.version += 1
        return {}


def _columns(domain: Simplex, z: Tensor) -> tuple[Tensor, ...]:
    """The blocks of vectors (*s, b, n) as columns, each (size, *s * b)."""
    return torch.split(states_first(z), list(domain.sizes))


def _together(*vectors: Tensor) -> list[Tensor]:
    """Vectors (*s, b, n) with sample axes that broadcast, expanded to the same."""
    rows = np.broadcast_shapes(*[vector.shape[:-1] for vector in vectors])
    return [vector.expand(*rows, -1) for vector in vectors]


def _joint(own: Sequence[int], blocks: Sequence[Tensor]) -> Tensor:
    """The joint probabilities (product of sizes, b) of the blocks `own` (size, b), the last fastest; of none, 1."""
    return outer([blocks[i].T for i in own]).T if own else torch.ones_like(blocks[0][:1])


def _taken(costs: Tensor, weights: Tensor) -> Tensor:
    """The mean (n, size, b) of costs (n, k, size) under weights (k, b), where infinite costs of weight 0 are none."""
    barred = costs.isinf()
    mean = torch.einsum("nkc,kb->ncb", costs.masked_fill(barred, 0.0), weights)
    if not bool(barred.any()):
        return mean
    return mean.masked_fill(torch.einsum("nkc,kb->ncb", barred.to(weights.dtype), weights) > 0, torch.inf)


def _expected(
    costs: Tensor, own: Sequence[int], blocks: Sequence[Tensor], but: int | None = None, *, forbids: bool
) -> Tensor:
    """Costs (*sizes of `own`, b) under the blocks of `own`, all summed over but that of the factor `but`.

    Where they may be infinite, `forbids`, those of what has no probability are none.
    """
    axis = 0
    for f in own:
        if f == but:
            axis = 1
        else:
            block = blocks[f].reshape(*[1] * axis, len(blocks[f]), *[1] * (costs.dim() - axis - 2), -1)
            weighed = costs * block
            costs = (torch.where(block > 0, weighed, 0.0) if forbids else weighed).sum(axis)
    return costs
