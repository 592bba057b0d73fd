"""The replay of what an agent saw with its memory wiped, which finds the only memory that is not the world's.

An agent that parks what it knows in the world (a mark on the floor) looks as if it remembered. Wiping what it carries,
while it sees exactly the same again, changes its choices only as far as it carried something that counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agentic import Agent, Categorical, Decision, Domain, Gaussian, Simplex, UserError
from agentic.agents import with_flat_prior
from agentic.engine import Density, select
from agentic_metrics.finite.world import Floats

TREMBLE = 1e-3  # probability with which any action is taken by mistake: keeps divergences of sure choices finite
DRAWS = 32  # decisions from which the law of an agent that does not report one is counted


@final
@dataclass(frozen=True)
class Replay:
    """Moments of episodes that happened: `seen` (episodes, t, *event) padded, and each moment's `episode` and `step`.

    `action` is the domain of the actions.
    """

    action: Domain
    seen: Tensor
    episode: NDArray[np.int64]
    step: NDArray[np.int64]

    def before(self, steps: int) -> Tensor:
        """The observations so many `steps` before each moment; the first one where the episode is shorter."""
        return self.seen[torch.from_numpy(self.episode), torch.from_numpy(np.maximum(self.step - steps, 0))]


def reset_divergences(
    agent: Agent, replay: Replay, *, lags: int, generator: np.random.Generator
) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """The KL in bits of the law of action with memory from that with memory wiped L steps ago, for L = 1 .. lags.

    Yields the divergences of all moments with more than L observations, and their episodes; ends where none has.
    The agent is a sealed copy; with and without memory it sees the same observations and meets the same chance, so
    that an agent without memory differs by exactly nothing. Action probabilities are mixed with a uniform
    law of weight 0.001 first; continuous laws must be reported as Gaussians. Raises UserError where they are not.
    """
    sealed = agent.sealed()
    longest, rows = int(replay.step.max()), len(replay.step)
    seeds = generator.integers(2**62, size=longest + 2)

    def chance(moment: int) -> torch.Generator:
        return torch.Generator().manual_seed(int(seeds[moment]))

    def law(state: Any) -> Density:
        decided = [sealed.decide(state, replay.before(0), generator=chance(0))]
        if not isinstance(decided[0].policy, Categorical | Gaussian):
            again = chance(longest + 1)
            decided += [sealed.decide(state, replay.before(0), generator=again) for _ in range(DRAWS - 1)]
        return _law(decided, replay.action)

    def fresh() -> Any:
        return sealed.start(rows, generator=chance(longest + 1))

    def after(state: Any, first: int, begins: bool) -> Any:
        for before in range(first, 0, -1):
            if begins and before < first:
                state = select(torch.from_numpy(replay.step == before), fresh(), state)
            state = sealed.decide(state, replay.before(before), generator=chance(before)).state
        return state

    with_memory = law(after(fresh(), longest, True))
    for lag in range(1, lags + 1):
        affected = replay.step >= lag
        if not affected.any():
            return
        bits = _divergence(with_memory, law(after(with_flat_prior(fresh()), lag - 1, False)))
        yield bits[affected], replay.episode[affected]


def _law(decided: list[Decision], space: Domain) -> Density:
    """The law that a decision reports, else how often each action was taken; a few choices are mistakes."""
    reported = decided[0].policy
    if isinstance(reported, Gaussian):
        return Gaussian(reported.mean.detach().double(), reported.covariance.detach().double())
    if isinstance(reported, Categorical):
        return _trembling(reported.probs.detach().double(), reported.sizes)
    if not isinstance(space, Simplex):
        raise UserError(
            f"memory of continuous actions is known from the Gaussian law that decisions report as their policy, "
            f"got {type(reported).__name__}: report it, or measure an agent with discrete actions"
        )
    return _trembling(torch.stack([each.action.double() for each in decided]).mean(0), space.sizes)


def _trembling(probs: Tensor, sizes: tuple[int, ...]) -> Categorical:
    blocks = [(1 - TREMBLE) * block + TREMBLE / block.shape[-1] for block in Categorical(probs, sizes).blocks]
    return Categorical(torch.cat(blocks, -1), sizes)


def _divergence(law: Density, other: Density) -> Floats:
    """KL(law || other) of each row, in bits."""
    if type(law) is not type(other):
        raise UserError("an agent reports either Categorical or Gaussian policies, got both: report one kind")
    return np.asarray(np.maximum(law.divergence(other).numpy() / np.log(2), 0.0))
