"""Expected energy of a plan, term by term: what acting lowers.

G = pragmatic - state gain - parameter gain + effort + terminal, each step weighted by discount^t x P(still alive) and
taken under the belief (traces and entropies included). It is defined per kind of plan: open-loop sequences here; trees
and affine feedback are evaluated by the solvers that make them, from the same parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple, SupportsIndex

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Particles, Point
from agentic.engine.domain import Domain, Repeated
from agentic.engine.objective import Objective
from agentic.errors import UserError
from agentic.models.model import Courses, Model, Step, UncertainWeights
from agentic.planning.course import imagined, of_chance, paid, survivors
from agentic.planning.gain import Gain
from agentic.planning.goal import ActionGoal, CostToGo, Goal, GoalOverTime
from agentic.planning.plan import Plan, Sequence as OpenLoop

COSTS = ("pragmatic", "effort", "terminal", "expected_energy")  # terms that are added; all others are gains


def sign(term: str) -> float:
    """The sign of a term of the expected energy: 1 for a cost, -1 for a gain."""
    return 1.0 if term in COSTS else -1.0


@dataclass(frozen=True)
class Purpose:
    """The purpose of acting: a goal and a horizon, with an information gain, an effort and a terminal goal.

    `effort` is an energy over actions, `forward(None, action)`; `terminal` a goal paid once more after the last step;
    `discount` weighs step t by discount^t. Raises UserError for a horizon < 1 or a discount outside (0, 1].
    """

    goal: Goal
    horizon: int = 1
    gain: Gain | None = None
    effort: ActionGoal | None = None
    terminal: Goal | None = None
    discount: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.horizon, SupportsIndex) or self.horizon < 1:
            raise UserError(f"horizon must be at least 1 step, got {self.horizon!r}: expected a whole number")
        if not 0 < self.discount <= 1:
            raise UserError(f"discount must lie in (0, 1], got {self.discount}")
        if isinstance(self.goal, CostToGo):
            raise UserError(f"{self.goal.name} is what is to come where a plan ends, no goal: make it planner.terminal")
        if isinstance(self.terminal, ActionGoal):
            raise UserError(
                f"a terminal goal is about where a course ends, got {self.terminal.name}, a goal over actions"
            )


class Node(NamedTuple):
    """A node of an imagined course: the belief if still alive, P(alive), the gain's memory, the step number."""

    belief: Belief
    alive: Tensor | None
    memory: Any
    t: int


@dataclass(frozen=True)
class ExpectedEnergy(Objective):
    """The expected energy G of open-loop plans (*s, b, T, *event) from one belief, in nats (*s, b)."""

    model: Model
    belief: Belief
    purpose: Purpose

    @property
    def domain(self) -> Domain:
        return Repeated(self.model.action, self.purpose.horizon)

    def __call__(self, z: Tensor) -> Tensor:
        return self.total(self.terms(z))

    def start(self, z: Any) -> Tensor:
        """The actions (b, T, *event) where a solver begins: a previous plan's best, those given, or uninformed ones."""
        mean = self.belief.mean
        if isinstance(z, Plan) and not isinstance(z, OpenLoop):
            raise UserError(f"open-loop planning starts from a sequence of actions, got {type(z).__name__}")
        if z is not None:
            return (z.actions[0] if isinstance(z, OpenLoop) else z).to(mean)
        return self.domain.center(mean.shape[-1 - len(self.model.latent.event)], mean.dtype).to(mean.device)

    def settled(self, z: Tensor, value: Tensor) -> OpenLoop:
        """The plan of the one sequence found, with its terms."""
        plan = z.unsqueeze(0)
        return OpenLoop(plan, value.unsqueeze(0), self.model.action, self.terms(plan), None, self.model.version)

    def terms(self, z: Tensor) -> Mapping[str, Tensor]:
        """The parts of G by name, each (*s, b); gains are positive and enter G with a minus sign."""
        if z.shape[-1 - len(self.model.action.event)] != self.purpose.horizon:
            raise UserError(f"a plan of {self.purpose.horizon} steps was expected, got shape {tuple(z.shape)}")
        axis = -1 - len(self.model.action.event)
        return self.unroll(z.unbind(axis))

    def unroll(self, actions: Sequence[Tensor]) -> Mapping[str, Tensor]:
        """The parts of G by name of actions given step by step, each (*s_t, b, *event) with sample axes that broadcast.

        Giving step t one new leading axis evaluates a whole prefix tree: no prefix is imagined twice.
        """
        node = self.root()
        if self._at_once(node, actions):
            return self._whole(node, torch.stack(list(actions)))
        sums: dict[str, Tensor] = {}
        for action in actions:
            node, parts = self.advance(node, action)
            for name, part in parts.items():
                sums[name] = sums[name] + part if name in sums else part
        if self.purpose.terminal is not None:
            sums["terminal"] = self.terminal(node)
        return sums

    def root(self) -> Node:
        """The node before any action."""
        gain = self.purpose.gain
        model, belief = self.model, self.belief
        belief = model.initial_belief(belief) if isinstance(model, UncertainWeights) else belief
        return Node(belief, None, None if gain is None else gain.start(model, belief), 0)

    def advance(self, node: Node, action: Tensor) -> tuple[Node, Mapping[str, Tensor]]:
        """One imagined step: the next node and the step's weighted parts."""
        purpose = self.purpose
        step = self.imagine(node.belief, action)
        goal = purpose.goal.at(node.t) if isinstance(purpose.goal, GoalOverTime) else purpose.goal
        parts = {"pragmatic": goal.expected(self.model, step)}
        if purpose.effort is not None:
            parts["effort"] = purpose.effort(None, action)
        memory = node.memory
        if purpose.gain is not None:
            memory, gains = purpose.gain.step(self.model, memory, step, node.t + 1 == purpose.horizon)
            parts.update(_named(purpose.gain, gains))
        _check_rows(parts, node.belief.mean.shape[-1 - len(self.model.latent.event)])
        weight = purpose.discount**node.t
        if node.alive is not None:
            parts = {name: of_chance(node.alive, part) for name, part in parts.items()}
        if weight != 1:
            parts = {name: weight * part for name, part in parts.items()}
        if node.alive is not None:
            parts["pragmatic"] = parts["pragmatic"] + weight * (1 - node.alive) * purpose.goal.after
        belief, survival = survivors(self.model, purpose.goal, step.after)
        if survival is None:
            alive = node.alive
        else:
            alive = survival if node.alive is None else node.alive * survival
        return Node(belief, alive, memory, node.t + 1), parts

    def _at_once(self, node: Node, actions: Sequence[Tensor]) -> bool:
        """Whether all steps can be imagined in one go: nothing depends on the step but discount and survival."""
        gain, shapes = self.purpose.gain, {action.shape for action in actions}
        alone = (gain is None or gain.memoryless) and not isinstance(self.purpose.goal, GoalOverTime)
        return alone and len(shapes) == 1 and isinstance(self.model, Courses) and isinstance(node.belief, Particles)

    def _whole(self, node: Node, actions: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of actions (T, *s, b, *event), all steps in one go."""
        model, purpose = self.model, self.purpose
        assert isinstance(model, Courses)
        assert isinstance(node.belief, Particles)
        course = imagined(model, purpose.goal, node.belief, actions, len(model.action.event))
        parts = {"pragmatic": purpose.goal.expected(model, course.steps)}
        if purpose.effort is not None:
            parts["effort"] = purpose.effort(None, actions)
        if purpose.gain is not None:
            parts.update(_named(purpose.gain, purpose.gain.step(model, None, course.steps, False)[1]))
        _check_rows(parts, node.belief.z.shape[-1 - len(model.latent.event)])
        sums = paid(course, parts, purpose.goal, purpose.discount)
        if purpose.terminal is not None:
            sums["terminal"] = self.terminal(Node(course.end, course.survival, None, len(actions)))
        return sums

    def imagine(self, belief: Belief, action: Tensor) -> Step:
        """One step of the model from `belief` under an action (*s, b, *event)."""
        if isinstance(belief, Particles):
            belief = belief.beside(action.dim() - 1 - len(self.model.action.event))
        return Step(belief, action, self._predict(belief, action))

    def split(self, step: Step) -> Mapping[str, Tensor]:
        """Risk and ambiguity of one imagined step, each (*s, b), where both have a meaning.

        For goals over observations risk + ambiguity = pragmatic - state gain + log Z; goals over latents add the
        entropy of what is observed minus that of the latent. Empty without a finite log normalizer.
        """
        goal = self.purpose.goal
        log_z, entropy = goal.log_normalizer(None), goal.outcome_entropy(self.model, step)
        if log_z is None or entropy is None:
            return {}
        risk = goal.expected(self.model, step) + log_z - entropy
        return {"risk": risk, "ambiguity": self.model.ambiguity(step.after)}

    @staticmethod
    def total(parts: Mapping[str, Tensor]) -> Tensor:
        """The expected energy from its parts: gains, whatever their names, are subtracted."""
        return reduce(torch.add, [part if sign(name) > 0 else -part for name, part in parts.items()])

    def at(self, belief: Belief) -> "ExpectedEnergy":
        """The same objective from another belief."""
        return replace(self, belief=belief)

    def _predict(self, belief: Belief, action: Tensor) -> Belief:
        return self.model.predict(belief, action)

    def terminal(self, node: Node) -> Tensor:
        """The terminal goal's energy at the end of a course, weighted like the step after it, (*s, b)."""
        goal, purpose = self.purpose.terminal, self.purpose
        assert goal is not None
        nothing = node.belief.mean.new_zeros(self.model.action.event)
        value = goal.expected(self.model, Step(node.belief, nothing, node.belief))
        if node.alive is not None:
            value = of_chance(node.alive, value) + (1 - node.alive) * goal.after
        return purpose.discount**node.t * value


def _named(gain: Gain, gains: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if COSTS & gains.keys():
        taken = sorted(COSTS & gains.keys())[0]
        raise UserError(f"{type(gain).__name__} calls a gain '{taken}', the name of a cost: call it otherwise")
    return gains


def _check_rows(parts: Mapping[str, Tensor], batch: int) -> None:
    for name, part in parts.items():
        if part.shape[-1:] not in ((1,), (batch,)):
            raise UserError(
                f"the {name} energy of a plan has shape {tuple(part.shape)} where (batch,) = ({batch},) is wanted: an "
                "energy sums over the axes of its variable alone, as .sum(-1) does"
            )


@dataclass(frozen=True)
class CertaintyEquivalentEnergy(ExpectedEnergy):
    """The expected energy along the mean course: every belief is replaced by a point at its mean."""

    def root(self) -> Node:
        return ExpectedEnergy.root(self)._replace(belief=Point(self.belief.mean))

    def _predict(self, belief: Belief, action: Tensor) -> Belief:
        return Point(self.model.predict(belief, action).mean)
