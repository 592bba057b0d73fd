"""The discrete generative model of active inference, computed on the joint state.

A[m] (outcomes, *factors), B[f] (next, previous, actions), D[f] (states,), E (actions,): columns sum to one. Given as
arrays, or taken from an environment that knows its truth. Dirichlet counts make each of them learnable in closed form.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agentic import (
    Belief,
    Categorical,
    Conjugate,
    Environment,
    FiniteModel,
    Hindsight,
    Simplex,
    Step,
    Tick,
    UncertainWeights,
    UserError,
)
from agentic.engine import outer
from agentic.environments import Dependencies, Successors, spread
from agentic.models import NEGLIGIBLE
from agentic_energies.arrays import tensors
from agentic_energies.branching import outcomes, revealing, whole
from agentic_energies.cpt import Cpt, Listed, lists, suited, tabled
from agentic_energies.dependencies import (
    arrays_of,
    check,
    ending,
    fitting,
    habits,
    likelihoods,
    transition,
    with_tables,
    world_of,
)
from agentic_energies.learned import Learned, check_taught
from agentic_energies.lessons import Lessons
from agentic_energies.multilinear import CategoricalObservation, CategoricalPrior, CategoricalTransition
from agentic_energies.own_update import OwnUpdate, own_update
from agentic_energies.preferring import Preferring, lasting
from agentic_energies.pymdp_arrays import from_agent
from agentic_energies.reward_means import Rewarding
from agentic_energies.taught import EVERYTHING, begin, begin_empty, from_nothing, observed


@final
class CategoricalModel(FiniteModel, UncertainWeights, Conjugate, Hindsight, Rewarding, OwnUpdate, Preferring):
    """A discrete generative model on the joint state (last factor fastest), in float64.

    `A` one array (outcomes, *factors) per modality; `B` one (next, previous, actions) per factor; `D` one (states,) per
    factor; `E` (actions,) habits; `ends` (*factors) probability that entering a state ends the episode. `dependencies`
    lists what depends on what, as `Truth` does, and as "ends" the factors of `ends`. `counts` are Dirichlet counts
    shaped like A, or a mapping from name ("A", "B", "C", "D", "E", "ends") to such: what has counts is their mean, and
    experience teaches it. `learn` names what is to be learned ("rewards" too), or maps names to the options of a
    `Lesson`. Zero probabilities count as `floor` in logarithms. Raises UserError naming array, axis, index and sum
    where something does not fit.
    """

    observation: CategoricalObservation
    transition: CategoricalTransition
    prior: CategoricalPrior
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
            raise UserError("a categorical model expects A, or counts to learn it from")
        seen, moves = tensors("A", lessons.mean("A", A)), tensors("B", lessons.mean("B", B))
        starts, ends = tensors("D", lessons.mean("D", D), 1), lessons.mean("ends", ends)
        over, parents, lists = ending(ends, [len(start) for start in starts], dependencies or {})
        form = Dependencies.read(seen, moves, starts, lists)
        check(form, seen, moves, starts)
        tables = likelihoods(form, seen, floor), transition(form, moves, floor)
        self._hold(form.factors, form.controls, *tables, outer(starts), floor)
        every = None if over is None else spread(over.unsqueeze(0).numpy(), parents, form.factors)
        self._set_extras(lessons.mean("E", E), every)
        begin(self, lessons, form, {"A": seen, "B": moves, "D": starts})

    def _hold(
        self,
        factors: tuple[int, ...],
        controls: tuple[int, ...],
        seen: list[Cpt],
        moves: Cpt,
        start: Tensor,
        floor: float,
    ) -> None:
        self.factors, self.floor, self.learned = factors, floor, Learned(Lessons({}))
        self.latent, self.action = Simplex((prod(factors),)), Simplex(controls)
        self.outcome = Simplex(tuple(each.size for each in seen))
        self.observation = CategoricalObservation(seen)
        self.transition = CategoricalTransition(moves, self.action)
        self.prior = CategoricalPrior(tabled(start.unsqueeze(-1), floor))

    @classmethod
    def from_transitions(cls, P: Any, start: Any, *, E: Any = None, floor: float = 1e-16) -> Self:
        """The model of an observed world from Gymnasium's table `P[state][action] = [(p, next, reward, over), ...]`.

        `start` (states,) is the law of the first state. Only what can follow is held, never all pairs of states.
        Raises UserError as `agentic.environments.Successors.of` does.
        """
        return cls._of(Successors.of(P, start), E=E, floor=floor)

    @classmethod
    def _of(cls, world: Successors, *, E: Any = None, ends: Any = None, floor: float = 1e-16) -> Self:
        model = cls.__new__(cls)
        super(CategoricalModel, model).__init__()
        states, actions, _ = world.reached.shape
        same, sure = torch.arange(states).unsqueeze(-1), torch.ones(states, 1, dtype=torch.float64)
        reached, chances = (torch.from_numpy(each).flatten(0, 1) for each in (world.reached, world.chances))
        seen, moves = (suited(Listed(*pair, states, floor)) for pair in ((same, sure), (reached, chances)))
        model._hold((states,), (actions,), [seen], moves, torch.from_numpy(world.start), floor)
        over, _, _ = ending(world.ends if ends is None else ends, (states,), {})
        assert over is not None
        model._set_extras(E, over.numpy())
        return model

    @classmethod
    def empty(
        cls, env: Environment, *, learn: Sequence[str] | Mapping[str, Any] = EVERYTHING, floor: float = 1e-16
    ) -> Self:
        """The model of an observed world of which nothing is known but its spaces, to be learned.

        The states are what is observed. Transitions begin with `strength` counts in every column (.3, of ends .11),
        shared equally by all states; the first state is any. Rewards must be among what is learned where a goal is to
        ask for them, `ends` where episodes end. Raises UserError for spaces that are not discrete.
        """
        lessons, model = from_nothing(learn), cls.__new__(cls)
        super(CategoricalModel, model).__init__()
        world = observed(env, lessons, floor)
        model._hold((len(world.start),), world.controls, world.seen, world.moves.cpt, world.start, floor)
        model._set_extras(None, None)
        begin_empty(model, lessons, world.moves)
        return model

    def _set_extras(self, E: Any, ends: NDArray[np.float64] | None) -> None:
        if E is not None:
            self.log_habits = habits(E, self.action)
        chances = np.zeros(self.latent.count) if ends is None else ends.reshape(-1)
        self.going_on = nn.Buffer(1 - torch.from_numpy(chances.copy()))
        self.endless = not chances.any()

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The model with the given arrays, or where none are given with those of the environment's truth.

        With transitions to be learned and no arrays it is `empty`.
        """
        if with_tables(parameters):
            return fitting(cls(**parameters), env)
        if "B" in (parameters.get("learn") or ()):
            return cls.empty(env, **parameters)
        known = world_of(env)
        if isinstance(known, Successors) and parameters.keys() <= {"E", "ends", "floor"}:
            return fitting(cls._of(known, **parameters), env)
        return fitting(cls(**arrays_of(env, parameters)), env)

    @classmethod
    def from_pymdp(cls, A: Sequence[Any], B: Sequence[Any], D: Sequence[Any] | None = None, **given: Any) -> Self:
        """The model of a pymdp Agent, computed on the joint state.

        `given` are the Agent's `E` over its first actions, `A_dependencies`, `B_dependencies`, `B_action_dependencies`
        and `num_controls`, which mean what they mean there where they are missing too.
        """
        return cls(**from_agent(A, B, D, **given))

    def for_env(self, env: Environment) -> Self:
        """The model of a world that is announced: its truth, habits and preferences as they are, nothing to learn.

        Raises UserError where the truth is not known or the spaces are not those of `env`.
        """
        return type(self).from_env(env, floor=self.floor, **lasting(self))

    @classmethod
    def example(cls) -> Self:
        """Two states, two outcomes, two actions, for the conformance kit."""
        return cls(
            A=[[[0.9, 0.2], [0.1, 0.8]]],
            B=[[[[0.7, 0.1], [0.2, 0.6]], [[0.3, 0.9], [0.8, 0.4]]]],
            D=[[0.6, 0.4]],
        )

    def predict(self, belief: Belief, action: Tensor) -> Categorical:
        return self.transition.given((belief.mean, action))

    def emit(self, belief: Belief) -> Categorical:
        return self.observation.given(belief.mean)

    def ambiguity(self, belief: Belief) -> Tensor:
        return belief.mean @ self.observation.entropy()

    def alive(self, z: Tensor) -> Tensor | None:
        return None if self.endless else z @ self.going_on

    def transported(self, mass: Tensor) -> Tensor:
        return self.transition.cpt.push(mass, self.action.count).view(len(mass), self.action.count, -1)

    def successors(self) -> tuple[Tensor, Tensor]:
        reached, chances = lists(self.transition.cpt)
        shape = (self.latent.count, self.action.count, -1)
        return reached.view(shape), chances.view(shape)

    def ahead(self, values: Tensor) -> Tensor:
        if "B" not in self.learned:
            return super().ahead(values)
        return self.transition.cpt.mean(values).view(self.latent.count, self.action.count)  # never all pairs of states

    def survival(self) -> Tensor | None:
        return None if self.endless else self.going_on

    def revealing(self) -> bool:
        return revealing(self.observation.cpts)

    def outcomes(self, mass: Tensor, least: float = NEGLIGIBLE) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        cpts = self.observation.cpts
        return super().outcomes(mass, least) if whole(cpts) else outcomes(cpts, mass, least)

    def seen(self, mass: Tensor) -> Tensor:
        return self.observation.push(mass)

    def likelihood(self) -> Tensor:
        return outer([table.T for table in self.observation.tables]).T

    def dynamics(self) -> Tensor:
        return self.transition.table

    def expected_rewards(self) -> Tensor | None:
        return None if self.learned.rewards is None else self.learned.rewards.table

    def reward_range(self) -> float:
        return 0.0 if self.learned.rewards is None else self.learned.rewards.range

    def outcome_counts(self) -> list[Tensor] | None:
        return self.learned.preferences()

    def changed(self, since: int) -> Tensor | None:
        return self.learned.changed(since, self.version)

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The information I(o; A | z) and, as `latent_parameter_gain`, I(z'; B | z, a), in nats.

        Exact for one step, and for paths whose states are certain. Where states are uncertain this is what one would
        learn who was told them afterwards: more than the agent's own update, see `update_gain`.
        """
        return self.learned.gains(self, path)

    def update_gain(self, step: Step) -> Mapping[str, Tensor]:
        return own_update(self, step)

    def condition(self, tick: Tick) -> Mapping[str, float]:
        """Count what every valid row shows, weighted by the beliefs about the states it happened in."""
        check_taught(bool(self.learned.parts) or self.learned.rewards is not None, "categorical")
        report = self.learned.condition(self, tick)
        self.version += 1
        return report

    def condition_on(self, ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor) -> Mapping[str, float]:
        check_taught(bool(self.learned.parts) or self.learned.rewards is not None, "categorical")
        report = self.learned.revise(self, ticks, row, beliefs, pairs)
        self.version += 1
        return report
