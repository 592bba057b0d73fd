"""Question 1: one place of the hand, two postures. Who finds a right one, and who finds both?

Every learner sees the same hands (n, 2) and angles (n, 2), has about BUDGET weights, and gives answers to a new place:
angles (k, b, 2), with how bad it takes each to be (k, b).
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor

from agentic import Clamped, Energy, Loss, Real, minimize
from agentic_energies.emission import GaussianEmission
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_energies.vae import VAE
from agentic_optimizers.elbo import Elbo
from agentic_optimizers.gradient import Adam
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.score_matching import DenoisingScoreMatching

from . import arm
from .arm_energies import POINTS, Contrast, ForwardModel, MixtureDensity, Posture
from .observed import Observed
from .study import Learner, Measures, Question, Setting, chance, count, layers, learn, width

BUDGET, UPDATES = 2_600, 1_500
HAND, STARTS, TESTS = 2, 16, 300
CLOSE = 0.3  # how near an answer is to a posture that counts as found: .2 rad in each angle
SOLVER = Adam(steps=60, rate=0.1, check_every=60)
Make = Callable[[tuple[Tensor, Tensor], Setting, int], Callable[[Tensor], "Answers"]]


class Answers(NamedTuple):
    """Angles (k, b, 2), how bad each is (k, b), weights in the network, and multiplications for one place."""

    angles: Tensor
    badness: Tensor
    weights: int
    operations: int


def question(name: str, sizes: tuple[int, ...], *, both: bool) -> Question:
    """With postures of both kinds, or with one kind alone, where the relation is a function."""

    def learner(label: str, make: Make, extra: str, extras: tuple[float, float]) -> Learner:
        return Learner(label, extra, extras, UPDATES, partial(_run, label, make, both))

    learners = (
        learner("feedforward", _feedforward, "hidden layers", (2, 3)),
        learner("mixture density", _mixture, "parts", (4, 8)),
        learner("contrast energy", _contrast, "width of near negatives (rad)", (0.2, 0.5)),
        learner("score energy", _score, "noise (rad)", (0.1, 0.2)),
        learner("forward-model energy", _forward_model, "hidden layers", (2, 3)),
        learner("latent variable", _latent, "latents", (2, 3)),
    )
    return Question(name, sizes, learners, _criterion, tuned_on=(100, 1000))


def _criterion(rows: Sequence[Measures]) -> float:
    return sum(log(measures["error"]) for measures in rows)


def _run(label: str, make: Make, both: bool, size: int, seed: int, setting: Setting) -> dict[str, Measures]:
    data = arm.draw(size, both=both, generator=chance(seed, 0))
    _, angles = arm.draw(TESTS, both=both, generator=chance(seed, 1))
    place = arm.hand(angles)
    answer = make(data, setting, seed)
    with torch.no_grad():
        truth = arm.postures(place) if both else arm.postures(place)[:1]
        return {label: _measured(place, truth, answer(place))}


def _measured(place: Tensor, truth: Tensor, answers: Answers) -> Measures:
    """Of the best answers how far the hand is off and how many are true postures (k, b, 2); how often all are found."""
    column, best = torch.arange(len(place)), answers.badness.argmin(0)
    near = (arm.encode(answers.angles).unsqueeze(1) - arm.encode(truth)).norm(dim=-1) < CLOSE
    return {
        "error": float((arm.hand(answers.angles[best, column]) - place).norm(dim=-1).mean()),
        "true": float(near[best, :, column].any(-1).double().mean()),
        "found": float(near.any(0).all(0).double().mean()),
        "weights": answers.weights,
        "operations": answers.operations,
    }


def _network(inputs: int, outputs: int, seed: int, depth: int = 2, budget: int = BUDGET) -> Network:
    hidden = width(budget, lambda wide: layers(inputs, outputs, wide, depth))
    return Network((inputs, *[hidden] * depth, outputs), "silu", generator=chance(seed, 3))


def _feedforward(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    model = Feedforward(_network(HAND, POINTS, seed, int(setting.extra)))
    learn(model, Likelihood(), (data[0], arm.encode(data[1])), setting, seed=seed)
    weights = count(model)

    def answer(place: Tensor) -> Answers:
        angles = arm.decode(model.given(place).mean).unsqueeze(0)
        return Answers(angles, torch.zeros(angles.shape[:2]), weights, weights)

    return answer


def _mixture(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    model = MixtureDensity(_network(HAND, (POINTS + 2) * int(setting.extra), seed))
    learn(model, Likelihood(), (data[0], arm.encode(data[1])), setting, seed=seed)
    weights = count(model)

    def answer(place: Tensor) -> Answers:
        means = model.given(place).z
        return Answers(arm.decode(means), torch.stack([model(place, mean) for mean in means]), weights, weights)

    return answer


def _contrast(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    return _by_energy(data, Contrast(setting.extra), setting, seed)


def _score(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    return _by_energy(data, DenoisingScoreMatching(setting.extra), setting, seed)


def _by_energy(data: tuple[Tensor, Tensor], loss: Loss, setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    hidden = width(BUDGET, lambda wide: layers(HAND + POINTS, 1, wide, 2))
    generator = chance(seed, 3)
    network = EnergyNetwork(
        POINTS, HAND, hidden=(hidden, hidden), activation="silu", confinement=0, generator=generator
    )
    energy = Posture(network)
    learn(energy, loss, data, setting, seed=seed)
    return partial(_settled, energy, count(energy), seed)


def _forward_model(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    function = Feedforward(_network(POINTS, HAND, seed, int(setting.extra)), learned_variance=True)
    learn(function, Likelihood(), (arm.encode(data[1]), data[0]), setting, seed=seed)
    return partial(_settled, Posture(ForwardModel(function)), count(function), seed)


def _settled(energy: Energy, weights: int, seed: int, place: Tensor) -> Answers:
    """Where angles settle from STARTS postures drawn evenly."""
    start = 2 * pi * torch.rand(STARTS * len(place), 2, generator=chance(seed, 4)) - pi
    found = minimize(Clamped(energy, place.repeat(STARTS, 1), Real((2,))), SOLVER, start)
    shape = (STARTS, len(place))
    operations = 2 * STARTS * found.evaluations * weights  # there and back through the network
    return Answers(found.belief.mean.view(*shape, 2), found.value.view(shape), weights, operations)


def _latent(data: tuple[Tensor, Tensor], setting: Setting, seed: int) -> Callable[[Tensor], Answers]:
    """Latents that explain hand and posture together; settled on the hand alone, they say the posture."""
    latent, outcome = int(setting.extra), HAND + POINTS
    share = width(BUDGET, lambda wide: layers(latent, outcome, wide, 2) + layers(outcome, 2 * latent, wide, 2))
    generator = chance(seed, 3)
    model = VAE.of(
        outcome,
        latent,
        (share, share),
        activation="silu",
        emission=GaussianEmission(0.1, learned=True),
        generator=generator,
    )
    both = torch.cat([data[0], arm.encode(data[1])], -1)
    learn(model, Elbo(), (both,), setting, seed=seed)
    energy, weights = Observed(model), count(model)

    def answer(place: Tensor) -> Answers:
        shape = (STARTS, len(place))
        padded = torch.nn.functional.pad(place, (0, POINTS)).repeat(STARTS, 1)
        seen = (torch.arange(outcome) < HAND).to(place).expand_as(padded)
        start = torch.randn(len(padded), latent, generator=chance(seed, 4))
        found = minimize(Clamped(energy, (padded, seen), model.latent), SOLVER, start)
        angles = arm.decode(model.decode(found.belief.mean)[..., HAND:])
        operations = 2 * STARTS * found.evaluations * count(model.decoder)
        return Answers(angles.view(*shape, 2), found.value.view(shape), weights, operations)

    return answer
