"""Semantic information: viability as it is, less viability with what the agent knows of its world scrambled.

Information without a use counts for nothing here, and neither does a good life that needs none.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import rel_entr
from torch import Tensor

from agentic import Agent, Decision, Frame, Measurement, Metric, Subject, Truth, UserError
from agentic_metrics.cautions import few_episodes
from agentic_metrics.estimate import FEW, Estimate, check_fields
from agentic_metrics.finite.laws import positive
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.pairs import exchanged, permuted, student
from agentic_metrics.responses.lives import Lives, live
from agentic_metrics.responses.response import Response
from agentic_metrics.responses.rooms import Field, forager


@final
@dataclass(frozen=True)
class Semantic:
    """Semantic information, `actual` - `scrambled` viability; `stored` is the information scrambled away, in bits."""

    actual: float
    scrambled: float
    stored: float

    @property
    def value(self) -> float:
        """The viability that the stored information brings, in the unit of viability."""
        return self.actual - self.scrambled


def semantic_information(joint: ArrayLike, viability: ArrayLike) -> Semantic:
    """The semantic information V(p(x, y)) - V(p(x) p(y)) (Kolchinsky and Wolpert 2018), exactly.

    `joint` (x, y): probability of the agent's state x and the world's state y. `viability` (x, y): what follows from
    both, a probability of survival or any expected payoff, whose unit the value has. `stored` is I(X; Y) in bits.
    Raises UserError where shapes disagree or `joint` is no distribution.
    """
    p, v = np.asarray(joint, np.float64), np.asarray(viability, np.float64)
    if p.ndim != 2 or p.shape != v.shape:
        raise UserError(f"semantic_information needs two tables of one shape (x, y), got {p.shape} and {v.shape}")
    if not np.isfinite(v).all():
        raise UserError("viability must be finite numbers, got NaN or infinity")
    if not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
        raise UserError(f"the joint table must hold probabilities that sum to 1, their sum is {p.sum():.6g}")
    scrambled = np.outer(p.sum(1), p.sum(0))
    stored = positive(float(rel_entr(p, scrambled).sum() / np.log(2)))
    return Semantic(float((p * v).sum()), float((scrambled * v).sum()), stored)


_VIABILITY: dict[str, tuple[str, Callable[[Lives], Floats]]] = {  # name: unit, and viability of each life
    "survival": ("probability", lambda lives: (~lives.died).astype(np.float64)),
    "length": ("steps", lambda lives: lives.lengths.astype(np.float64)),
    "return": ("reward", lambda lives: lives.returns),
}


@final
@dataclass(frozen=True)
class SemanticInformation(Response):
    """The viability of an agent as it is, less that of the agent shown the observations of another life.

    Both live `episodes` episodes of at most `horizon` steps in the same worlds. The second sees at every step what the
    same agent saw at that step of an episode elsewhere (and continues with another one still going on where that one
    is over): each observation stays as likely as it was, but no longer tells of the world it is made in. `viability`
    is "survival" (not terminated within the horizon), "length" (steps lived) or "return"; choose "return" where an
    episode that ends is a success.
    """

    viability: str = "return"
    episodes: int = 40
    horizon: int = 200
    level: float = 0.95
    surrogates: int = 999

    def __post_init__(self) -> None:
        self.expect(self.viability in _VIABILITY, f"viability to be one of {', '.join(_VIABILITY)}")
        check_fields(self, episodes=2, horizon=1, surrogates=1)

    @property
    def unit(self) -> str:
        """The unit of viability."""
        return _VIABILITY[self.viability][0]

    def estimate(self, actual: ArrayLike, scrambled: ArrayLike, *, generator: np.random.Generator) -> Estimate:
        """The mean of `actual` - `scrambled` (n,), the viabilities of n pairs of lives in the same n worlds.

        Student's interval over the pairs; null: the two lives of each pair trade places at random, one-sided.
        Raises UserError for fewer than 2 pairs, or lives that are not paired.
        """
        a, b = (np.asarray(part, np.float64) for part in (actual, scrambled))
        if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
            raise UserError(
                f"semantic_information needs two arrays (n,) of at least 2 lives, got shapes {a.shape} and {b.shape}"
            )
        gaps, n = a - b, len(a)
        value, traded = float(gaps.mean()), exchanged(gaps, self.surrogates, generator)
        return Estimate(
            value=value,
            estimator="paired difference",
            interval=student(gaps, level=self.level, kind="pairs of episodes"),
            null=permuted(value, traded, "lives trade places"),
            episodes=n,
            samples=n,
            diagnostics={"actual": float(a.mean()), "scrambled": float(b.mean())},
            cautions=few_episodes(n, FEW, verb="run"),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        here, elsewhere = (int(seed) for seed in generator.integers(2**31, size=2))

        def lived(who: Agent, seed: int) -> Lives:
            return live(who, subject.environment, episodes=self.episodes, horizon=self.horizon, seed=seed)

        shown = _shown(lived(subject.agent, elsewhere).seen, self.horizon, generator)
        viable = _VIABILITY[self.viability][1]
        both = [viable(lived(who, here)) for who in (subject.agent, _Scrambled(subject.agent, shown))]
        found = self.estimate(*both, generator=generator)
        frame = Frame(
            variables=("obs", self.viability),
            boundary="the agent sees observations and chooses actions, the environment answers",
            horizon=self.horizon,
            goal="the environment's reward" if self.viability == "return" else "to go on",
            start="the environment's own resets",
            interventions=("observations replaced by those of another episode at the same step",),
        )
        with suppress(UserError):
            stored = {"stored_bits_at_start": _stored(*known_world(subject.environment))}
            found = replace(found, diagnostics={**found.diagnostics, **stored})
        return found.measurement("semantic_information", self, frame)

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """A forager survives, half the time where it sees another field's food; within 4 standard errors."""
        yield cls(viability="survival", episodes=200), Subject(agent=forager(), environment=Field), 0.5, 0.15


@final
class _Scrambled(Agent):
    """`agent`, shown `observations` (t, n, *event) in place of its own; it remembers how far each row has come."""

    def __init__(self, agent: Agent, observations: Tensor) -> None:
        self.agent, self.observations = agent, observations

    def start(self, batch: int, *, generator: torch.Generator) -> Any:
        return torch.zeros(batch, dtype=torch.int64), self.agent.start(batch, generator=generator)

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        step, inner = state
        shown = self.observations[step, torch.arange(len(obs))]
        decision = self.agent.decide(inner, shown.to(obs.dtype), generator=generator)
        return replace(decision, state=(step + 1, decision.state))


def _shown(seen: Sequence[Tensor], horizon: int, generator: np.random.Generator) -> Tensor:
    """The observations (horizon, n, *event) of other lives: each starts one, and is replaced by any still going on."""
    lengths = np.array([len(each) for each in seen])
    held = torch.stack([each[torch.arange(horizon).clamp(max=len(each) - 1)] for each in seen], 1)
    donors = generator.permutation(len(seen))
    rows = []
    for t in range(horizon):
        over, going = lengths[donors] <= t, np.flatnonzero(lengths > t)
        if over.any() and len(going):
            donors = np.where(over, generator.choice(going, len(donors)), donors)
        rows.append(held[t, torch.from_numpy(donors)])
    return torch.stack(rows)


def _stored(truth: Truth, world: World) -> float:
    """I(first observation; first state) in bits."""
    begins = world.start > 0
    seen = np.ones((1, np.count_nonzero(begins)))  # p(o | s), modalities joined
    for columns in truth["A"]:
        each = columns.reshape(len(columns), -1)[:, world.origin[begins]]
        seen = (seen[:, None] * each[None]).reshape(-1, seen.shape[1])
    joint = seen * world.start[begins]
    return semantic_information(joint, np.zeros_like(joint)).stored
