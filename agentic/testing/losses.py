"""What is asked of losses: one number whose gradient is that of the weights, of a model that is learned by gradient.

A loss is tried on such a model of this kit; one that is for other modules says so with a UserError, and is excused, as
is one that asks it for what it has not.
"""

import torch
from torch import Tensor

from agentic.errors import UserError, described
from agentic.learning.learner import Loss
from agentic.testing.common import clones, generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.trolley import Trolley

ROWS = 6


def _rows() -> tuple[Tensor, ...]:
    """Observation, action and the next observation."""
    source = generator(1)
    return tuple(torch.randn(ROWS, size, generator=source, dtype=torch.float64) for size in (2, 1, 2))


def lowered(loss: Loss, module: Trolley, source: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of some rows and what it reports."""
    try:
        answer = loss(module, _rows(), generator=source)
    except UserError as reason:
        raise NotApplicable(f"it refuses: {reason}") from reason
    except (AttributeError, NotImplementedError) as missing:
        raise NotApplicable(f"it asks for another module than this kit's, {described(missing)}") from missing
    assert isinstance(answer, tuple), f"a loss returns (value, info by name), got {type(answer).__name__}"
    assert len(answer) == 2, f"a loss returns (value, info by name), got {len(answer)} things"
    return answer[0], dict(answer[1])


def exercise(loss: Loss, source: torch.Generator) -> list[Tensor]:
    """The value, of a model of this kit."""
    try:
        return [lowered(loss, Trolley(), source)[0].detach()]
    except NotApplicable:
        return []


def one_number(make: Make) -> None:
    """The loss of rows (n, ...) is a finite scalar."""
    value, _ = lowered(make(), Trolley(), generator())
    assert isinstance(value, Tensor), f"a loss must be a tensor, got {type(value).__name__}"
    assert value.shape == (), f"a loss must be one number, shape (), got shape {tuple(value.shape)}: take the mean"
    assert bool(torch.isfinite(value)), f"the loss must be finite, got {float(value.detach())}"


def has_a_gradient(make: Make) -> None:
    """The gradient of the weights is finite, and there is one."""
    module = Trolley()
    value, _ = lowered(make(), module, generator())
    assert value.requires_grad, "the loss does not depend on the weights: learning needs its gradient"
    slopes = torch.autograd.grad(value, list(module.parameters()), allow_unused=True)
    found = [slope for slope in slopes if slope is not None]
    assert all(bool(torch.isfinite(slope).all()) for slope in found), "the gradient of a weight is not finite"


def reports_numbers(make: Make) -> None:
    """What is worth knowing is one number by name."""
    for name, value in lowered(make(), Trolley(), generator())[1].items():
        assert isinstance(name, str), f"a report is named by a word, got {name!r}"
        number = torch.as_tensor(value)
        assert number.numel() == 1, f"{name} must be one number, got shape {tuple(number.shape)}"


def weights_untouched(make: Make) -> None:
    """The weights stay as they were: only a learner changes weights."""
    module = Trolley()
    before = clones(tuple(module.state_dict().values()))
    lowered(make(), module, generator())
    for old, new in zip(before, module.state_dict().values(), strict=True):
        assert torch.equal(old, new), "it changed a weight: only a learner does"


CHECKS: tuple[Run, ...] = (one_number, has_a_gradient, reports_numbers, weights_untouched)
