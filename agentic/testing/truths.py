"""Whether an environment lives up to its own truth: sampled steps against what `true_model()` tells.

The state is followed by a Bayes filter through the model itself, so that worlds which hide it are compared too. What
the filter predicts is compared with what comes by e-values: bets on the frequencies seen so far, against the model,
whose expected gain is 0 if the model is right. By Ville's inequality none ever multiplies its stake by n / `ALARM`,
n bets in all, with more than probability `ALARM`, however the steps were chosen.
"""

from collections import defaultdict
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic.engine.domain import Simplex
from agentic.environments.environment import Environment, make as as_environment
from agentic.environments.mdp import Floats, World
from agentic.environments.pomdp import HasTrueModel, Truth
from agentic.errors import UserError
from agentic.testing.kit import Make, NotApplicable

ALARM = 1e-5  # probability of a complaint about a model that is right
STEPS, TRIES = 30_000, 500  # at most so many, and where states are known so many for each of them and each action
LIFE = 200  # steps after which an episode is broken off
SHORT = 0.9  # of the episodes, where states are hidden
REPLAN = 1000
LARGEST = 20_000_000  # numbers in the table of moves
IMPOSSIBLE = 1e-12
SAME = 1e-6  # rewards that differ by less are equal, relative where they are large
STAKES = np.array([0.5, 0.2, 0.05, 0.02])  # shares of the capital that are bet on a mean

Belief = tuple[NDArray[np.int64], Floats]  # states, and the probability of each


def true_model_is_lived(make: Make) -> None:
    """The truth is what is lived: first states, transitions, observations, rewards and ends.

    30,000 steps with fixed seeds seek the pairs of state and action that were tried least. What the model excludes is
    a complaint the first time it happens, so that something that happens once in twenty times is missed by no pair
    tried 200 times but one in 30,000. What the model tells and never happens is one at .05 after some 400 tries; other
    frequencies as soon as they are off by about 5 standard errors. Rewards that never vary with state, action and
    successor are compared to the last digits, others by their means, and where the state is hidden by how they differ
    within the range of all rewards. Pairs that no step meets are not compared.
    A model that is right is complained about with probability below 1e-5.
    """
    truth, world = _truth(make), as_environment(make())
    _check_spaces(world, truth)
    trial = _Trial(world, truth)
    trial.live()
    trial.judge()


def _truth(make: Make) -> Truth:
    """The truth. Raises NotApplicable where none is claimed, AssertionError where it cannot be one."""
    env, teller = make(), make()
    try:
        if not isinstance(teller, HasTrueModel):
            return as_environment(env).truth()
        teller.true_model()
    except UserError as error:
        raise NotApplicable(str(error)) from None
    try:
        return as_environment(env).truth()
    except UserError as error:
        raise AssertionError(f"true_model() is no truth: {error}") from None


def _check_spaces(world: Environment, truth: Truth) -> None:
    shown, actions = tuple(len(levels) for levels in truth["A"]), truth["rewards"].shape[-1]
    seen, choices = (d.sizes if isinstance(d, Simplex) else d for d in (world.observation, world.action))
    assert seen == shown, f"the observation space has sizes {seen}, and the arrays of true_model() {shown}"
    joint = world.action.count if isinstance(world.action, Simplex) else 0
    assert joint == actions, f"the action space has sizes {choices}, and the arrays of true_model() {actions} actions"
    states = truth["ends"].size
    if states * max(states * actions, int(np.prod(shown))) > LARGEST:
        raise NotApplicable(f"a world of {states} states is too large to be sampled")


@final
class _Tally:
    """The outcomes of one kind of moment, and the evidence in them against the probabilities they were given."""

    def __init__(self, outcomes: int) -> None:
        self.seen, self.expected, self.evidence, self.count = np.zeros(outcomes), np.zeros(outcomes), 0.0, 0

    def add(self, chances: Floats, outcome: int) -> None:
        """One more `outcome` of probability `chances[outcome]`; the bet is on what came more often than it should."""
        self.count += 1
        if chances[outcome] < 1 - IMPOSSIBLE:
            bet = chances * (self.seen + 0.5) / (self.expected + 0.5)
            self.evidence += float(np.log(bet[outcome] / bet.sum() / chances[outcome]))
        self.seen[outcome] += 1
        self.expected += chances

    def worst(self) -> str:
        """The outcome that is furthest off, in words."""
        most = int(np.abs(self.seen - self.expected).argmax())
        return f"{most} in {self.seen[most]:g} of {self.count} times, where {self.expected[most]:.4g} are expected"


@final
class _Trial:
    """An environment that is lived in while its model says what to expect."""

    def __init__(self, world: Environment, truth: Truth) -> None:
        self.world, self.plain = world, World.of(truth).merged()
        self.factors, self.ends = truth["ends"].shape, truth["ends"].ravel()
        states, self.sizes = self.plain.states, tuple(len(levels) for levels in truth["A"])
        seen = np.ones((states, 1))
        for levels in truth["A"]:
            seen = (seen[:, :, None] * levels.reshape(len(levels), states).T[:, None]).reshape(states, -1)
        self.looks, self.first = seen, [leaf.start.ravel() for leaf in world.observation_layout.leaves]
        self._hides = bool(((seen > 0).sum(0) > 1).any())
        self.chance = np.random.default_rng(0)
        self.tries = np.zeros(self.plain.rewards.shape)
        self.starts = _Tally(seen.shape[1])
        self.moves: dict[tuple[int, int], _Tally] = defaultdict(lambda: _Tally(seen.shape[1]))
        self.over: dict[int, _Tally] = defaultdict(lambda: _Tally(2))
        self.entered: dict[int, tuple[int, int]] = {}
        self.paid: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)  # successor or -1, and reward
        self.guessed: dict[tuple[int, int], list[float]] = defaultdict(
            list
        )  # less what they should be, once an episode

    def live(self) -> None:
        """Take all steps. Raises AssertionError at the first that the model excludes."""
        assert isinstance(self.world.action, Simplex)
        natives = [self.world.decode(row[None]) for row in self.world.action.corners()]
        belief, age, life = self._begun(self.world.reset([0])), 0, self._life()
        met = set[tuple[int, int]]()
        for step in range(STEPS if self._hides else min(STEPS, TRIES * self.tries.size)):
            if step % REPLAN == 0:
                plan = self._plan()
            place, sure = int(belief[0][belief[1].argmax()]), len(belief[0]) == 1
            action = self._choice(place, plan)
            mean = float(belief[1] @ self.plain.rewards[belief[0], action])
            outcome = self.world.step(natives[action])
            ended, reward, age = bool(outcome.terminated[0]), float(outcome.reward[0]), age + 1
            belief, after = self._followed(belief, place, action, self._level(outcome.next_obs), ended)
            if sure:
                self.paid[place, action].append((after, reward))
            elif (place, action) not in met:  # once: what an episode hides may decide all of its rewards
                met.add((place, action))
                self.guessed[place, action].append(reward - mean)
            if ended or outcome.truncated[0] or age == life:
                belief, age, life = self._begun(self.world.restart(np.ones(1, bool))), 0, self._life()
                met.clear()

    def _life(self) -> int:
        """The steps of the next episode: short ones, mostly, where many are needed because states are hidden."""
        if self._hides and self.chance.random() < SHORT:
            return int(self.chance.integers(1, 12))
        return LIFE + 2 * self.plain.states

    def _plan(self) -> Floats:
        """Values of going where little was tried, (states, actions)."""
        states, actions = self.plain.states, self.plain.actions
        bonus = World(self.plain.dynamics, 1 / np.sqrt(1 + self.tries), self.plain.start, self.plain.ended)
        return bonus.action_values(depth=min(states, 20 + LARGEST // (states * states * actions)), discount=0.98)

    def _choice(self, place: int, plan: Floats) -> int:
        wanted = plan[place] if self.chance.random() < 0.5 else -self.tries[place]
        action = int(self.chance.choice(np.flatnonzero(wanted >= wanted.max() - 1e-9)))
        self.tries[place, action] += 1
        return action

    def _level(self, obs: Any) -> int:
        levels = np.concatenate([each[0].ravel() - first for each, first in zip(obs, self.first, strict=True)])
        return int(np.ravel_multi_index(tuple(levels.astype(np.int64)), self.sizes))

    def _begun(self, obs: Any) -> Belief:
        level = self._level(obs)
        chances = self.plain.start @ self.looks
        assert chances[level] > IMPOSSIBLE, f"an episode began with the observation {level}, which D and A exclude"
        self.starts.add(chances, level)
        return _known(self.plain.start * self.looks[:, level])

    def _followed(self, belief: Belief, place: int, action: int, level: int, ended: bool) -> tuple[Belief, int]:
        """The belief after one step, if it goes on, and the state that was entered, -1 where that is not known."""
        ahead = belief[1] @ self.plain.dynamics[belief[0], action]
        chances = ahead @ self.looks
        assert chances[level] > IMPOSSIBLE, (
            f"{self._at(belief, place, action)} led to the observation {level}, which B and A exclude"
        )
        self.moves[place, action].add(chances, level)
        states, weights = _known(ahead * self.looks[:, level])
        entered, chance = int(states[weights.argmax()]), float(weights @ self.ends[states])
        now = np.array([1 - chance, chance])
        said = "ended" if ended else "did not end"
        assert now[int(ended)] > IMPOSSIBLE, (
            f"{self._at(belief, place, action)} led to state {self._name(entered)} and {said} the episode, "
            f"which ends = {chance:.4g} excludes"
        )
        self.over[entered].add(now, int(ended))
        self.entered[entered] = (place, action)
        onward = weights if ended else weights * (1 - self.ends[states])
        return (states, onward / onward.sum()), entered if len(states) == 1 else -1

    def judge(self) -> None:
        """Raise AssertionError with the strongest evidence against the model, where it is strong enough."""
        states, actions = self.plain.states, self.plain.actions
        found = [(self.starts.evidence, f"episodes begin with the observation {self.starts.worst()} by D and A")]
        for (place, action), tally in self.moves.items():
            said = f"{self._in(place, action)} led to the observation {tally.worst()} by B and A"
            found.append((tally.evidence, said))
        for entered, tally in self.over.items():
            way = self._in(*self.entered[entered])
            said = f"entering state {self._name(entered)}, as {way} does, ended the episode {tally.seen[1]:g} of "
            found.append((tally.evidence, f"{said}{tally.count} times, where ends let expect {tally.expected[1]:.4g}"))
        found += self._rewards()
        evidence, said = max(found)
        assert evidence < np.log((1 + states + 2 * states * actions) / ALARM), said

    def _rewards(self) -> list[tuple[float, str]]:
        """The evidence against rewards: infinite where they never vary and are others, else that of bets on means."""
        claimed, fixed, found = self.plain.rewards, self._fixed(), []
        known = {(s, a): np.array([r for _, r in paid]) - claimed[s, a] for (s, a), paid in self.paid.items()}
        guessed = {pair: np.array(gaps) for pair, gaps in self.guessed.items()}
        every = [np.ptp(claimed, keepdims=True).ravel(), *known.values(), *guessed.values()]
        spread = float(np.abs(np.concatenate(every)).max()) or 1.0
        for pair, gaps in known.items():
            mean, evidence = claimed[pair] + gaps.mean(), _bets(gaps / spread)
            if fixed is not None:
                mean, missing = self._expected(pair, fixed)
                evidence = (
                    np.inf if abs(mean - claimed[pair]) > missing * spread + SAME * (1 + abs(claimed[pair])) else 0.0
                )
            said = f"{self._in(*pair)} pays {mean:.6g} on average, where rewards let expect {claimed[pair]:.6g}"
            found.append((evidence, said))
        for pair, gaps in guessed.items():
            said = f"{self._in(*pair)} pays {gaps.mean():+.4g} more than rewards let expect, in episodes in which that"
            found.append((_bets(gaps / spread), f"{said} state was the likeliest"))
        return found

    def _fixed(self) -> dict[tuple[int, int, int], float] | None:
        """The reward of each state, action and successor; None where one of them was paid differently."""
        rewards: dict[tuple[int, int, int], float] = {}
        for pair, paid in self.paid.items():
            for after, reward in paid:
                if after < 0 or abs(rewards.setdefault((*pair, after), reward) - reward) > 1e-9 * (1 + abs(reward)):
                    return None
        return rewards

    def _expected(self, pair: tuple[int, int], fixed: dict[tuple[int, int, int], float]) -> tuple[float, float]:
        """The mean of what the model's successors were seen to pay, and the probability of those not seen."""
        chances = self.plain.dynamics[pair]
        seen = [n for n in np.flatnonzero(chances).tolist() if (*pair, n) in fixed]
        return sum(chances[n] * fixed[*pair, n] for n in seen), 1 - float(chances[seen].sum())

    def _at(self, belief: Belief, place: int, action: int) -> str:
        return self._in(place, action) if len(belief[0]) == 1 else f"{self._in(place, action)} (likely, not known)"

    def _in(self, place: int, action: int) -> str:
        return f"in state {self._name(place)} action {action}"

    def _name(self, state: int) -> Any:
        """The state as its factors have it."""
        values = tuple(int(value) for value in np.unravel_index(state, self.factors))
        return values if len(values) > 1 else values[0]


def _bets(gaps: Floats) -> float:
    """The evidence that the mean of `gaps` (n,), numbers from -1 to 1, is not 0."""
    gains = np.log1p(np.outer(np.append(STAKES, -STAKES), gaps)).sum(1)
    return float(np.logaddexp.reduce(gains) - np.log(len(gains)))


def _known(weights: Floats) -> Belief:
    states = np.flatnonzero(weights > IMPOSSIBLE * weights.max())
    return states, weights[states] / weights[states].sum()
