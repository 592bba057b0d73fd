"""Conditional probability tables as energies, linear in every one-hot argument.

So the energy at a probability vector is the expected energy, E_q[-log p], never -log of an average.
"""

from collections.abc import Sequence
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Categorical, ClosedForm, Conditional, Simplex
from agentic_energies.cpt import Cpt, Dense, Raised, operator, tabled
from agentic_energies.made import Made


def states_first(z: Tensor) -> Tensor:
    """Vectors (*s, b, n) as columns (n, *s * b)."""
    return (z if z.dim() == 2 else z.reshape(-1, z.shape[-1])).T


def states_last(columns: Tensor, like: Tensor) -> Tensor:
    """Columns (n, *s * b) as vectors (*s, b, n) with the leading axes of `like`."""
    return columns.T if like.dim() == 2 else columns.T.reshape(*like.shape[:-1], len(columns))


@final
class CategoricalObservation(Conditional):
    """The observation -log p(obs | z): `forward(z, obs)`, obs the modalities' blocks, independent given z.

    A block of NaN is an observation that is missing: it costs nothing.
    """

    def __init__(self, modalities: Sequence[Cpt]) -> None:
        super().__init__()
        self.modalities = nn.ModuleList(modalities)
        self.sizes = tuple(each.size for each in modalities)
        self._made: Made | None = None

    @property
    def tables(self) -> list[Tensor]:
        """The tables p(o | z), (outcomes, n), one per modality."""
        return [each.table for each in self.cpts]

    @property
    def cpts(self) -> list[Cpt]:
        """The modalities' tables."""
        return [each for each in self.modalities if isinstance(each, Cpt)]

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return expected(self.costs(z), x)

    def swapped(self) -> "SwappedCategorical":
        held: SwappedCategorical = self.__dict__.get("_swapped") or SwappedCategorical(self)
        self.__dict__["_swapped"] = held  # made once, and no part of this module
        return held

    def costs(self, obs: Tensor) -> Tensor:
        """The energies -log p(obs | z) of every state, (*s, b, n)."""
        seen, together = states_first(obs.nan_to_num(0.0)), self._together()
        if together is not None:
            return states_last(together[1] @ seen, obs)
        blocks = zip(self.cpts, seen.split(self.sizes), strict=True)
        return states_last(sum_of([each.costs(block) for each, block in blocks]), obs)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(states_last(self.push(states_first(x)), x), self.sizes)

    def push(self, mass: Tensor) -> Tensor:
        """What is seen where the states have `mass` (n, b): the modalities' blocks, (outcomes, b)."""
        together = self._together()
        if together is not None:
            return together[0] @ mass
        cpts = self.cpts
        return cpts[0].push(mass) if len(cpts) == 1 else torch.cat([each.push(mass) for each in cpts])

    def _together(self) -> tuple[Tensor | Raised, Tensor] | None:
        """All tables (outcomes, n) and all costs (n, outcomes) side by side, where all are dense with a floor."""
        cpts = [each for each in self.modalities if isinstance(each, Dense) and each.floor > 0]
        if len(cpts) < len(self.sizes) or torch.compiler.is_compiling():
            return None
        tensors: list[Tensor] = [each.values for each in cpts]
        if self._made is None or not self._made.stands(tensors):
            pair = operator(torch.cat(tensors)), torch.cat([each.cost_rows() for each in cpts], 1)
            self._made = Made.of(tensors, pair)
        kept: tuple[Tensor | Raised, Tensor] = self._made.what
        return kept

    def entropy(self) -> Tensor:
        """The entropy H[p(obs | z)] of every state in nats, (n,), summed over modalities."""
        return sum_of([each.entropy() for each in self.cpts])

    @classmethod
    def example(cls) -> Self:
        """Two modalities over three states, for the conformance kit."""
        first = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]], dtype=torch.float64)
        second = torch.tensor([[0.5, 0.1, 0.2], [0.3, 0.3, 0.2], [0.2, 0.6, 0.6]], dtype=torch.float64)
        return cls([tabled(first, 1e-16), tabled(second, 1e-16)])


@final
class SwappedCategorical(ClosedForm):
    """The observation -log p(obs | z) as an energy of the latent: `forward(obs, z)`, linear in `z`."""

    def __init__(self, observation: CategoricalObservation) -> None:
        super().__init__()
        self.observation = observation

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation(z, x.to(z.dtype))

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation.costs(x.to(z.dtype)).expand_as(z)


@final
class CategoricalTransition(Conditional):
    """The transition -log p(z' | z, a): `forward((z, a), z')`, from a table whose columns are (state, joint action)."""

    def __init__(self, cpt: Cpt, action: Simplex) -> None:
        super().__init__()
        self.cpt, self.action = cpt, action

    @property
    def table(self) -> Tensor:
        """The table p(z' | z, a), (next, previous, joint actions)."""
        return self.cpt.table.view(self.cpt.size, -1, self.action.count)

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        costs = states_last(self.cpt.costs(states_first(z)), z).unflatten(-1, (-1, self.action.count))
        return expected(expected(costs, self.joint(x[1], costs.dtype).unsqueeze(-2)), x[0])

    def given(self, x: tuple[Tensor, Tensor]) -> Categorical:
        before, weights, cpt, actions = x[0], self.joint(x[1], x[0].dtype), self.cpt, self.action.count
        moved = cpt.push(states_first(before), actions)
        if before.dim() == weights.dim() == 2:
            return Categorical((moved.view(cpt.size, actions, -1) * weights.T).sum(1).T)
        axes = max(before.dim(), weights.dim()) - 1
        moved = moved.view(cpt.size, actions, *_led(before, axes))
        taken = weights.movedim(-1, 0).reshape(actions, *_led(weights, axes))
        return Categorical((moved * taken).sum(1).movedim(0, -1))

    def joint(self, action: Tensor, dtype: torch.dtype) -> Tensor:
        """The probabilities (*s, b, joint actions) of blocks (*s, b, controls), the last control fastest."""
        given = action.to(dtype)
        return given if len(self.action.sizes) == 1 else self.action.joint(given)


@final
class CategoricalPrior(Conditional):
    """The prior -log p(z) at the start of an episode: `forward(c, z)` with a context c (b, 0) for the batch."""

    def __init__(self, cpt: Cpt) -> None:
        super().__init__()
        self.cpt = cpt

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.cpt.costs(states_first(z)).reshape(z.shape[:-1])

    def given(self, x: Tensor) -> Categorical:
        return Categorical(self.cpt.table[:, 0].expand(*x.shape[:-1], -1))


def _led(z: Tensor, axes: int) -> tuple[int, ...]:
    """The leading axes of vectors (*s, b, n), as many as `axes`."""
    return (1,) * (axes + 1 - z.dim()) + tuple(z.shape[:-1])


def expected(costs: Tensor, weights: Tensor) -> Tensor:
    """The mean of costs (..., n) under weights (..., n), where infinite costs of weight zero are none."""
    return torch.where(weights > 0, costs * weights, 0.0).sum(-1)


def sum_of(terms: Sequence[Tensor]) -> Tensor:
    """The sum of at least one tensor."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
