"""The base of planners that solve the whole problem at once, without steps."""

import torch

from agentic import Iterate, Minimizer, Objective, Solution


class Planned(Minimizer):
    """A planner whose first iterate has the plan as its memory, for all rows at once, and is stationary."""

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(iterate.memory)
