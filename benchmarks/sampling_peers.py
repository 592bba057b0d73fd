"""How torchebm and blackjax walk on the correlated normal of `benchmarks.sampling`, where they are installed."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

RATE, STEP_SIZE, LEAPFROG = 0.01, 0.1, 10

Walk = Callable[[int], Tensor]  # that many steps from the start: where the chains (b, d) end


class Target(NamedTuple):
    """A normal of mean 0: covariance and precision (d, d), and where the chains start (b, d), all float32."""

    covariance: Tensor
    precision: Tensor
    start: Tensor


def _torchebm(what: str, target: Target) -> Walk:
    from torchebm.core import GaussianModel
    from torchebm.samplers import HamiltonianMonteCarlo, LangevinDynamics

    model = GaussianModel(torch.zeros(len(target.covariance)), target.covariance)
    sampler = (
        LangevinDynamics(model, step_size=RATE)
        if what == "Langevin"
        else HamiltonianMonteCarlo(model, step_size=STEP_SIZE, n_leapfrog_steps=LEAPFROG)
    )
    source = torch.Generator().manual_seed(2)

    def walk(steps: int) -> Tensor:
        last: Tensor = sampler.sample(x=target.start.clone(), n_steps=steps, generator=source)
        return last

    return walk


def _blackjax(what: str, target: Target) -> Walk:
    import blackjax
    import jax
    import numpy as np

    numpy = jax.numpy
    precision, start = numpy.asarray(target.precision.numpy()), numpy.asarray(target.start.numpy())
    keys = iter(jax.random.split(jax.random.key(3), 10_000))

    def log_density(z: Any) -> Any:
        return -0.5 * z @ precision @ z

    if what == "Langevin":
        slope = jax.vmap(jax.grad(log_density))
        kernel = blackjax.sgld(lambda z, batch: slope(z))
        init, step = (lambda z: z), (lambda key, state: kernel.step(key, state, None, RATE))
        place = lambda state: state  # noqa: E731
    else:
        one = blackjax.hmc(log_density, STEP_SIZE, numpy.ones(len(precision)), LEAPFROG)
        split = partial(jax.random.split, num=len(start))
        init, step = jax.vmap(one.init), (lambda key, state: jax.vmap(one.step)(split(key), state)[0])
        place = lambda state: state.position  # noqa: E731

    @partial(jax.jit, static_argnums=2)
    def course(key: Any, begin: Any, steps: int) -> Any:
        return jax.lax.scan(lambda state, at: (step(at, state), None), init(begin), jax.random.split(key, steps))[0]

    def walk(steps: int) -> Tensor:
        return torch.from_numpy(np.array(jax.block_until_ready(place(course(next(keys), start, steps)))))

    return walk


PEERS: dict[str, Callable[[str, Target], Walk]] = {"torchebm": _torchebm, "blackjax": _blackjax}


def installed(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        return None
