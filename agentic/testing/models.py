"""Checks of generative models: `predict` and `emit` push beliefs forward, by brute force and by Monte Carlo.

The conditionals of a model are checked too, at inputs drawn from its domains.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Categorical, Density, Gaussian
from agentic.engine.domain import Domain, Simplex
from agentic.engine.energy import Encoder
from agentic.models.model import FiniteModel, LinearModel, Model, Step, UncertainWeights
from agentic.testing.common import assert_close, clones, generator
from agentic.testing.energies import (
    CONDITIONAL,
    gradient_is_the_derivative,
    hessian_is_the_second_derivative,
    runs,
)
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.probes import Draw, Probe
from agentic.testing.worlds import interior

DRAWS = 20_000  # particles of a Monte-Carlo push-forward
ERRORS = 5.0  # standard errors it may be off


def exercise(model: Model, source: torch.Generator) -> list[Tensor]:
    """One imagined step, and the observation expected there."""
    after = model.predict(model.begin(3), model.action.draw(3, generator=source))
    seen = model.emit(after)
    return [after.mean, after.sample(2, source), seen.mean, model.ambiguity(after)]


def declares_its_spaces(make: Make) -> None:
    """The spaces latent, outcome and action are domains; version is a whole number."""
    model = make()
    for name in ("latent", "outcome", "action"):
        domain = getattr(model, name, None)
        assert isinstance(domain, Domain), f"{name} must be a Domain, got {domain!r}"
    assert isinstance(model.version, int), f"version must be an int that counts changes, got {model.version!r}"


def begins_with_a_batch(make: Make) -> None:
    """begin(b) is a belief of b equal rows over the latent, which can merge its rows."""
    model = make()
    for batch in (1, 3):
        belief = model.begin(batch)
        shape = (batch, *model.latent.event)
        assert isinstance(belief, Belief), f"begin must return a Belief, got {type(belief).__name__}"
        assert tuple(belief.mean.shape) == shape, f"begin({batch}) must be {shape}, got {tuple(belief.mean.shape)}"
        assert_close(belief.mean, belief.mean[:1].expand(shape), "the rows of fresh episodes")
        merged = belief.where(torch.arange(batch) == 0, belief)
        assert_close(merged.mean, belief.mean, "a belief merged with itself")


def starts_at_latents(make: Make) -> None:
    """start(obs) of a model with an encoder is one latent per row."""
    model: Model = make()
    obs, shape = model.outcome.draw(3, generator=generator()), (3, *model.latent.event)
    start = model.start(obs) if isinstance(model, Encoder) else None
    if start is None:
        raise NotApplicable("it has no encoder")
    assert tuple(start.shape) == shape, f"start(obs) of 3 rows must be {shape}, got {tuple(start.shape)}"


def predict_equals_brute_force(make: Make) -> None:
    """The push-forward is B q for finite models, (A m + B a + c, A P A' + Q) for linear-Gaussian ones."""
    model = make()
    if not isinstance(model, FiniteModel | LinearModel):
        raise NotApplicable("neither finite nor linear-Gaussian")
    belief, action = _belief(model), _actions(model, 3)
    got = model.predict(belief, action)
    if isinstance(model, FiniteModel):
        moves = model.dynamics()
        columns = moves.sum(0)
        assert_close(columns, torch.ones_like(columns), "the sum over next states of dynamics()")
        by_action = torch.einsum("ijk,bj->bik", moves, belief.mean)
        taken = torch.einsum("bik,bk->bi", by_action, model.action.joint(action))
        assert_close(got.mean, taken, "predict against B q")
        return
    system = model.system()
    mean = belief.mean @ system.A.T + action @ system.B.T + system.c
    assert_close(got.mean, mean, "the mean of predict against A m + B a + c")
    assert isinstance(belief, Gaussian), f"a linear-Gaussian model predicts Gaussians, got {type(belief).__name__}"
    assert isinstance(got, Gaussian), f"a linear-Gaussian model predicts Gaussians, got {type(got).__name__}"
    assert_close(got.covariance, system.A @ belief.covariance @ system.A.T + system.Q, "predict against A P A' + Q")


def dynamics_equal_the_transition(make: Make) -> None:
    """The tables of a finite model are exp(-energy) of its transition and observation."""
    model = make()
    if not isinstance(model, FiniteModel):
        raise NotApplicable("not finite")
    z, a, o = model.latent.corners(), model.action.corners(), model.outcome.corners()
    moves = torch.exp(-model.transition((z[None, :, None], a[None, None]), z[:, None, None]))
    assert_close(moves, model.dynamics(), "exp(-transition) against dynamics()")
    seen = torch.exp(-model.observation(z.unsqueeze(0), o.unsqueeze(1)))
    assert_close(seen, model.likelihood(), "exp(-observation) against likelihood()")


def swapped_is_the_observation(make: Make) -> None:
    """observation.swapped() is the energy of the latent given what is seen, with its derivatives."""
    model = make().double()
    draw = _draw((model.outcome,), model.latent, interior)
    tried = Probe(model.observation.swapped(), draw, draw, len(model.latent.event))
    obs, z = tried.at(4)
    assert_close(tried.value(obs, z), model.observation(z, obs), "swapped()(obs, z) against observation(z, obs)")
    for asked in (gradient_is_the_derivative, hessian_is_the_second_derivative):
        asked(tried)


def predict_equals_monte_carlo(make: Make) -> None:
    """The mean and spread of `predict` are those of particles moved one by one through the transition."""
    model = make()
    belief, action = _belief(model), _actions(model, 3)
    source = generator(4)
    moved = model.transition.given((belief.sample(DRAWS, source), action)).sample(1, source)[0]
    _agrees(moved, model.predict(belief, action), "predict", source)


def emit_equals_monte_carlo(make: Make) -> None:
    """The mean and spread of `emit` are those of the observations of particles."""
    model = make()
    belief, source = _belief(model), generator(5)
    seen = model.observation.given(belief.sample(DRAWS, source)).sample(1, source)[0]
    _agrees(seen, model.emit(belief), "emit", source)


def ambiguity_is_the_expected_entropy(make: Make) -> None:
    """ambiguity(q) = E_q[H[p(obs | z)]] in nats."""
    model = make()
    belief, source = _belief(model), generator(6)
    seen = model.observation.given(belief.sample(DRAWS, source))
    if not isinstance(seen, Density):
        raise NotApplicable("what it shows has no density")
    noise = seen.entropy()
    spread = noise.std(0) / DRAWS**0.5
    gap = (noise.mean(0) - model.ambiguity(belief)).abs()
    assert bool((gap <= ERRORS * spread + 1e-9).all()), (
        f"expected {noise.mean(0).tolist()} (Monte Carlo), got {model.ambiguity(belief).tolist()}"
    )


def candidates_broadcast(make: Make) -> None:
    """Actions (k, b, *event) against one belief give (k, b, *event), the same as one after the other."""
    model = make()
    belief, actions = _belief(model), torch.stack([_actions(model, seed) for seed in (1, 2)])
    together = model.predict(belief, actions)
    alone = torch.stack([model.predict(belief, action).mean for action in actions])
    assert_close(together.mean, alone, "two candidate actions at once against one after the other")
    seen = torch.stack([model.emit(model.predict(belief, action)).mean for action in actions])
    assert_close(model.emit(together).mean, seen, "what two predictions show at once against one after the other")


def alive_is_a_probability(make: Make) -> None:
    """alive(z) lies in [0, 1], one number per row, and beliefs can be conditioned on it."""
    model = make()
    assert callable(model.alive), f"alive is a method alive(z), got {model.alive!r}"
    alive = model.alive(interior(model.latent, 8, generator()))
    if alive is None:
        raise NotApplicable("its episodes always go on")
    assert alive.shape == (8,), f"alive of 8 rows must have shape (8,), got {tuple(alive.shape)}"
    assert bool(((alive >= 0) & (alive <= 1)).all()), f"alive must lie in [0, 1], got {alive.tolist()}"
    belief, survival = model.condition_on_alive(_belief(model))
    assert survival is not None, "alive is None at some places and a probability at others"
    assert bool(((survival >= 0) & (survival <= 1 + 1e-9)).all()), "the belief's probability of going on is none"
    assert belief.mean.shape == _belief(model).mean.shape, "conditioning changed the shape of the belief"


def imagining_changes_nothing(make: Make) -> None:
    """predict, emit and ambiguity leave weights, version and their inputs as they were."""
    model: Model = make()
    belief, action = _belief(model), _actions(model, 3)
    before, version, inputs = clones(tuple(model.state_dict().values())), model.version, clones((belief.mean, action))
    after = model.predict(belief, action)
    model.ambiguity(after)
    model.emit(belief)
    if isinstance(model, UncertainWeights):
        model.parameter_gain([Step(belief, action, after)])
    assert model.version == version, "imagining changed the version: only learning does"
    for old, new in zip(before, model.state_dict().values(), strict=True):
        assert torch.equal(old, new), "imagining changed the weights: only learning does"
    for old, new in zip(inputs, (belief.mean, action), strict=True):
        assert torch.equal(old, new), "it changed its inputs in place"


def parameter_gains_are_gains(make: Make) -> None:
    """Every parameter gain is at least 0 and (b,), under one of the two names."""
    model: Model = make()
    belief, action = _belief(model), _actions(model, 3)
    step = Step(belief, action, model.predict(belief, action))
    gains = model.parameter_gain([step]) if isinstance(model, UncertainWeights) else {}
    if not gains:
        raise NotApplicable("its weights are certain")
    for name, gain in gains.items():
        assert name in ("parameter_gain", "latent_parameter_gain"), f"a gain is called {name!r}"
        assert gain.shape == (3,), f"{name} must have shape (3,), got {tuple(gain.shape)}"
        assert bool((gain >= -1e-9).all()), f"{name} must not be negative, got {gain.tolist()}"


def _parts() -> Iterator[Run]:
    """The checks of conditionals, on each of a model's three."""
    for name in ("observation", "transition", "prior"):
        for run in runs(CONDITIONAL, partial(part, name)):
            run.__name__ = f"{name}_{run.__name__}"
            yield run


def part(name: str, model: Model) -> Probe:
    """The probe of one conditional of a model."""
    model = model.double()
    domains = {"observation": (model.latent,), "transition": (model.latent, model.action), "prior": ()}[name]
    free = model.outcome if name == "observation" else model.latent
    return Probe(
        getattr(model, name),
        _draw(domains, free, interior),
        _draw(domains, free, lambda domain, batch, source: domain.draw(batch, generator=source)),
        len(free.event),
    )


CHECKS: tuple[Run, ...] = (
    declares_its_spaces,
    begins_with_a_batch,
    starts_at_latents,
    predict_equals_brute_force,
    dynamics_equal_the_transition,
    swapped_is_the_observation,
    predict_equals_monte_carlo,
    emit_equals_monte_carlo,
    ambiguity_is_the_expected_entropy,
    candidates_broadcast,
    alive_is_a_probability,
    imagining_changes_nothing,
    parameter_gains_are_gains,
    *_parts(),
)


BASIC = (
    "declares_its_spaces",
    "begins_with_a_batch",
    *(
        f"{name}_{check}"
        for check in ("shape_is_one_number_per_row", "finite")
        for name in ("observation", "transition", "prior")
    ),
)


def _draw(given: tuple[Domain, ...], free: Domain, one: Callable[[Domain, int, torch.Generator], Tensor]) -> Draw:
    def draw(batch: int, source: torch.Generator) -> tuple[Any, Tensor]:
        parents = tuple(one(domain, batch, source) for domain in given)
        x = parents if len(parents) > 1 else parents[0] if parents else torch.zeros(batch, 0, dtype=torch.float64)
        return x, one(free, batch, source)

    return draw


def _belief(model: Model) -> Any:
    """Three rows that differ: the start, one step on."""
    return model.predict(model.begin(3), _actions(model, 7))


def _actions(model: Model, seed: int) -> Tensor:
    return model.action.draw(3, generator=generator(seed))


def _agrees(draws: Tensor, belief: Belief, what: str, source: torch.Generator) -> None:
    """Draws (n, b, *event) have the belief's mean, and its second moments, within the errors of chance."""
    n = len(draws)
    expected = {"mean": belief.mean}
    found = {"mean": draws}
    if isinstance(belief, Gaussian):
        gap = draws - belief.mean
        expected["covariance"], found["covariance"] = belief.covariance, gap.unsqueeze(-1) * gap.unsqueeze(-2)
    if isinstance(belief, Categorical):
        domain = Simplex(belief.sizes)
        sums = torch.stack([block.sum(-1) for block in domain.blocks(belief.probs)])
        assert_close(sums, torch.ones_like(sums), f"the sum of each factor of {what}")
    for name, value in expected.items():
        error = found[name].std(0) / n**0.5
        off = (found[name].mean(0) - value).abs()
        allowed = ERRORS * error + 1e-3 * (1 + value.abs()) / n**0.5
        assert bool((off <= allowed).all()), (
            f"the {name} of {what}: expected {found[name].mean(0).flatten()[:4].tolist()} (Monte Carlo), "
            f"got {value.flatten()[:4].tolist()}"
        )
