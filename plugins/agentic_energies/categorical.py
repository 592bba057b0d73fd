"""The discrete generative model of active inference, computed on the joint state.

A[m] (outcomes, *factors), B[f] (next, previous, actions), D[f] (states,), E (actions,): columns sum to one. Given as
arrays, or taken from an environment that knows its truth. Observation counts make A learnable in closed form.
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
    Simplex,
    Step,
    Tick,
    UncertainWeights,
    UserError,
)
from agentic.engine import outer
from agentic.environments import Dependencies, Successors, spread
from agentic.models import NEGLIGIBLE
from agentic_energies.arrays import CLOSE, check_finite, check_shape, tensors
from agentic_energies.branching import outcomes, revealing, whole
from agentic_energies.cpt import Cpt, Listed, lists, suited, tabled
from agentic_energies.dependencies import arrays_of, check, ending, fitting, habits, likelihoods, transition, world_of
from agentic_energies.dirichlet import expected_entropy, path_gain
from agentic_energies.multilinear import CategoricalObservation, CategoricalPrior, CategoricalTransition
from agentic_energies.pymdp_arrays import from_agent


@final
class CategoricalModel(FiniteModel, UncertainWeights, Conjugate):
    """A discrete generative model on the joint state (last factor fastest), in float64.

    `A` one array (outcomes, *factors) per modality; `B` one (next, previous, actions) per factor; `D` one (states,) per
    factor; `E` (actions,) habits; `ends` (*factors) probability that entering a state ends the episode. `dependencies`
    lists what depends on what, as `Truth` does, and as "ends" the factors of `ends`. `counts`, shaped like `A`, are
    Dirichlet counts: A is then their mean, and observing teaches. Zero probabilities count as `floor` in logarithms.
    Raises UserError naming array, axis, index and sum where something does not fit.
    """

    observation: CategoricalObservation
    transition: CategoricalTransition
    prior: CategoricalPrior

    def __init__(
        self,
        A: Sequence[Any] | None = None,
        B: Sequence[Any] = (),
        D: Sequence[Any] = (),
        *,
        E: Any = None,
        ends: Any = None,
        counts: Sequence[Any] | None = None,
        floor: float = 1e-16,
        dependencies: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        learned = None if counts is None else tensors("counts", counts)
        if A is None and learned is None:
            raise UserError("a categorical model expects A, or counts to learn it from")
        seen = tensors("A", A) if A is not None else [c / c.sum(0) for c in learned or []]
        moves, starts = tensors("B", B), tensors("D", D, 1)
        over, parents, lists = ending(ends, [len(start) for start in starts], dependencies or {})
        form = Dependencies.read(seen, moves, starts, lists)
        check(form, seen, moves, starts)
        tables = likelihoods(form, seen, floor), transition(form, moves, floor)
        self._hold(form.factors, form.controls, *tables, outer(starts), floor)
        self._set_counts(learned, seen)
        self._set_extras(E, None if over is None else spread(over.unsqueeze(0).numpy(), parents, form.factors))

    def _hold(
        self,
        factors: tuple[int, ...],
        controls: tuple[int, ...],
        seen: list[Cpt],
        moves: Cpt,
        start: Tensor,
        floor: float,
    ) -> None:
        self.factors, self.floor = factors, floor
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
        model._set_counts(None, [])
        model._set_extras(E, world.ends if ends is None else ends)
        return model

    def _set_counts(self, counts: list[Tensor] | None, likelihoods: list[Tensor]) -> None:
        self.learned = counts is not None
        if counts is not None and len(counts) != len(likelihoods):
            raise UserError(f"counts has {len(counts)} arrays and A has {len(likelihoods)}: one per modality each")
        for i, (count, like) in enumerate(zip(counts or [], likelihoods, strict=bool(counts))):
            check_shape(f"counts[{i}]", count, tuple(like.shape), "that of A")
            if not bool((check_finite(f"counts[{i}]", count) > 0).all()):
                raise UserError(
                    f"counts[{i}] must be positive everywhere, got a smallest count of {float(count.min())}"
                )
            missed = float((count / count.sum(0) - like).abs().max())
            if missed > CLOSE:
                raise UserError(f"A[{i}] must be the mean of counts[{i}], it is {missed:.3g} off: leave A out")
            self.register_buffer(f"counts_{i}", count.reshape(len(count), -1))

    def _set_extras(self, E: Any, ends: NDArray[np.float64] | None) -> None:
        if E is not None:
            self.log_habits = habits(E, self.action)
        chances = np.zeros(self.latent.count) if ends is None else ends.reshape(-1)
        self.going_on = nn.Buffer(1 - torch.from_numpy(chances.copy()))
        self.endless = not chances.any()

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The model with the given arrays, or where none are given with those of the environment's truth."""
        if {"A", "B", "D", "counts"} & parameters.keys():
            return fitting(cls(**parameters), env)
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
        """The model of a world that is announced: its truth, with the same habits and nothing left to learn.

        Raises UserError where the truth is not known or the spaces are not those of `env`.
        """
        habits = {} if self.log_habits is None else {"E": self.log_habits.exp()}
        return type(self).from_env(env, floor=self.floor, **habits)

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

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The information I(o; A | z) in nats, exact for one step, and for paths whose states are certain."""
        if not self.learned:
            return {}
        counts = [self.get_buffer(f"counts_{i}") for i in range(len(self.outcome.sizes))]
        if len(path) == 1:
            one = [-torch.special.xlogy(c / c.sum(0), c / c.sum(0)).sum(0) - expected_entropy(c) for c in counts]
            return {"parameter_gain": path[0].after.mean @ torch.stack(one).sum(0)}
        states = torch.stack(torch.broadcast_tensors(*[step.after.mean.argmax(-1) for step in path]), -1)
        if any(bool((step.after.mean.amax(-1) < 1 - 1e-9).any()) for step in path):
            raise UserError("JointGain(target='weights') needs plans whose states are certain: use SummedGain")
        return {"parameter_gain": torch.stack([path_gain(c, states) for c in counts]).sum(0)}

    def condition(self, tick: Tick) -> Mapping[str, float]:
        """Add every valid row's observation to the counts, weighted by the belief about the state it was seen in."""
        if not self.learned:
            raise UserError("a categorical model learns from counts: give it counts=..., or leave the learner out")
        if tick.decision.belief is None:
            raise UserError(
                "counts are learned by an agent that perceives: set learn.warmup = 0, its actions are blind"
            )
        rows = torch.as_tensor(tick.valid)
        states = tick.decision.belief.mean[rows]
        for i, seen in enumerate(self.outcome.blocks(tick.obs[rows].to(states.dtype))):
            counts = self.get_buffer(f"counts_{i}")
            counts += seen.T @ states
            self.observation.put(i, counts / counts.sum(0))
        self.version += 1
        return {}
