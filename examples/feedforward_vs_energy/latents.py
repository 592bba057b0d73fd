"""Question 3: is it worth settling latents while learning, at test time only, or never?

The energy of a variational autoencoder, learned from n small noisy pictures in three ways; and the ordinary function
that fills in what is missing, for comparison. All have about BUDGET weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import final

import torch
from torch import Tensor

from agentic import Clamped, Gaussian, Loss, minimize
from agentic_energies.emission import GaussianEmission
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.elbo import Elbo
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.settled import Settled, settle

from . import glyphs
from .observed import Observed
from .study import Learner, Measures, Question, Setting, chance, count, layers, learn, width

BUDGET, UPDATES = 7_500, 1_000
PIXELS = glyphs.SIDE**2
TESTS, DRAWS, BOUND_DRAWS = 200, 200, 16
WIDER = 1.2  # how much wider than the settled belief the draws are that estimate evidence
LEARNING = GaussNewton(steps=2)
ANSWERING = GaussNewton(steps=20)
STARTS, ROUNDS = 6, 20
LATENT_LEARNERS = ("amortized", "settled in training", "settled without encoder")


@final
@dataclass(frozen=True)
class Taught(Loss):
    """Energy minus entropy at the settled belief q, and -log of what the encoder says of a draw from q.

    The decoder learns at q, the encoder to say q; nothing is differentiated through the settling. Rows are (x,).
    """

    solver: GaussNewton

    def __call__(
        self, module: VAE, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        (x,) = rows
        assert generator is not None
        belief = settle(module, x, self.solver).belief
        assert isinstance(belief, Gaussian)
        z = belief.sample(1, generator)[0]
        free_energy = (module(x, z) - belief.entropy()).mean()
        return free_energy + module.given(x).energy(z).mean(), {"free_energy": free_energy}


@final
@dataclass(frozen=True)
class FillIn(Loss):
    """Mean square error at the pixels that are missing, of a network that sees the others and which they are."""

    def __call__(
        self, module: Network, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        (picture,) = rows
        assert generator is not None
        seen = halves(len(picture), generator)
        error = (_filled(module, picture, seen) - picture) * (1 - seen)
        return error.square().sum(-1).mean(), {}


def question(sizes: tuple[int, ...]) -> Question:
    """Three ways to learn one energy, and a function."""
    energies = [Learner(name, "latents", (6, 10), UPDATES, partial(_energy, name)) for name in LATENT_LEARNERS]
    function = Learner("feedforward", "hidden layers", (1, 2), UPDATES, _function)
    return Question("latents", sizes, (*energies, function), _criterion, tuned_on=(300,))


def _criterion(rows: Sequence[Measures]) -> float:
    """Minus log evidence, or of a function, which has none, its error in what it was trained for."""
    return float(sum(measures.get("evidence", log(measures["halves"])) for measures in rows))


def halves(count: int, generator: torch.Generator) -> Tensor:
    """Which pixels are seen (count, PIXELS): the upper, lower, left or right half."""
    sides = torch.zeros(4, glyphs.SIDE, glyphs.SIDE)
    half = glyphs.SIDE // 2
    sides[0, :half], sides[1, half:], sides[2, :, :half], sides[3, :, half:] = 1, 1, 1, 1
    return sides.view(4, PIXELS)[torch.randint(4, (count,), generator=generator)]


def scattered(count: int, generator: torch.Generator) -> Tensor:
    """Which pixels are seen (count, PIXELS): every pixel with probability one half."""
    return (torch.rand(count, PIXELS, generator=generator) < 0.5).float()


def _pictures(size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy pictures to learn from, noisy pictures to answer, and the latter without noise."""
    generator = chance(seed, 0)
    seen = glyphs.noisy(glyphs.clean(size, generator=generator), generator=generator)
    generator = chance(seed, 1)
    clean = glyphs.clean(TESTS, generator=generator)
    return seen, glyphs.noisy(clean, generator=generator), clean


def _function(size: int, seed: int, setting: Setting) -> dict[str, Measures]:
    data, noisy, clean = _pictures(size, seed)
    depth = int(setting.extra)
    hidden = width(BUDGET, lambda wide: layers(2 * PIXELS, PIXELS, wide, depth))
    network = Network((2 * PIXELS, *[hidden] * depth, PIXELS), "tanh", generator=chance(seed, 3))
    learn(network, FillIn(), (data,), setting, seed=seed)
    found: dict[str, float] = {"weights": count(network)}
    with torch.no_grad():
        for name, seen in _masks(seed).items():
            found[name] = _error(_filled(network, noisy, seen), clean, seen)
    return {"feedforward": found}


def _energy(name: str, size: int, seed: int, setting: Setting) -> Mapping[str, Measures]:
    data, noisy, clean = _pictures(size, seed)
    model = _model(int(setting.extra), seed, encoder=name != "settled without encoder")
    loss: Loss = {
        "amortized": Elbo(),
        "settled in training": Taught(LEARNING),
        "settled without encoder": Settled(LEARNING, samples=1),
    }[name]
    learn(model, loss, (data,), setting, seed=seed)
    with torch.no_grad():
        belief = settle(model, noisy, ANSWERING).belief
        assert isinstance(belief, Gaussian)
        shared = {"weights": count(model), "evidence": _evidence(model, noisy, belief, seed)}
        ask = partial(_answers, model, noisy, clean, seed)
        mean = data.mean(0)
        found = {f"{name} (settled at test)": shared | ask(belief, partial(_settled, model, noisy, mean, seed))}
        if model.encoder is not None:
            said = ask(model.given(noisy), partial(_in_rounds, model, noisy, mean))
            found[f"{name} (encoder at test)"] = shared | said
    return found


def _model(latent: int, seed: int, *, encoder: bool) -> VAE:
    def numbers(wide: int) -> int:
        return layers(latent, PIXELS, wide, 1) + (layers(PIXELS, 2 * latent, wide, 1) if encoder else 0)

    hidden, generator = width(BUDGET, numbers), chance(seed, 3)
    decoder = Network((latent, hidden, PIXELS), "tanh", generator=generator)
    reader = Network((PIXELS, hidden, 2 * latent), "tanh", generator=generator) if encoder else None
    return VAE(decoder, GaussianEmission(0.1, learned=True), reader)


def _answers(
    model: VAE, noisy: Tensor, clean: Tensor, seed: int, belief: Gaussian, fill: Callable[[Tensor], Tensor]
) -> dict[str, float]:
    """The bound that a belief reaches, and the errors of pictures cleaned by it and filled in, given what is seen."""
    bound = model.free_energy(noisy, belief, BOUND_DRAWS, generator=chance(seed, 4)).mean()
    cleaned = _error(model.decode(belief.mean), clean, torch.zeros_like(clean))
    filled = {name: _error(fill(seen), clean, seen) for name, seen in _masks(seed).items()}
    return {"bound": float(bound), "cleaned": cleaned, **filled}


def _settled(model: VAE, picture: Tensor, mean: Tensor, seed: int, seen: Tensor) -> Tensor:
    """What is missing, at the latents that settle on what is seen; several starts, weighed by Laplace's evidence."""
    latent = model.latent.event[0]
    start = torch.randn(STARTS - 1, len(picture), latent, generator=chance(seed, 7))
    start = torch.cat([model.start(_patched(picture, seen, mean)).unsqueeze(0), start])
    given = (picture.repeat(STARTS, 1), seen.repeat(STARTS, 1))
    found = minimize(Clamped(Observed(model), given, model.latent), ANSWERING, start.flatten(0, 1))
    weights = (-found.value.view(STARTS, -1)).softmax(0)
    decoded = model.decode(found.belief.mean).view(STARTS, *picture.shape)
    return (weights.unsqueeze(-1) * decoded).sum(0)


def _in_rounds(model: VAE, picture: Tensor, mean: Tensor, seen: Tensor) -> Tensor:
    """What is missing, as the encoder and the decoder fill it in, in turns, from the mean picture on."""
    guess = mean.expand_as(picture)
    for _ in range(ROUNDS):
        guess = model.decode(model.start(_patched(picture, seen, guess)))
    return guess


def _evidence(model: VAE, picture: Tensor, belief: Gaussian, seed: int) -> float:
    """Mean minus log evidence in nats, by importance sampling; too high rather than too low on average."""
    proposal = Gaussian(belief.mean, WIDER**2 * belief.covariance)
    draws = proposal.sample(DRAWS, chance(seed, 8))
    weights = proposal.energy(draws) - model(picture, draws)
    return float((log(DRAWS) - torch.logsumexp(weights, 0)).mean())


def _masks(seed: int) -> dict[str, Tensor]:
    generator = chance(seed, 9)
    return {"halves": halves(TESTS, generator), "scattered": scattered(TESTS, generator)}


def _patched(picture: Tensor, seen: Tensor, guess: Tensor) -> Tensor:
    return picture * seen + guess * (1 - seen)


def _filled(network: Network, picture: Tensor, seen: Tensor) -> Tensor:
    return network(torch.cat([picture * seen, seen], -1))


def _error(guess: Tensor, truth: Tensor, seen: Tensor) -> float:
    """Root mean square error at the pixels that were not seen."""
    missing = 1 - seen
    return float((((guess - truth) * missing).square().sum() / missing.sum()).sqrt())
