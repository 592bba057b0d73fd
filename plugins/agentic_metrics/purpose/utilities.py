"""Goal-directedness where no goal is declared: the utility that explains an agent best, of chosen variables only.

A flexible class of utilities explains anything: for records the value is that of decisions that were held out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtr, stdtrit

from agentic import Interval, Null, UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.behavior import Behavior, Places, checked_names
from agentic_metrics.finite.fitting import Decisions
from agentic_metrics.finite.soft import checked_policies, mover, occupancy, soft_logs
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.purpose.goals import possible, sample_cautions

FOLDS = 5
LARGEST = 100.0
SEARCH = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-9, "maxcor": 20}


@final
@dataclass(frozen=True)
class Attribution:
    """The utility that explains a policy best: `utility` (values,) of the variables, times its inverse temperature.

    `value` in nats; `normalized` is the share of what could be explained at most.
    """

    value: float
    normalized: float
    utility: Floats

    def __float__(self) -> float:
        return self.value


def attributed_goal(
    world: World,
    policy: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    horizon: int,
    discount: float = 1.0,
    largest: float = LARGEST,
) -> Attribution:
    """Goal-directedness with respect to variables: its maximum over all utilities of their values, in nats.

    `labels` (s,) names the value, from 0, that the variables have in each state; by default each state has its own. A
    decision is worth U(label) of the state it leads to, so that variables it cannot influence give 0. The objective is
    concave in U, its gradient what the policy expects of each value less what the soft-optimal policy expects (maximum
    causal entropy inverse reinforcement learning; Ziebart, Bagnell and Dey 2010). U ranges over at most `largest`:
    where no finite U is best, the value lies below the supremum that is approached.
    """
    features = _features(world, labels)
    made = occupancy(world, checked_policies(world, policy, horizon), horizon=horizon, discount=discount)
    utility = _explain(world, features, made, discount=discount, penalty=0.0, largest=largest)
    logs, _ = soft_logs(world, features @ utility, horizon=horizon, discount=discount)
    value = max(0.0, float((made * (logs + np.log(world.actions))).sum()))
    return Attribution(value, value / possible(world, horizon, discount), utility)


def attributed_goal_from_episodes(
    world: World,
    states: Sequence[ArrayLike],
    actions: Sequence[ArrayLike],
    labels: ArrayLike | None = None,
    *,
    horizon: int,
    discount: float = 1.0,
    penalty: float = 0.5,
    largest: float = LARGEST,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """`attributed_goal` from episodes in a known world, explained by a utility that was fitted to others.

    The episodes are dealt into folds; those of each are explained by the utility fitted to the rest, which maximizes
    the total over its episodes less `penalty` |U|^2 / 2. The value is the mean over held-out episodes: below the truth
    by what the fit misses and, where there is nothing to find, negative. So the null needs no surrogates: for a
    uniformly random agent the mean is at most 0 (one-sided normal test).
    """
    behavior, features = Behavior.of(world, states, actions, most=horizon), _features(world, labels)
    count = len(behavior.states)
    if count < FOLDS:
        raise UserError(f"to hold episodes out there must be at least {FOLDS} of them, got {count}: record more")
    local = np.empty(count)
    for held in np.array_split(generator.permutation(count), FOLDS):
        rest = np.setdiff1d(np.arange(count), held)
        made = _made(world, _some(behavior, rest), discount)
        utility = _explain(world, features, made, discount=discount, penalty=penalty / len(rest), largest=largest)
        logs, _ = soft_logs(world, features @ utility, horizon=horizon, discount=discount)
        decisions = Decisions.of_behavior(_some(behavior, held), world.actions, discount)
        local[held] = sum(decisions.of(t, logs[t][None] + np.log(world.actions))[0] for t in range(horizon))
    value, error = float(local.mean()), float(local.std(ddof=1) / np.sqrt(count))
    half = float(stdtrit(count - 1, 0.5 + level / 2)) * error
    p_value = float(ndtr(-value / error)) if error > 0 else float(value <= 0)
    return Estimate(
        value=value,
        estimator="held-out soft-optimal likelihood",
        interval=Interval(level, value - half, value + half, f"Student t over {count} held-out episodes"),
        null=Null("a uniformly random agent, held out", 0.0, error, 1, p_value),
        episodes=count,
        samples=int(behavior.valid.sum()),
        diagnostics={"normalized": value / possible(world, horizon, discount), "values": features.shape[-1]},
        cautions=tuple(sample_cautions(behavior)),
    )


def _explain(
    world: World, features: Floats, made: Floats, *, discount: float, penalty: float, largest: float
) -> Floats:
    """The utility (values,) of features (s, a, values) that makes decisions (t, s, a) most likely, by L-BFGS."""
    back, horizon = world.dynamics.reshape(-1, world.states), len(made)

    def loss(utility: Floats) -> tuple[float, Floats]:
        logs, _ = soft_logs(world, features @ utility, horizon=horizon, discount=discount)
        slope, ahead = np.zeros(len(utility)), np.zeros(world.states)
        for log, done in zip(logs, made, strict=True):
            # What was decided less what the soft policy does there, and all that the difference leads to.
            mass = done + (ahead - done.sum(-1))[:, None] * np.exp(log)
            slope += mass.ravel() @ features.reshape(mass.size, -1)
            ahead = discount * (mass.ravel() @ back)
        value = float((made * logs).sum())
        return penalty * float(utility @ utility) / 2 - value, penalty * utility - slope

    count = features.shape[-1]
    bounds = [(-largest / 2, largest / 2)] * count
    found = minimize(loss, np.zeros(count), jac=True, method="L-BFGS-B", bounds=bounds, options=SEARCH)
    return np.asarray(found.x)


def _features(world: World, labels: ArrayLike | None) -> Floats:
    """P(label of the next state | s, a), (s, a, values)."""
    names = checked_names("labels", np.arange(world.states) if labels is None else labels, world.states)
    if names.shape != (world.states,):
        raise UserError(f"labels name the value of the variables in each of {world.states} states, got {names.shape}")
    return np.asarray(mover(world)(np.eye(int(names.max()) + 1)[names]))


def _made(world: World, behavior: Behavior, discount: float) -> Floats:
    """The decisions of episodes, discounted, per episode: (t, s, a)."""
    decisions, shape = Decisions.of_behavior(behavior, world.actions, discount), world.rewards.shape
    counted = zip(decisions.places[:, 0], decisions.weights[:, 0], strict=True)
    size = world.rewards.size
    return np.array([decisions.share * np.bincount(where, weight, size).reshape(shape) for where, weight in counted])


def _some(behavior: Behavior, rows: Places) -> Behavior:
    return Behavior(behavior.states[rows], behavior.actions[rows], behavior.valid[rows], behavior.cut[rows])
