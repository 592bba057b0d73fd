"""Goal-directedness of an unknown goal: the utility of chosen variables that explains an agent best.

A flexible class of utilities explains anything: for records the value is that of decisions that were held out.
"""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtr

from agentic import Interval, Null, UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.arrays import Floats, Ints
from agentic_metrics.finite.behavior import Behavior, checked_names
from agentic_metrics.finite.fitting import Decisions
from agentic_metrics.finite.soft import mover, soft_logs
from agentic_metrics.finite.world import World

FOLDS = 5
LARGEST = 100.0
PENALTY = 0.5
SEARCH = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-9, "maxcor": 20}


@final
@dataclass(frozen=True)
class Utilities:
    """The utilities among which a goal is sought: any of the values of some variables, within a range of `largest`.

    A decision is worth U(label) of the state it leads to, so that variables it cannot influence explain nothing;
    `features` (s, a, values) are P(label of the next state | s, a).
    """

    world: World
    features: Floats
    horizon: int
    discount: float
    largest: float

    @classmethod
    def of(cls, world: World, labels: ArrayLike | None, *, horizon: int, discount: float, largest: float) -> Self:
        """The utilities of `labels` (s,): the value, from 0, that variables have in each state; None: each its own."""
        names = checked_names("labels", np.arange(world.states) if labels is None else labels, world.states)
        if names.shape != (world.states,):
            raise UserError(
                f"labels name the value of the variables in each of {world.states} states, got {names.shape}"
            )
        features = np.asarray(mover(world)(np.eye(int(names.max()) + 1)[names]))
        return cls(world, features, horizon, discount, largest)

    def logs(self, utility: Floats) -> Floats:
        """The ln probability (t, s, a) of what is soft-optimal for a utility (values,)."""
        return soft_logs(self.world, self.features @ utility, horizon=self.horizon, discount=self.discount)[0]

    def nats(self, utility: Floats) -> Floats:
        """The ln probability (t, s, a) of what is soft-optimal for a utility (values,), over that of chance."""
        return np.asarray(self.logs(utility) + np.log(self.world.actions))

    def best(self, made: Floats, penalty: float = 0.0) -> Floats:
        """The utility (values,) that makes decisions (t, s, a) most likely, less `penalty` |U|^2 / 2, by L-BFGS.

        The objective is concave in U, its gradient what the decisions show of each value less what the soft-optimal
        policy expects (maximum causal entropy inverse reinforcement learning; Ziebart, Bagnell and Dey 2010). Where no
        finite U is best, the value lies below the supremum that is approached.
        """
        back, count = self.world.dynamics.reshape(-1, self.world.states), self.features.shape[-1]

        def loss(utility: Floats) -> tuple[float, Floats]:
            logs = self.logs(utility)
            slope, ahead = np.zeros(count), np.zeros(self.world.states)
            for log, done in zip(logs, made, strict=True):
                # What was decided less what the soft policy does there, and all that the difference leads to.
                mass = done + (ahead - done.sum(-1))[:, None] * np.exp(log)
                slope += mass.ravel() @ self.features.reshape(mass.size, -1)
                ahead = self.discount * (mass.ravel() @ back)
            value = float((made * logs).sum())
            return penalty * float(utility @ utility) / 2 - value, penalty * utility - slope

        bounds = [(-self.largest / 2, self.largest / 2)] * count
        return np.asarray(minimize(loss, np.zeros(count), jac=True, method="L-BFGS-B", bounds=bounds, options=SEARCH).x)

    def made(self, behavior: Behavior) -> Floats:
        """The decisions (t, s, a) of episodes, discounted, per episode."""
        decisions = Decisions.of_behavior(behavior, self.world.actions, self.discount)
        counted = zip(decisions.places[:, 0], decisions.weights[:, 0], strict=True)
        shape, size = self.world.rewards.shape, self.world.rewards.size
        return np.array([decisions.share * np.bincount(where, each, size).reshape(shape) for where, each in counted])


def held_out(utilities: Utilities, behavior: Behavior, *, level: float, generator: np.random.Generator) -> Estimate:
    """The nats of episodes that are explained by a utility fitted to others.

    The episodes are dealt into folds; those of each are explained by the utility fitted to the rest, which maximizes
    the total over its episodes less `PENALTY` |U|^2 / 2. The value is the mean over held-out episodes: below the truth
    by what the fit misses and, where there is nothing to find, negative. So the null needs no surrogates: for a
    uniformly random agent the mean is at most 0 (one-sided normal test).
    """
    count = len(behavior.states)
    if count < FOLDS:
        raise UserError(f"to hold episodes out there must be at least {FOLDS} of them, got {count}: record more")
    local = np.empty(count)
    for held in np.array_split(generator.permutation(count), FOLDS):
        rest = np.setdiff1d(np.arange(count), held)
        nats = utilities.nats(utilities.best(utilities.made(_some(behavior, rest)), PENALTY / len(rest)))
        decisions = Decisions.of_behavior(_some(behavior, held), utilities.world.actions, utilities.discount)
        local[held] = sum(decisions.of(t, nats[t][None])[0] for t in range(utilities.horizon))
    value, error = float(local.mean()), float(local.std(ddof=1) / np.sqrt(count))
    p_value = float(ndtr(-value / error)) if error > 0 else float(value <= 0)
    return Estimate(
        value=value,
        estimator="held-out soft-optimal likelihood",
        interval=Interval.student(
            value, error, count - 1, level=level, method=f"Student t over {count} held-out episodes"
        ),
        null=Null("a uniformly random agent, held out", 0.0, error, 1, p_value),
        diagnostics={"values": utilities.features.shape[-1]},
    )


def _some(behavior: Behavior, rows: Ints) -> Behavior:
    return Behavior(behavior.states[rows], behavior.actions[rows], behavior.valid[rows], behavior.cut[rows])
