"""How an ensemble is best fitted: errors of predictions while experience grows, by steps, rate, decay and folding.

A model learns from 300 random steps, the first fit at 100 and another every 25 steps, the weights going on from before.
The error is that of the members' mean on 2,000 steps of other random episodes, in units of the variance of change. Run
with `python -m benchmarks.model_fits Pendulum-v1 Acrobot-v1`.
"""

import sys
from collections.abc import Iterator, Sequence
from statistics import geometric_mean
from time import process_time
from typing import NamedTuple

import gymnasium
import numpy as np
import torch

from agentic import Decision, Real, Tick
from agentic.tick import Native
from agentic_energies.ensemble import Ensemble
from agentic_optimizers.gradient_learner import GradientLearner


class Fit(NamedTuple):
    """Settings of `GradientLearner`, and whether what was learned takes up a change of scales."""

    updates: int
    rate: float
    weight_decay: float
    folds: bool = True


FITS = [
    *(Fit(updates, rate, 0.0) for updates in (100, 300, 600) for rate in (3e-3, 1e-2, 3e-2)),
    *(Fit(500, 1e-2, decay) for decay in (0.0, 0.03, 0.1, 0.3, 1.0)),
    *(Fit(500, 1e-2, decay, folds=False) for decay in (0.0, 0.1)),
]
SEEDS, FIRST, EVERY, STEPS, EPISODE = (100, 101, 102, 103, 104), 100, 25, 300, 100


def random_steps(id: str, count: int, seed: int) -> Iterator[Tick]:
    """Ticks of uniformly random actions, each held for 1 to 16 steps."""
    env, source = gymnasium.make(id), np.random.default_rng(seed)
    env.action_space.seed(seed)
    obs, episode, t, left = env.reset(seed=seed)[0], 0, 0, 0
    no = np.zeros(1, bool)
    for _ in range(count):
        if not left:
            action, left = env.action_space.sample(), int(source.choice([1, 2, 4, 8, 16]))
            space = env.action_space
            force = np.eye(space.n)[action] if isinstance(space, gymnasium.spaces.Discrete) else action
        after, _, ended, cut, _ = env.step(action)
        rows = [torch.as_tensor(np.asarray(each), dtype=torch.float32).unsqueeze(0) for each in (obs, force, after)]
        where = (np.array([ended]), no, ~no, np.array([episode]), np.array([t]))
        yield Tick(*rows, np.zeros(1), *where, Decision(rows[1]), Native(None, None, None))
        obs, t, left = after, t + 1, left - 1
        if ended or cut or t == EPISODE:
            obs, episode, t, left = env.reset()[0], episode + 1, 0, 0


def errors(id: str, seed: int, fit: Fit) -> tuple[list[float], float]:
    """The error after every fit, and the processor seconds of one."""
    seen = list(random_steps(id, STEPS, seed))
    test = list(random_steps(id, 2000, seed + 1000))
    obs, action, after = (torch.cat([getattr(t, name) for t in test]) for name in ("obs", "action", "next_obs"))
    model = Ensemble(Real(obs.shape[1:]), Real(action.shape[1:]))
    if not fit.folds:
        model.transition._fold = lambda *units: None
    settings = {"updates": fit.updates, "rate": fit.rate, "weight_decay": fit.weight_decay}
    learner = GradientLearner(model, every=EVERY, **settings)
    learner.start(generator=torch.Generator().manual_seed(seed))
    found, taken = list[float](), list[float]()
    for number, tick in enumerate(seen, 1):
        if number < FIRST:
            learner.replay.add(tick)
            continue
        begun = process_time()
        if learner.study() if number == FIRST else learner.update(tick):
            taken.append(process_time() - begun)
            with torch.no_grad():
                mean = model.transition.shared(obs, action)[0].mean(0)
            found.append(float(((mean - after).square() / (after - obs).var(0)).mean()))
    return found, sum(taken) / len(taken)


def main(ids: Sequence[str]) -> None:
    torch.set_num_threads(1)
    for id in ids:
        for fit in FITS:
            runs = [errors(id, seed, fit) for seed in SEEDS]
            means = [geometric_mean(each) for each in zip(*(found for found, _ in runs), strict=True)]
            seconds = sum(taken for _, taken in runs) / len(runs)
            line = " ".join(f"{error:.4f}" for error in means[::2])
            name = f"{fit.updates} steps at {fit.rate}, decay {fit.weight_decay}{'' if fit.folds else ', not folded'}"
            print(
                f"{id}: {name}: {line}, worst {max(found[-1] for found, _ in runs):.4f}, {seconds:.2f} s a fit",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
