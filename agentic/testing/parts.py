"""The parts that an agent's constructor may name, for the ladder world: what an agent made of them is tried with.

Plain and exact: Bayes' rule for perceiving, all plans for acting.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import torch

from agentic.engine.belief import Categorical
from agentic.engine.domain import Simplex
from agentic.engine.minimizer import Iterate, Minimizer, Solution
from agentic.engine.objective import Objective
from agentic.planning.expected_energy import ExpectedEnergy, Purpose
from agentic.planning.plan import Sequence
from agentic.testing.worlds import Costs, Ladder


@final
@dataclass(frozen=True)
class BayesRule(Minimizer):
    """softmax(-dE/dq): the posterior of one categorical latent, in one step from anywhere."""

    steps: int = 0

    def init(self, f: Objective, z: Any) -> Iterate:
        assert isinstance(f.domain, Simplex)
        posterior = Categorical(torch.softmax(-f.gradient(f.start(z)), -1))
        value = f(posterior.probs) - posterior.entropy()
        return Iterate(posterior.probs, value, torch.zeros_like(value), 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(Categorical(iterate.z), kind="free_energy")


@final
@dataclass(frozen=True)
class AllPlans(Minimizer):
    """Every sequence of discrete actions, weighed later."""

    steps: int = 0

    def init(self, f: Objective, z: Any) -> Iterate:
        assert isinstance(f, ExpectedEnergy)
        corners = f.model.action.corners() if isinstance(f.model.action, Simplex) else torch.empty(0)
        plans = torch.stack([torch.stack(steps) for steps in product(corners, repeat=f.purpose.horizon)]).unsqueeze(1)
        parts = f.terms(plans)
        values = f.total(parts)
        return Iterate(plans, values.amin(0), torch.zeros_like(values[0]), len(plans), (values, parts))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f, ExpectedEnergy)
        values, parts = iterate.memory
        return iterate.solution(Sequence(iterate.z, values, f.model.action, parts, version=f.model.version))


PARTS: Mapping[str, Callable[[], Any]] = {
    "model": Ladder,
    "purpose": lambda: Purpose(Costs([1.0, 0.6, 1.0, 0.0]), horizon=2),
    "inference": BayesRule,
    "planner": AllPlans,
}
