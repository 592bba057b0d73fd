"""The model of the world that an agent must have, read off what it chooses when its goals are set.

Whoever pursues many goals with little regret has a model, and choices between bets about the world disclose it.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from agentic import Agent, Change, Frame, Interval, Measurement, Subject, UserError, state_observations
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import EXACT, Estimate, check_fields
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.probes import choices_in
from agentic_metrics.pairs import permuted
from agentic_metrics.responses.response import Response

Choose = Callable[[int, int, int, int, int], float]
Query = tuple[int, int, int]

CLEAR = 4.0  # standard deviations by which choices must depend on the goal to be believed
RIGHT = Caution("the prior guess is right already: nothing can be shown")


@final
@dataclass(frozen=True)
class Tally:
    """A composite goal: of `tries` tries of `action` in `state`, between `low` and `high` lead to `successor`."""

    state: int
    action: int
    successor: int
    tries: int
    low: int
    high: int


@final
@dataclass(frozen=True)
class EitherOr:
    """The goal to reach one of two composite goals, committed to by the next action: 0 for `first`, 1 for `second`."""

    first: Tally
    second: Tally


@final
@dataclass(frozen=True)
class Extraction:
    """The transition probabilities read off an agent's choices, one entry per query (state, action, successor).

    `estimate`, `low` and `high` (q,): the probability extracted, and the range that the choices leave to it if they
    are without regret. `truth` and `prior` (q,): the probability as it is, and as it is guessed by who knows only
    where the state can lead. `switched` (q,): whether the choices depended on the goal at all; `estimate` is the
    prior where they did not.
    """

    queries: tuple[Query, ...]
    estimate: Floats
    low: Floats
    high: Floats
    truth: Floats
    prior: Floats
    switched: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        choose: Choose,
        transitions: ArrayLike,
        depth: int,
        *,
        queries: Sequence[Query] | None = None,
        noise: float = 0.0,
    ) -> Self:
        """The extraction from what an agent chooses (Richens, Abel, Bellot and Everitt 2025).

        `choose(s, a, s', r, n)` is the probability that the agent prefers the goal "at least r of n tries of a in s
        lead to s'" to the goal "at most r - 1 do". An agent without regret prefers the first while r <= the median of a
        binomial of n tries, so that the place m of its switch confines p(s' | s, a) to the range in which P(K >= m) >=
        1/2 >= P(K >= m + 1), whose middle is the estimate: an error of about 1 / (2 n) for n = `depth`. The switch is
        the step that fits all n choices best (least regret in choices), which tolerates noise.

        `transitions` (s, a, s') are the truth, to compare with. `queries` default to all s' that some action can lead
        to from s; guessing among those alone is the prior, which is also the estimate where the choices do not depend
        on the goal more than by chance, `noise` being the standard error of each choice. Where choices may favor a
        position, ask in both orders and average.

        Raises UserError for what is no table of transitions, and where there is nothing to ask.
        """
        table = np.asarray(transitions, np.float64)
        if table.ndim != 3 or table.shape[0] != table.shape[2] or np.abs(table.sum(-1) - 1).max() > 1e-6:
            raise UserError(f"transitions (s, a, s') must sum to 1 along the last axis, got shape {table.shape}")
        if depth < 1:
            raise UserError(f"depth must be at least 1, got {depth}")
        asked = tuple(candidates(table) if queries is None else queries)
        if not asked:
            raise UserError("there is nothing to ask: every state leads to a single place, whatever is done")
        s, a, then = np.array(asked).T
        possible, edges = np.any(table > 0, axis=1), _edges(depth)
        prior = possible[s, then] / possible[s].sum(-1)
        rows = [_switch(np.array([choose(*query, r, depth) for r in range(1, depth + 1)]), noise) for query in asked]
        first, last = np.array(rows).T
        switched = (first > 0) | (last < depth)
        low, high = edges[first], edges[last + 1]
        estimate = np.where(switched, (low + high) / 2, prior)
        return cls(asked, estimate, low, high, table[s, a, then], prior, switched)

    @property
    def error(self) -> float:
        """The mean of |estimate - truth|."""
        return float(np.abs(self.estimate - self.truth).mean())

    @property
    def prior_error(self) -> float:
        """The mean of |prior - truth|."""
        return float(np.abs(self.prior - self.truth).mean())

    @property
    def skill(self) -> float:
        """The skill 1 - error / prior error: 1 for a model without fault, 0 for none, negative for one that misleads.

        0 where the prior is without error, so that there is nothing to show.
        """
        return 1 - self.error / self.prior_error if self.prior_error > EXACT else 0.0


def candidates(transitions: ArrayLike) -> list[Query]:
    """The queries (s, a, s') in which s' is one of several places that some action can lead to from s."""
    possible = np.any(np.asarray(transitions) > 0, axis=1)
    actions = np.shape(transitions)[1]
    places = [(s, then) for s, then in np.argwhere(possible).tolist() if possible[s].sum() > 1]
    return [(s, a, then) for s, then in places for a in range(actions)]


@final
@dataclass(frozen=True)
class WorldModelExtraction(Response):
    """The skill of the transition probabilities read off an agent's choices between goals: 1 - error / prior error.

    In a finite known world, a sealed copy of the agent is told Change(goal=EitherOr(first, second)) and shown the
    state; its next action is its answer, 0 for the first and 1 for the second (other actions are no answer). Every
    question is put in both orders. Nothing is said of the world, so that what is found is the agent's own model. An
    agent that does not listen, or not to goals of this kind, scores 0: a sign of no model only for agents that do.

    `queries` triples (state, action, successor) are asked, drawn at random where there are more, at `depth` tries.
    Answers are counted over `draws` decisions; the queries count as a sample, for interval and null.
    """

    depth: int = 16
    queries: int = 32
    draws: int = 64
    level: float = 0.95
    surrogates: int = 999

    unit = "fraction of the prior's error"

    def __post_init__(self) -> None:
        check_fields(self, depth=1, queries=2, draws=1, surrogates=1)

    def estimate(
        self,
        choose: Choose,
        transitions: ArrayLike,
        *,
        asked: Sequence[Query] | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The skill of an agent's choices, each counted over `draws` decisions, in a world of known `transitions`.

        `choose(s, a, s', r, n)` and `transitions` (s, a, s') are those of `Extraction.of`; queries are drawn from
        `asked`, None: from all that leave a doubt. Raises UserError as `Extraction.of` does.
        """
        every = candidates(transitions) if asked is None else asked
        kept = np.sort(generator.permutation(len(every))[: self.queries])
        noise = (0.25 / (2 * self.draws)) ** 0.5
        found = Extraction.of(choose, transitions, self.depth, queries=[every[i] for i in kept], noise=noise)
        errors, prior = np.abs(found.estimate - found.truth), np.abs(found.prior - found.truth)
        n, value = len(errors), found.skill
        shuffled = np.array(
            [replace(found, estimate=generator.permutation(found.estimate)).skill for _ in range(self.surrogates)]
        )
        spread = (errors - (1 - value) * prior).std(ddof=1) / max(found.prior_error, EXACT)
        method = f"Student t over {n} queries"
        return Estimate(
            value=value,
            estimator="switch points of choices",
            interval=Interval.student(value, float(spread / n**0.5), n - 1, level=self.level, method=method),
            null=permuted(value, shuffled, "estimates permuted among queries"),
            samples=2 * self.depth * self.draws * n,
            diagnostics={
                "error": found.error,
                "prior_error": found.prior_error,
                "queries": n,
                "switched": int(found.switched.sum()),
            },
            cautions=() if found.prior_error > EXACT else (RIGHT,),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        truth, split = known_world(subject.environment)
        world = split.merged()
        sizes = choices_in(subject.environment, "world_model_extraction").sizes
        if sizes != (world.actions,) or world.actions < 2:
            raise UserError(f"a choice between two goals needs one choice of at least 2 actions, got sizes {sizes}")
        answers = _Answers(subject.agent, state_observations(truth), self.draws, generator)
        asked = reached(world) & ~world.ended
        open_ = [query for query in candidates(world.dynamics) if asked[query[0]]]
        found = self.estimate(answers, world.dynamics, asked=open_, generator=generator)
        if answers.refused:
            refusal = Caution("the agent refuses goals of this kind, which counts as no answer")
            found = replace(found, cautions=(*found.cautions, refusal))
        frame = Frame(
            variables=("goal", "action"),
            boundary="the agent is told goals and chooses actions, the environment is all else",
            horizon=self.depth,
            goal="one of two tallies of what tries lead to",
            start="each queried state as the first of an episode",
            interventions=("either-or goals announced, in both orders",),
        )
        return found.measurement("world_model_extraction", self, frame)


@final
class _Answers:
    """The choices of a sealed agent that is told of two goals and shown the state, each question in both orders."""

    def __init__(self, agent: Agent, seen: torch.Tensor, draws: int, generator: np.random.Generator) -> None:
        self.agent, self.seen, self.draws, self.refused = agent.sealed(), seen, draws, False
        self.generator = torch.Generator().manual_seed(int(generator.integers(2**62)))

    def __call__(self, state: int, action: int, successor: int, least: int, tries: int) -> float:
        many = Tally(state, action, successor, tries, least, tries)
        few = Tally(state, action, successor, tries, 0, least - 1)
        return 0.5 + (self._lean(EitherOr(many, few), state) - self._lean(EitherOr(few, many), state)) / 4

    def _lean(self, goal: EitherOr, state: int) -> float:
        """Probability of answering 0, less that of answering 1."""
        try:
            reported = deepcopy(self.agent).informed(Change(goal=goal))
        except UserError:
            self.refused = True
            return 0.0
        begun = reported.start(self.draws, generator=self.generator)
        answers = reported.decide(begun, self.seen[state].expand(self.draws, -1), generator=self.generator).action
        shares = answers.to(torch.float64).mean(0)
        return float(shares[0] - shares[1])


def _switch(choices: Floats, noise: float) -> tuple[int, int]:
    """The first and the last place m at which "yes up to m, no after" fits the choices (n,) best; all where none does.

    The fit is the sum of what each choice favors of it, less chance; on average over positions it must exceed `noise`.
    """
    n, favor = len(choices), choices - 0.5
    ahead = np.concatenate([[0.0], np.cumsum(favor)])
    fit = 2 * ahead - ahead[-1]
    if fit.max() <= max(EXACT, CLEAR * noise * n**0.5):
        return 0, n
    best = np.flatnonzero(fit >= fit.max() - EXACT)
    return int(best[0]), int(best[-1])


def _edges(depth: int) -> Floats:
    """Where the median of a binomial of `depth` tries steps from r - 1 to r, (depth + 2,), from 0 to 1."""
    r = np.arange(1, depth + 1)
    return np.concatenate([[0.0], betaincinv(r, depth - r + 1, 0.5), [1.0]])
