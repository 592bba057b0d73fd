"""Question 2: a law is known beforehand. Is it better taught in training, or put into the energy that is settled?

A pendulum's next state is learned from n transitions. Three learners, each answering in two ways: with what its network
says, and settled, where the law is a term of the energy. Asked for courses in the range of the data and beyond it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import log

import torch
from torch import Tensor

from agentic import Clamped, Loss, Real, minimize
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.likelihood import Likelihood

from . import pendulum
from .pendulum_energies import Conservation, Informed, Motion
from .study import Learner, Measures, Question, Setting, chance, count, layers, learn, width

BUDGET, UPDATES = 1_700, 1_500
INPUTS, STATE = 3, 2
TESTS, STEPS = 100, 20  # courses, and their length
EXACTLY = 0.01  # width of the law where it is settled
SOLVER = GaussNewton(steps=5)
RANGES = {"within": pendulum.WITHIN, "beyond": pendulum.BEYOND}


def question(sizes: tuple[int, ...]) -> Question:
    """The learners: feedforward, and the same taught the law at the data, or everywhere it will be asked."""

    def learner(name: str, extra: str, extras: tuple[float, float]) -> Learner:
        return Learner(name, extra, extras, UPDATES, partial(_run, name))

    learners = (
        learner("feedforward", "hidden layers", (2, 3)),
        learner("taught at the data", "width of the law", (1.0, 3.0)),
        learner("taught everywhere", "width of the law", (1.0, 3.0)),
    )
    return Question("conservation", sizes, learners, _criterion, tuned_on=(30, 300))


def _criterion(rows: Sequence[Measures]) -> float:
    """Within the range only: what is beyond is not known when settings are chosen."""
    return sum(log(measures["within course"]) for measures in rows)


def _run(name: str, size: int, seed: int, setting: Setting) -> dict[str, Measures]:
    state = pendulum.draw(size, pendulum.WITHIN, generator=chance(seed, 0))
    noise = pendulum.NOISE * torch.randn(state.shape, generator=chance(seed, 5))
    data = (state, pendulum.advance(state) + noise)
    depth, loss = _way(name, setting)
    hidden = width(BUDGET, lambda wide: layers(INPUTS, STATE, wide, depth))
    network = Network((INPUTS, *[hidden] * depth, STATE), "tanh", generator=chance(seed, 3))
    motion = Motion(Feedforward(network))
    learn(motion, loss, data, setting, seed=seed)
    energy = motion + Conservation(EXACTLY)

    def predicted(state: Tensor) -> Tensor:
        return motion.given(state).mean

    def settled(state: Tensor) -> Tensor:
        return minimize(Clamped(energy, state, Real((STATE,))), SOLVER, predicted(state)).belief.mean

    weights = count(network)
    with torch.no_grad():
        return {name: _measured(predicted, seed, weights), f"{name} (settled)": _measured(settled, seed, weights)}


def _way(name: str, setting: Setting) -> tuple[int, Loss]:
    """Hidden layers, and what is lowered."""
    if name == "feedforward":
        return int(setting.extra), Likelihood()
    return 2, Informed(setting.extra, tuple(RANGES.values()) if name == "taught everywhere" else ())


def _measured(step: Callable[[Tensor], Tensor], seed: int, weights: int) -> Measures:
    """Mean distance from the true state after one step and along a course, and how far mechanical energy strays."""
    found: dict[str, float] = {"weights": weights}
    for place, energies in RANGES.items():
        start = pendulum.draw(TESTS, energies, generator=chance(seed, 1))
        course, truth = _course(step, start), _course(pendulum.advance, start)
        gap = course - truth
        turn = torch.remainder(gap[..., 0] + torch.pi, 2 * torch.pi) - torch.pi
        away = torch.stack([turn, gap[..., 1]], -1).norm(dim=-1)
        strayed = (pendulum.mechanical(course) - pendulum.mechanical(start)).abs()
        found[f"{place} step"] = float(away[0].mean())
        found[f"{place} course"] = float(away.mean())
        found[f"{place} energy"] = float(strayed.mean())
    return found


def _course(step: Callable[[Tensor], Tensor], state: Tensor) -> Tensor:
    states = []
    for _ in range(STEPS):
        state = step(state)
        states.append(state)
    return torch.stack(states)
