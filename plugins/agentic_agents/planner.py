"""Dynamic programming in a known world: the reference for agents that are told of another goal or world."""

from dataclasses import replace
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import Change, Decision, Environment, Simplex, Truth, UserError, World, state_observations
from agentic_agents.lookup import Lookup, Stateless


@final
class Planner(Stateless):
    """The greedy policy after `depth` Bellman backups from zero, equal actions equally often.

    Later rewards count `discount` per step. It plans in `world` as it believes it to be, the truth of its environment;
    `seen` (states, *event) is what tells each state, None: its one-hot index. Told of a changed world as its goal, it
    takes over that one's rewards; as its model, how that one moves, ends and looks; then it plans anew.

    Raises UserError where the world is not known, not finite or not told from what is seen.
    """

    def __init__(self, world: World, depth: int, discount: float = 0.9, *, seen: Tensor | None = None) -> None:
        self.world, self.depth, self.discount = world, depth, discount
        self.seen = torch.eye(world.origins) if seen is None else seen
        self.action = Simplex((world.actions,))
        self.policy = world.planned_policy(depth=depth, discount=discount)
        self.lookup = Lookup.of(self.seen, self.policy[: world.origins])

    @classmethod
    def from_env(cls, env: Environment, depth: int = 40, discount: float = 0.9) -> Self:
        try:
            truth = env.truth()
            return cls(World.of(truth), depth, discount, seen=state_observations(truth))
        except UserError as error:
            raise UserError(f"a planner needs a finite world that is known and fully observed: {error}") from None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return self.lookup.decide(obs, generator)

    def informed(self, change: Change) -> "Planner":
        model, goal, seen = self.world, self.world, self.seen
        if change.model is not None:
            truth = _truth(change.model)
            model, seen = World.of(truth), state_observations(truth)
        if change.goal is not None:
            goal = World.of(_truth(change.goal))
        paid = goal.rewards[: goal.origins]
        if len(paid) == model.origins:
            paid = paid[model.origin]
        believed = replace(model, rewards=paid)
        return Planner(believed, self.depth, self.discount, seen=seen)


def _truth(world: Any) -> Truth:
    if not isinstance(world, Environment):
        raise UserError(f"a planner is told of a changed world, an Environment, got {type(world).__name__}")
    return world.truth()
