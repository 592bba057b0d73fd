"""The likelihood of behavior: an agent lives through what was recorded, and is asked how probable each action was.

It perceives, plans and learns as it does when it acts, by its own solvers, but gradients pass through all of it: from
the log-probability of an action back to numbers of the goal, the habits, the selection, the model or its learner.
"""

from collections.abc import Sequence
from copy import copy, deepcopy
from typing import final

import numpy as np
import torch
from torch import Tensor

from agentic import (
    Belief,
    Categorical,
    Decision,
    Domain,
    EnergyAgent,
    Evidence,
    ExpectedEnergy,
    Minimizer,
    Model,
    Objective,
    Plan,
    Simplex,
    Softmax,
    Tick,
    UserError,
)
from agentic.tick import Native
from agentic_fit.behavior import Behavior
from agentic_fit.places import STILL, keys_of, number_at, places_of, replaced

NEGLIGIBLE = 1e-100


@final
class Replay:
    """The log-probabilities of the recorded actions, as a function of numbers at `paths` in an agent.

    Where nothing is learned all episodes are replayed at once, and every belief that recurs is planned from once. The
    agent itself is never changed. Raises UserError where it has no likelihood, and for a record of other spaces.
    """

    def __init__(self, agent: EnergyAgent, behavior: Behavior, paths: Sequence[str]) -> None:
        check_agent(agent)
        check_planner(agent)
        self.agent, self.behavior, self.paths = agent, behavior, tuple(paths)
        numbers = [[number_at(agent, each) for each in places_of(path)] for path in paths]
        self.start = torch.tensor([each[0] for each in numbers], dtype=torch.float64)
        self.learns = agent.learner is not None and bool(behavior.learns.any())
        outcome, self._domain = finite("observations", agent.model.outcome), finite("actions", agent.model.action)
        kind = agent.model.begin(1).mean.dtype
        self._obs = _encoded("observations", outcome, behavior.obs, kind)
        self._next_obs = _encoded("observations", outcome, behavior.next_obs, kind)
        self._action = _encoded("actions", self._domain, behavior.action, kind)
        self._stages = [torch.from_numpy(each) for each in behavior.stages(self.learns)]
        self._lane = torch.from_numpy(behavior.subject if self.learns else behavior.episode)
        self._still = not self.learns and all(each.startswith(STILL) for path in self.paths for each in places_of(path))
        self._beliefs = self._perceived(agent).detach() if self._still else None

    def __len__(self) -> int:
        return len(self.behavior)

    @property
    def chance(self) -> float:
        """The log likelihood of whoever takes every action equally often."""
        return -len(self) * float(torch.tensor(self._domain.count, dtype=torch.float64).log())

    def __call__(self, numbers: Tensor) -> Tensor:
        """The log-probability (n,) of every recorded action where `numbers` (p,) stand at the paths."""
        agent = self.at(numbers)
        if self.learns:
            return self._learned(agent)
        beliefs = self._perceived(agent) if self._beliefs is None else self._beliefs
        if beliefs.requires_grad:
            return self._log(policy(agent, beliefs), self._action)
        different, which = torch.unique(beliefs, dim=0, return_inverse=True)
        return self._log(policy(agent, different)[which], self._action)

    def at(self, numbers: Tensor) -> EnergyAgent:
        """An agent with `numbers` (p,) at the paths; what no path leads into is shared where nothing is learned."""
        ways = [[keys_of(each) for each in places_of(path)] for path in self.paths]
        agent = copy(self.agent) if self._still else deepcopy(self.agent)
        for part in {str(way[0]) for shared in ways for way in shared} if self._still else ():
            owned = getattr(self.agent, part)
            setattr(agent, part, copy(owned) if part == "model" else deepcopy(owned))
        for path, shared, number in zip(self.paths, ways, numbers.unbind(), strict=True):
            try:
                for way in shared:
                    replaced(agent, way, number)
            except UserError as error:
                raise UserError(
                    f"{path} was tried at {float(number):.3g}: {error}; state a prior that keeps it where it may be, "
                    "Positive or Bounded"
                ) from error
        return agent

    def _log(self, policies: Tensor, actions: Tensor) -> Tensor:
        """The log-probabilities of actions (n, event) under policies (n, event): controls are drawn one by one."""
        pairs = zip(self._domain.blocks(policies), self._domain.blocks(actions), strict=True)
        return torch.stack([(p * taken).sum(-1).log() for p, taken in pairs]).sum(0)

    def _perceived(self, agent: EnergyAgent) -> Tensor:
        """The belief (n, latents) that every decision was taken with."""
        beliefs, state = [], self._fresh(agent)
        for stage in self._stages:
            belief, state = self._lived(agent, state, stage)
            beliefs.append(belief.mean)
        return torch.cat(beliefs)[torch.argsort(torch.cat(self._stages))]

    def _learned(self, agent: EnergyAgent) -> Tensor:
        """The log-probabilities (n,), decision by decision, with what was learned in between."""
        found, state = [], self._fresh(agent)
        for stage in self._stages:
            assert agent.learner is not None
            learns = bool(self.behavior.learns[stage.numpy()].all())
            if not learns:
                agent.learner.finish()
            belief, state = self._lived(agent, state, stage)
            policies = policy(agent, belief.mean)
            found.append(self._log(policies, self._action[stage]))
            if learns:
                _renew(agent.model)
                agent.learner.update(self._tick(stage, belief, policies, agent))
        return torch.cat(found)[torch.argsort(torch.cat(self._stages))]

    def _fresh(self, agent: EnergyAgent) -> Tensor:
        return agent.model.begin(int(self._lane.max()) + 1).mean

    def _lived(self, agent: EnergyAgent, state: Tensor, stage: Tensor) -> tuple[Categorical, Tensor]:
        """The beliefs of some decisions, and what is expected (lanes, latents) after the actions that were taken."""
        lane, model = self._lane[stage], agent.model
        begun = torch.from_numpy(self.behavior.t)[stage] == 0
        fresh = model.begin(len(stage))
        assert isinstance(fresh, Categorical)
        prior = Categorical(_possible(torch.where(begun.unsqueeze(-1), fresh.mean, state[lane])), fresh.sizes)
        evidence = Evidence(model, self._obs[stage], prior)
        belief = settled(evidence, agent.inference, evidence.start(None))
        assert isinstance(belief, Categorical)
        after, _ = model.condition_on_alive(model.predict(belief, self._action[stage]))
        return belief, state.index_copy(0, lane, after.mean)

    def _tick(self, stage: Tensor, belief: Categorical, policies: Tensor, agent: EnergyAgent) -> Tick:
        """What a learner was handed."""
        rows, action = stage.numpy(), self._action[stage]
        lived = self.behavior.taken(rows)
        return Tick(
            obs=self._obs[stage],
            action=action,
            next_obs=self._next_obs[stage],
            reward=lived.reward,
            terminated=lived.terminated,
            truncated=lived.truncated,
            valid=lived.learns,
            episode=lived.episode,
            t=lived.t,
            decision=Decision(action, policy=Categorical(policies, self._domain.sizes), belief=belief),
            native=Native(lived.obs, lived.action, lived.next_obs),
        )


def _possible(chances: Tensor) -> Tensor:
    """Probabilities, where gradients pass with a constant near zero for zero: the logarithm has no slope there."""
    return torch.where(chances > 0, chances, NEGLIGIBLE) if chances.requires_grad else chances


def _renew(model: Model) -> None:
    """Give a model copies of its numbers: what is learned in place must not change what gradients still need."""
    for module in model.modules():
        for name, held in module._buffers.items():
            if held is not None and held.is_floating_point():
                module._buffers[name] = held.clone()


def settled(objective: Objective, solver: Minimizer, start: Tensor | Plan | None, seed: int = 0) -> Belief:
    """What `minimize` finds, with the gradient through the solver's steps, which `minimize` cuts."""
    first, draws = solver.init(objective, start), torch.Generator().manual_seed(seed)
    return solver.solution(objective, solver.run(objective, first, solver.steps, generator=draws)).belief


def policy(agent: EnergyAgent, beliefs: Tensor) -> Tensor:
    """The probabilities (n, event) of the first action from beliefs (n, latents)."""
    return _planned(agent, beliefs).first_action(agent.selection.precision).mean


def _planned(agent: EnergyAgent, beliefs: Tensor, warm: Plan | None = None, seed: int = 0) -> Plan:
    belief = Categorical(_possible(beliefs), finite("latents", agent.model.latent).sizes)
    plan = settled(ExpectedEnergy(agent.model, belief, agent.purpose), agent.planner, warm, seed)
    assert isinstance(plan, Plan)
    return plan


def check_planner(agent: EnergyAgent) -> None:
    """Raises UserError for a planner whose plans depend on chance, or on the plan before."""
    fresh = agent.model.begin(1).mean
    plan = _planned(agent, fresh)
    others = [_planned(agent, fresh, seed=1), _planned(agent, fresh, plan.shifted())]
    here, *there = [each.first_action(agent.selection.precision).mean for each in (plan, *others)]
    if not all(torch.allclose(here, each, rtol=0, atol=1e-12) for each in there):
        raise UserError(
            f"the plans of {type(agent.planner).__name__} depend on draws or on the plan before, so that an action's "
            "probability cannot be computed: plan by enumerate, tree or graph"
        )


def check_agent(agent: object) -> None:
    """Raises UserError for what is no agent whose actions have probabilities that can be computed."""
    if not isinstance(agent, EnergyAgent):
        raise UserError(f"behavior is fitted by an EnergyAgent, got {type(agent).__name__}: build one from its parts")
    if not isinstance(agent.selection, Softmax):
        kind = type(agent.selection).__name__
        raise UserError(
            f"{kind} selection has no likelihood, for it leaves no chance to what it does not choose: fit an agent "
            "with selection=Softmax(precision)"
        )
    finite("latents", agent.model.latent)


def finite(name: str, domain: Domain) -> Simplex:
    """The domain, of finitely many values. Raises UserError for any other."""
    if not isinstance(domain, Simplex):
        raise UserError(f"behavior is fitted where all is discrete, and the {name} of the model are {domain}")
    return domain


def _encoded(name: str, domain: Simplex, numbers: np.ndarray, kind: torch.dtype) -> Tensor:
    """Numbers (n, factors) as one-hot blocks (n, event), NaN where they are; UserError for those of other spaces."""
    given, sizes = torch.from_numpy(numbers), torch.tensor(domain.sizes)
    if given.shape[-1] != len(sizes):
        raise UserError(
            f"the record has {given.shape[-1]} {name} per decision and the agent's model {len(sizes)}, of sizes "
            f"{list(domain.sizes)}: it is a record of another world"
        )
    missing = given.isnan()
    wrong = ~missing & ((given < 0) | (given >= sizes) | (given != given.floor()))
    if bool(wrong.any()):
        row, factor = (int(i) for i in wrong.nonzero()[0])
        raise UserError(
            f"decision {row} of the record has {float(given[row, factor]):g} among its {name}, where the agent's model "
            f"counts from 0 to {domain.sizes[factor] - 1}: it is a record of another world"
        )
    blank = torch.cat([gone.unsqueeze(-1).expand(-1, n) for gone, n in zip(missing.T, domain.sizes, strict=True)], -1)
    return domain.one_hot(given.nan_to_num(0.0), kind).masked_fill(blank, torch.nan)
