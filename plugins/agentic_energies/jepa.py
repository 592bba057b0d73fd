"""Joint embedding prediction: the prediction error of representations of what follows.

It predicts representations of observations and not the observations; what cannot be foretold may be left out of them.
So may everything: a constant representation has energy 0. Learn it with energies of the population beside
(`Regularized`), and look at `collapse`.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import sqrt
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Environment, LeastSquares, PopulationEnergy, UserError
from agentic.engine import RepresentationEnergy, Study
from agentic_energies.anti_collapse import (
    Covariance,
    Initialized,
    InverseDynamics,
    SketchedGaussian,
    TransitionEnergy,
    Variance,
    collapse,
)
from agentic_energies.arrays import side_by_side
from agentic_energies.network import Network


@final
class JointEmbedding(RepresentationEnergy, LeastSquares):
    """The energy E((obs, action), next obs) = |P(enc(obs), action) - target(next obs)|^2 of representations.

    It has no normalizer: its unit is arbitrary, it is no likelihood, and its minimum over weights is collapse. P(r, a)
    = r + f(r, a). The target encoder is the encoder itself, gradients included, where `momentum` is None; else weights
    of its own that follow, target <- momentum target + (1 - momentum) encoder, with no gradient (0: the encoder held
    fixed). `populations` are what only learning sees. `obs` and `action` are the sizes of what is seen and done, `size`
    is that of a representation, `hidden` are the widths in between; `generator` draws the first weights. Both networks
    have `hidden` widths in between, `obs` and `action` are the sizes of what is seen and done, `size` that of a
    representation; `generator` draws the first weights.

    Sources: LeCun 2022; Assran et al. 2023 (I-JEPA); Grill et al. 2020 (the following target).
    """

    def __init__(
        self,
        obs: int,
        action: int,
        size: int = 8,
        *,
        hidden: Sequence[int] = (64, 64),
        momentum: float | None = None,
        populations: Mapping[str, PopulationEnergy] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if momentum is not None and not 0 <= momentum <= 1:
            raise UserError(f"jepa expects a momentum between 0 and 1, or none, got {momentum}")
        source = torch.Generator().manual_seed(0) if generator is None else generator
        self.momentum = momentum
        self.encoder = Network([obs, *hidden, size], "silu", generator=source)
        self.predictor = Network([size + action, *hidden, size], "silu", generator=source)
        self.target: Network | None = None
        if momentum is not None:
            self.target = deepcopy(self.encoder)
            self.target.requires_grad_(False)
        self.populations = nn.ModuleDict(dict(populations or {}))

    @classmethod
    def from_env(cls, env: Environment, *, size: int = 8, **parameters: Any) -> Self:
        """An energy for the observations and actions of `env`, with all populations of this package."""
        action = env.action.size
        if len(env.observation.event) != 1:
            raise UserError(f"jepa encodes vectors, the observations of {env.id} are {env.observation}: flatten them")
        populations: dict[str, PopulationEnergy] = {
            "variance": Variance(),
            "covariance": Covariance(),
            "inverse_dynamics": InverseDynamics(size, action),
            "sigreg": SketchedGaussian(size),
        }
        return cls(env.observation.size, action, size, populations=populations, **parameters)

    @classmethod
    def example(cls) -> Self:
        """Three observed numbers, one action, two represented."""
        return cls(3, 1, 2, hidden=[4], momentum=0.9, populations={"variance": Variance()})

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """A standard normal transition."""
        obs, action = self.encoder.sizes[0], self.predictor.sizes[0] - self.encoder.sizes[-1]
        both = torch.randn(batch, 2 * obs + action, generator=generator, dtype=torch.float64)
        before, acted, after = torch.split(both, [obs, action, obs], -1)
        return (before, acted), after

    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh; a target encoder of its own begins as the encoder."""
        self.encoder.initialize(generator=generator)
        self.predictor.initialize(generator=generator)
        for energy in self.populations.values():
            if isinstance(energy, Initialized):
                energy.initialize(generator=generator)
        if self.target is not None:
            self.target.load_state_dict(self.encoder.state_dict())

    def encode(self, obs: Tensor) -> Tensor:
        """The representation of observations (*s, b, obs), (*s, b, d)."""
        return self.encoder(obs)

    def predict(self, representation: Tensor, action: Tensor) -> Tensor:
        """The representation expected after an action (*s, b, a), (*s, b, d)."""
        return representation + self.predictor(side_by_side(representation, action))

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return (self.predict(self.encode(x[0]), x[1]) - self._follower(z)).square().sum(-1)

    def value_and_gradient(self, x: tuple[Tensor, Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
        represented, pull = self._follower.pullback(z)
        gap = represented - self.predict(self.encode(x[0]), x[1])
        slope = pull(2 * gap)
        return gap.square().sum(-1), slope

    def hessian(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        follower = self._follower
        gap = follower(z) - self.predict(self.encode(x[0]), x[1])
        jacobian = follower.jacobian(z)
        return 2 * (jacobian.transpose(-2, -1) @ jacobian + follower.curvature(z, gap))

    def residuals(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return sqrt(2) * (self._follower(z) - self.predict(self.encode(x[0]), x[1]))

    def study(self, x: tuple[Tensor, Tensor], z: Tensor) -> Study:
        """One batch of transitions for learning: `populations` are of enc(obs), or of whole transitions."""
        obs, action = x
        before, after = self.encode(obs), self._follower(z)
        energies = (self.predict(before, action) - after).square().sum(-1)
        transitions = torch.cat([before, action, after if self.target is None else self.encode(z)], -1)
        values = {
            name: energy(transitions if isinstance(energy, TransitionEnergy) else before)
            for name, energy in self.populations.items()
        }
        return Study(energies, before, values)

    def renew(self, *, generator: torch.Generator | None) -> None:
        """Move the target and draw random directions anew, between batches of learning."""
        for energy in self.populations.values():
            assert isinstance(energy, PopulationEnergy)
            energy.renew(generator=generator)
        if self.target is not None and self.momentum is not None:
            with torch.no_grad():
                for mine, leader in zip(self.target.parameters(), self.encoder.parameters(), strict=True):
                    mine.lerp_(leader, 1 - self.momentum)

    def collapse(self, representations: Tensor) -> Mapping[str, Tensor]:
        """Measures of collapse of representations (n, d): see `anti_collapse.collapse`."""
        return collapse(representations)

    @property
    def _follower(self) -> Network:
        return self.encoder if self.target is None else self.target
