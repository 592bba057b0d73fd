"""The causal side of an agent's latent state: what changes when it is given another one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import entr
from torch import Tensor

from agentic import Agent, Categorical, Decision, Tick, UserError
from agentic_metrics.cautions import few_episodes
from agentic_metrics.estimate import FEW, Estimate, exact_null
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.probes import choices_in
from agentic_metrics.interventions.simulation import Maker
from agentic_metrics.pairs import student
from agentic_metrics.responses.lives import watched


def transplant(
    agent: Agent,
    environment: Maker,
    *,
    at: int,
    horizon: int,
    episodes: int,
    generator: np.random.Generator,
    level: float = 0.95,
) -> Estimate:
    """The shift of an agent's next `horizon` choices when it gets its state from another episode before step `at`.

    Episodes are lived twice with the same seeds, the second time with the states of those still going on exchanged in
    a cycle. The value is the mean over episodes and steps of the Jensen-Shannon divergence, in bits per choice (0 to
    1 for each factor), between what is chosen with the own and with the foreign state: the policies that the agent
    reports, else its choices. Observations after the first step are those that each life brings about.

    An agent that carries nothing from step to step scores exactly 0. Raises UserError where choices are not discrete,
    and where fewer than 2 episodes last until `at`.
    """
    if at < 0 or horizon < 1 or episodes < 2 or not 0 < level < 1:
        raise UserError("transplant expects at >= 0, horizon >= 1, episodes >= 2 and a level between 0 and 1")
    sizes, seed = choices_in(environment, "transplant").sizes, int(generator.integers(2**31))

    def lived(order: NDArray[np.int64]) -> list[Tick]:
        who = _Exchanged(agent, at, order)
        return watched(who, environment, episodes=episodes, horizon=at + horizon, seed=seed)

    own = lived(np.arange(episodes))
    alive = np.flatnonzero(own[at].valid) if len(own) > at else np.empty(0, np.int64)
    if len(alive) < 2:
        raise UserError(f"at least 2 of {episodes} episodes must last until step {at}, {len(alive)} do: choose another")
    order = np.arange(episodes)
    order[alive] = np.roll(alive, 1)
    shifts = _shifts(own[at:], lived(order)[at:], sizes)[alive]
    n, value = len(shifts), float(shifts.mean())
    return Estimate(
        value=value,
        estimator="states exchanged between episodes",
        interval=student(shifts, level=level, kind="episodes"),
        null=exact_null(value, "an agent without a state"),
        episodes=n,
        samples=n,
        cautions=few_episodes(n, FEW, verb="run"),
    )


@final
@dataclass(frozen=True)
class _States:
    """What every row remembers, each on its own, and the step it is at."""

    rows: tuple[Any, ...]
    step: int = field(default=0)

    def where(self, mask: Tensor, other: "_States") -> "_States":
        rows = zip(mask.tolist(), self.rows, other.rows, strict=True)
        return _States(tuple(mine if chosen else theirs for chosen, mine, theirs in rows), other.step)


@final
class _Exchanged(Agent):
    """`agent`, row by row, with row i continued by the state of row `order`[i] from step `at` on."""

    def __init__(self, agent: Agent, at: int, order: NDArray[np.int64]) -> None:
        self.agent, self.at, self.order = agent, at, order

    def start(self, batch: int, *, generator: torch.Generator) -> _States:
        return _States(tuple(self.agent.start(1, generator=generator) for _ in range(batch)))

    def decide(self, state: _States, obs: Tensor, *, generator: torch.Generator) -> Decision:
        rows = [state.rows[i] for i in self.order] if state.step == self.at else state.rows
        pairs = zip(rows, obs.split(1), strict=True)
        made = [self.agent.decide(row, seen, generator=generator) for row, seen in pairs]
        policies = [each.policy.probs for each in made if isinstance(each.policy, Categorical)]
        policy = Categorical(torch.cat(policies)) if len(policies) == len(made) else None
        states = _States(tuple(each.state for each in made), state.step + 1)
        return Decision(torch.cat([each.action for each in made]), states, policy)


def _shifts(own: Sequence[Tick], foreign: Sequence[Tick], sizes: Sequence[int]) -> Floats:
    """Each row's mean Jensen-Shannon divergence over the steps that both of its lives last, (n,); sums over factors."""
    total = count = np.zeros(len(own[0].valid))
    for one, other in zip(own, foreign, strict=False):
        both = one.valid & other.valid
        p, q = _choices(one.decision), _choices(other.decision)
        cuts = np.cumsum(sizes)[:-1]
        blocks = zip(np.split(p, cuts, 1), np.split(q, cuts, 1), strict=True)
        total = total + both * sum(_divergence(a, b) for a, b in blocks)
        count = count + both
    return np.asarray(total / np.maximum(count, 1))


def _choices(decision: Decision) -> Floats:
    shown = decision.policy.probs if isinstance(decision.policy, Categorical) else decision.action
    return np.asarray(shown.detach().to(torch.float64).numpy())


def _divergence(p: Floats, q: Floats) -> Floats:
    """Jensen-Shannon divergence of rows (n, k), in bits (Lin 1991)."""
    spread = entr((p + q) / 2).sum(-1) - (entr(p).sum(-1) + entr(q).sum(-1)) / 2
    return np.asarray(np.maximum(spread / np.log(2), 0.0))
