"""Learning an energy that has no normalizer and whose minimum collapses: with energies of the population beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import torch

from agentic import Loss, UserError
from agentic.engine import RepresentationEnergy
from agentic_optimizers.rows import Lowered, Rows


@final
@dataclass(frozen=True)
class Regularized(Loss):
    """A regularized energy of rows (*x, z): mean E(x, z) plus weights times population energies over the batch.

    The module is a `jepa`, or another `RepresentationEnergy`; it is renewed in training, not in `eval()` nor without
    gradients. `weights` name its populations, the others are reported only. Info: `energy`, every population energy
    unweighted, and what `collapse` says of the batch's representations (`effective_rank`, `collapsed`, ...). With no
    weights this is the bare energy, whose minimum is collapse. The default is for VICReg's two. Raises UserError for
    other modules, and for weights of populations that there are not.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: {"variance": 1.0, "covariance": 1.0})

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        if not isinstance(module, RepresentationEnergy):
            raise UserError(
                f"regularized needs an energy between representations (study, renew, collapse) such as jepa, "
                f"got {type(module).__name__}"
            )
        *given, z = rows
        if module.training and torch.is_grad_enabled():  # a look at validation data moves nothing
            module.renew(generator=generator)
        energies, representations, populations = module.study(tuple(given), z)
        missing = sorted(set(self.weights) - set(populations))
        if missing:
            have = ", ".join(populations) or "none"
            raise UserError(f"regularized weighs {', '.join(missing)}, and the populations of the module are: {have}")
        energy = energies.mean()
        value = torch.stack([energy, *[weight * populations[name] for name, weight in self.weights.items()]]).sum()
        parts = {name: part.detach() for name, part in {"energy": energy, **populations}.items()}
        return value, {**parts, **module.collapse(representations.detach())}
