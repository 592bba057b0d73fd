"""The discrete generative model with a belief per factor: mean field, whatever the number of joint states.

Every table is looked at through the factors that it depends on, so that nothing is ever as large as the joint state.
`CategoricalModel` is the exact one on the joint state.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import (
    Belief,
    Categorical,
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
from agentic.environments import Dependencies
from agentic.models import NEGLIGIBLE, Branches, Branching
from agentic_energies.arrays import tensors
from agentic_energies.cpt import tabled
from agentic_energies.dependencies import arrays_of, check, ending, fitting, habits, with_tables
from agentic_energies.factored_learning import FactoredLearned
from agentic_energies.factored_tables import (
    FactoredObservation,
    FactoredPrior,
    FactoredTransition,
    columns,
    joint_weights,
)
from agentic_energies.learned import check_taught
from agentic_energies.lessons import Lessons
from agentic_energies.multilinear import states_first, states_last, sum_of
from agentic_energies.own_update import OwnUpdate
from agentic_energies.preferring import Preferring, lasting
from agentic_energies.product import Product, split
from agentic_energies.pymdp_arrays import from_agent
from agentic_energies.taught import ENDING


@final
class FactoredModel(Model, Branching, UncertainWeights, Conjugate, Hindsight, OwnUpdate, Preferring):
    """A discrete generative model whose beliefs are independent factors: mean field (see `mirror`), float64.

    The arrays `A`, `B`, `D` and `E`, `ends`, `dependencies` and `floor` are those of `CategoricalModel`. Perceiving is
    exact where the factors are independent given what is observed, and so is having survived where `ends` depends on
    one factor; where it depends on several, the belief keeps each one's marginal. `exact` gives exact marginals at
    every step. Predicting takes the product of the factors' beliefs, and so do the branches of trees, which take in one
    modality after the other. `counts` and `learn` are those of `CategoricalModel`, but for rewards, see
    `FactoredLearned`; where `ends` are learned from nothing, dependencies should list what they depend on. Raises
    UserError naming array, axis, index and sum where something does not fit.
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
        means = {"A": seen, "B": moves, "C": lessons.liked(self.outcome.sizes), "D": starts}
        means["E"] = [usual if self.log_habits is None else self.log_habits.exp()]
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
        return fitting(cls(**(parameters if with_tables(parameters) else arrays_of(env, parameters))), env)

    def for_env(self, env: Environment) -> Self:
        """The model of a world that is announced: its truth, habits and preferences as they are, nothing to learn.

        Raises UserError where the truth is not known or the spaces are not those of `env`.
        """
        return type(self).from_env(env, floor=self.floor, **lasting(self))

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
        blocks = columns(self.latent, belief.mean)
        noise = [cpt.noise(joint_weights(own, blocks)) for cpt, own in self.observation.pairs()]
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
        self._check_one("trees of beliefs")
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
        return self._counted().gains(self, path)

    def update_gain(self, step: Step) -> Mapping[str, Tensor]:
        return self._counted().update_gain(self, step)

    def outcome_counts(self) -> list[Tensor] | None:
        return self._counted().preferences()

    def condition(self, tick: Tick) -> Mapping[str, float]:
        """Count what every valid row shows, weighted by the factors' beliefs."""
        check_taught(bool(self.learned.parts), "factored")
        report = self._counted().condition(self, tick)
        self.version += 1
        return report

    def condition_on(self, ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor) -> Mapping[str, float]:
        check_taught(bool(self.learned.parts), "factored")
        report = self._counted().revise(self, ticks, row, beliefs, pairs)
        self.version += 1
        return report

    def _counted(self) -> FactoredLearned:
        """What is learned. Raises UserError where every row has tables of its own."""
        if self.learned.parts:
            self._check_one("counts, their gains and learned preferences")
        return self.learned

    def _check_one(self, asking: str) -> None:
        if self.prior.start.dim() > 1:
            raise UserError(f"{len(self.prior.start)} agents have tables of their own: {asking} ask the model of each")
