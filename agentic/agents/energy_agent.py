"""The energy-minimizing agent: it only wires model, purpose and solvers together.

Perceive by lowering `Evidence` over beliefs, act by lowering `ExpectedEnergy` over plans; its learner lowers an energy
over weights between ticks. Warm starts are the state: the predicted belief and the shifted plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic.agents.agent import Agent, Change
from agentic.agents.selection import Greedy, Selection
from agentic.engine.belief import Belief, Density, Gaussian, Particles, Point
from agentic.engine.domain import Simplex
from agentic.engine.minimizer import Minimizer, Solution, minimize
from agentic.engine.mixture import PushForward, merged
from agentic.environments.environment import Environment
from agentic.errors import UserError, shown
from agentic.learning.learner import Learner
from agentic.models.evidence import Evidence
from agentic.models.model import Model
from agentic.planning.expected_energy import ExpectedEnergy, Purpose
from agentic.planning.goal import CostToGo, Goal, LatentGoal, ObservationGoal
from agentic.planning.plan import Plan
from agentic.tick import Decision, Deferred

ROUNDED = 1e-4  # off one: what float32 leaves of a sum


@final
@dataclass(frozen=True)
class EnergyState:
    """The state of an `EnergyAgent`: the belief predicted for the next observation, and its last plan.

    `begun` (b,) are the rows that have started a new episode since that plan was made.
    """

    prior: Belief
    plan: Plan | None = None
    begun: Tensor | None = None

    def where(self, mask: Tensor, other: Self) -> "EnergyState":
        """Fresh rows where `mask` (b,) is true, the rows of `other` elsewhere."""
        begun = mask if other.begun is None else mask | other.begun
        return EnergyState(merged(mask, self.prior, other.prior), other.plan, begun)


@final
class EnergyAgent(Agent):
    """The agent that perceives, acts and learns by minimization; see the module's page for the tick.

    `inference` lowers `Evidence`, `planner` lowers `ExpectedEnergy` for `purpose`; both are solvers with their own
    number of steps. `selection` takes an action from the plan. Raises UserError where the solvers do not fit the model,
    at the first decision.

    >>> import agentic
    >>> from agentic.experiments import example
    >>> agent = agentic.build(agentic.Experiment.load(example("tmaze")), agentic.load()).agent
    >>> isinstance(agent, agentic.EnergyAgent), type(agent.planner).__name__
    (True, 'TreeSearch')
    """

    def __init__(
        self,
        model: Model,
        purpose: Purpose,
        inference: Minimizer,
        planner: Minimizer,
        *,
        selection: Selection = Greedy(),
        learner: Learner | None = None,
    ) -> None:
        self.model, self.purpose, self.selection, self.learner = model, purpose, selection, learner
        self.inference, self.planner, self.precision = inference, planner, selection.precision
        if learner is not None:
            learner.serve(purpose)

    def start(self, batch: int, *, generator: torch.Generator) -> EnergyState:
        return EnergyState(self.model.begin(batch))

    @torch.no_grad()
    def decide(self, state: EnergyState, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if state.plan is None:
            _check_observation(self.model, obs)
        perceived = self.perceive(state.prior, obs, generator)
        belief = perceived.belief
        objective = ExpectedEnergy(self.model, belief, self.purpose)
        if state.plan is None:
            _check_energies(objective, perceived.value, len(obs))
        warm = None if state.plan is None else state.plan.shifted(state.begun)
        plan = minimize(objective, self.planner, warm, generator=generator).belief
        assert isinstance(plan, Plan)
        policy = plan.first_action(self.precision)
        action = self.selection.choose(policy, self.model.action, generator)
        step = objective.imagine(belief, action)
        after = step.after  # whoever decides again has survived; a Gaussian keeps its shape
        after = after if isinstance(after, Gaussian) else self.model.condition_on_alive(after)[0]
        remembered = EnergyState(self._next(belief, action, after), plan)

        def account() -> Mapping[str, Tensor]:
            with torch.no_grad():
                parts = plan.terms(self.precision)
                seen = self._account(state.prior, obs, perceived)
                return {**seen, "expected_energy": objective.total(parts), **parts, **objective.split(step)}

        energies = Deferred(account) if self.learner is None else account()  # what is learned would change the account
        return Decision(action, remembered, policy, belief, plan, energies)

    def perceive(self, prior: Belief, obs: Tensor, generator: torch.Generator) -> Solution:
        """Infer the latents: lower the evidence of `obs` (b, *event) from the prior belief's mean."""
        evidence = Evidence(self.model, obs.to(prior.mean.dtype), prior)
        return minimize(evidence, self.inference, evidence.start(None), generator=generator)

    def informed(self, change: Change) -> "EnergyAgent":
        """The agent with the announced goal or model in place of its own; a new model is not being learned.

        Of a changed world, an `Environment`, each part is asked for itself in it: `part.for_env(environment)`. Raises
        UserError for a goal or model that is neither, and for a goal where what is to come was learned for the own one.
        """
        purpose, model = self.purpose, self.model
        if isinstance(change.goal, Goal):
            if isinstance(purpose.terminal, CostToGo):
                raise UserError(f"{purpose.terminal.name} was not learned for {change.goal.name}: plan without it")
            purpose = replace(purpose, goal=change.goal)
        elif change.goal is not None:
            world, terminal = _world(change.goal), purpose.terminal
            terminal = None if terminal is None else terminal.for_env(world)
            purpose = replace(purpose, goal=purpose.goal.for_env(world), terminal=terminal)
        if change.model is not None:
            model = change.model if isinstance(change.model, Model) else model.for_env(_world(change.model))
        learner = self.learner if model is self.model else None
        return EnergyAgent(model, purpose, self.inference, self.planner, selection=self.selection, learner=learner)

    def _next(self, belief: Belief, action: Tensor, after: Belief) -> Belief:
        """The prior of the next tick: what the model predicts, or where particles may go, which has no closed form."""
        if isinstance(belief, Point) and not isinstance(after, Density):
            events = len(self.model.latent.event)
            belief = Particles(belief.z.unsqueeze(0), belief.z.new_zeros(1, *belief.z.shape[: belief.z.dim() - events]))
        return PushForward(self.model.transition, belief, action) if isinstance(belief, Particles) else after

    def _account(self, prior: Belief, obs: Tensor, perceived: Solution) -> Mapping[str, Tensor]:
        """Free energy as complexity minus accuracy; the plain energy where the belief has no density."""
        if isinstance(prior, Density) and isinstance(perceived.belief, type(prior)):
            evidence = Evidence(self.model, obs, prior)
            return evidence.terms(perceived.belief, perceived.value)
        return {perceived.kind: perceived.value}


def _check_observation(model: Model, obs: Tensor) -> None:
    """Look whether what is discrete comes as probabilities, or as nothing, and numbers have squares, or UserError."""
    if not isinstance(model.outcome, Simplex):
        reach = float(obs.abs().max()) if obs.is_floating_point() and obs.numel() else 0.0
        if reach > 1 and reach > sqrt(torch.finfo(obs.dtype).max):
            raise UserError(
                f"an observation of {reach:.3g} has no square in {str(obs.dtype)[6:]}: divide it by a unit of its own "
                "(gymnasium.wrappers.TransformObservation)"
            )
    elif obs.shape[-1:] == model.outcome.event:  # else perceiving says so
        for number, block in enumerate(model.outcome.blocks(obs)):
            off = (block < 0).any(-1) | ((block.sum(-1) - 1).abs() > ROUNDED)
            wrong = (off | block.isnan().any(-1)) & ~block.isnan().all(-1)
            if bool(wrong.any()):
                raise UserError(
                    f"modality {number} of an observation is {shown(block[wrong][0].tolist())}, expected "
                    "probabilities that sum to one, or NaN for all of them where nothing was observed"
                )


def _check_energies(objective: ExpectedEnergy, perceived: Tensor, batch: int) -> None:
    """Try one step of the courses to be weighed. Raises UserError unless each of its energies is one for each row.

    Goals are tried at the mean too: an average over particles would hide the shape of what they return.
    """
    model, purpose = objective.model, objective.purpose
    _check_energy("perception", model, perceived, batch)
    root = objective.root()
    action = model.action.center(batch, root.belief.mean.dtype).to(root.belief.mean.device)
    step = objective.imagine(root.belief, action)
    for name, goal in {"pragmatic": purpose.goal, "terminal": purpose.terminal}.items():
        if isinstance(goal, ObservationGoal | LatentGoal):
            belief = model.emit(step.after) if isinstance(goal, ObservationGoal) else step.after
            _check_energy(name, goal, goal(None, belief.mean), batch)
    if purpose.effort is not None:
        _check_energy("effort", purpose.effort, purpose.effort(None, action), batch)
    for name, energy in objective.advance(root, action)[1].items():
        owner = purpose.goal if name == "pragmatic" else purpose.gain
        _check_energy(name, owner, energy, batch)


def _check_energy(name: str, owner: Any, energy: Any, batch: int) -> None:
    if isinstance(energy, Tensor) and energy.shape == (batch,) and not energy.is_complex():
        return
    got = (
        f"a tensor {tuple(energy.shape)} of {energy.dtype}"
        if isinstance(energy, Tensor)
        else f"a {type(energy).__name__}"
    )
    raise UserError(
        f"the energy '{name}' of {type(owner).__name__} is {got}, expected a real tensor ({batch},), one number for "
        "each row: reduce the last axis and no other"
    )


def _world(announced: Any) -> Environment:
    if not isinstance(announced, Environment):
        got = type(announced).__name__
        raise UserError(f"an EnergyAgent can be told of a Goal, a Model or an Environment, got {got}")
    return announced
