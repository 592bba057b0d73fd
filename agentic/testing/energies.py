"""Checks of energies and of normalized conditionals."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from agentic.engine.belief import Categorical, Density
from agentic.engine.domain import Simplex
from agentic.engine.energy import Conditional, Energy, LeastSquares
from agentic.testing.common import assert_close, clones, generator, mapped
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.probes import Probe, probe


def exercise(energy: Energy, source: torch.Generator) -> list[Tensor]:
    """One evaluation, with gradient."""
    tried = probe(energy)
    x, z = tried.draw(3, source)
    return [tried.energy(x, z).detach(), tried.energy.gradient(x, z).detach()]


def shape_is_one_number_per_row(tried: Probe) -> None:
    """The energy of (b, *event) has shape (b,)."""
    for batch in (1, 4):
        got = tuple(tried.value(*tried.at(batch)).shape)
        assert got == (batch,), f"a batch of {batch} must give shape {(batch,)}, got {got}: reduce the event axes only"


def sample_axes_broadcast(tried: Probe) -> None:
    """The energy of (k, b, *event) against a given (b, ...) has shape (k, b), the same as one after the other."""
    x, z = tried.at(4)
    samples = torch.stack([z, tried.at(4, seed=1)[1], tried.at(4, seed=2)[1]])
    expected = torch.stack([tried.value(x, sample) for sample in samples])
    assert_close(tried.value(x, samples), expected, "three samples at once against one after the other")
    many = mapped(lambda part: torch.stack([part, part]), x)
    if any(part.numel() for part in _leaves(x)):  # a context of no numbers only carries the batch
        assert_close(tried.value(many, z), expected[:1].expand(2, -1), "two samples of x against one z")


def finite(tried: Probe) -> None:
    """Random inputs have finite energies."""
    for seed in range(3):
        value = tried.value(*tried.at(16, seed))
        assert torch.isfinite(value).all(), f"energies at random inputs must be finite, got {value.tolist()}"


def batch_equals_row_by_row(tried: Probe) -> None:
    """The energy of a batch is that of its rows one by one."""
    x, z = tried.at(4)
    alone = [tried.value(mapped(lambda part, i=i: part[i : i + 1], x), z[i : i + 1]) for i in range(4)]  # type: ignore[misc]
    assert_close(tried.value(x, z), torch.cat(alone), "a batch against its rows one by one")


def permuting_rows_permutes_answers(tried: Probe) -> None:
    """The energies of permuted rows are the permuted energies."""
    x, z = tried.at(4)
    order = torch.tensor([2, 0, 3, 1])
    moved = tried.value(mapped(lambda part: part[order], x), z[order])
    assert_close(moved, tried.value(x, z)[order], "rows in another order")


def gradient_is_the_derivative(tried: Probe) -> None:
    """`gradient` equals autograd of `forward`, sample axes included."""
    _differentiable(tried)
    x, z = tried.at(4)
    for point in (z, torch.stack([z, tried.at(4, seed=1)[1]])):
        assert_close(tried.energy.gradient(x, point), _slope(tried, x, point), "gradient against autograd of forward")


def hessian_is_the_second_derivative(tried: Probe) -> None:
    """`hessian` equals autograd of autograd of `forward`."""
    _differentiable(tried)
    if tried.events != 1:
        raise NotApplicable("its events are not vectors")
    x, z = tried.at(3)
    free = z.clone().requires_grad_()
    slope = torch.autograd.grad(tried.value(x, free).sum(), free, create_graph=True)[0]
    expected = torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype)
    if slope.requires_grad:
        rows = [
            torch.autograd.grad(part.sum(), free, retain_graph=True, allow_unused=True, materialize_grads=True)[0]
            for part in slope.unbind(-1)
        ]
        expected = torch.stack(rows, -2)
    assert_close(tried.energy.hessian(x, z), expected, "hessian against autograd of forward")


def gradcheck(tried: Probe) -> None:
    """Autograd equals finite differences in float64; an energy may say `differentiable = False`."""
    _differentiable(tried)
    x, z = tried.at(3)
    step, slope = 1e-6, _slope(tried, x, z)
    for index in range(slope[0].numel()):
        move = torch.zeros_like(z[0]).flatten()
        move[index] = step
        ahead, behind = (tried.value(x, z + sign * move.view_as(z[0])) for sign in (1, -1))
        measured = ((ahead - behind) / (2 * step)).detach()
        assert_close(slope.flatten(1)[:, index], measured, "autograd against finite differences", 1e-5)


def value_and_gradient_are_those(tried: Probe) -> None:
    """The two of `value_and_gradient` are `forward` and `gradient`."""
    _differentiable(tried)
    x, z = tried.at(4)
    value, slope = tried.energy.value_and_gradient(x, z)
    assert_close(value, tried.value(x, z), "the value of value_and_gradient against forward")
    assert_close(slope, tried.energy.gradient(x, z), "the gradient of value_and_gradient against gradient")


def closed_form_is_used(tried: Probe) -> None:
    """Where `gradient` needs no autograd of the energy, `value_and_gradient`, which solvers ask, needs none either."""
    _differentiable(tried)
    x, z = tried.at(4)
    if _differentiates(tried, lambda: tried.energy.gradient(x, z)):
        raise NotApplicable("its gradient is autograd's")
    assert not _differentiates(tried, lambda: tried.energy.value_and_gradient(x, z)), (
        "`gradient` is a closed form and value_and_gradient, which solvers ask, is autograd's: "
        "derive from agentic.ClosedForm, before other contracts, or override value_and_gradient"
    )


def residuals_are_of_the_energy(tried: Probe) -> None:
    """|residuals|^2 / 2 is the energy up to what does not depend on z."""
    if not isinstance(tried.energy, LeastSquares):
        raise NotApplicable("it is no sum of squares")
    x, z = tried.at(4)
    other = tried.at(4, seed=1)[1]
    here, there = tried.energy.residuals(x, z), tried.energy.residuals(x, other)
    if here is None or there is None:
        raise NotApplicable("it is no sum of squares")
    found = 0.5 * (there.square().sum(-1) - here.square().sum(-1))
    assert_close(found, tried.value(x, other) - tried.value(x, z), "|residuals|^2 / 2 against forward")


def terms_sum_to_the_energy(tried: Probe) -> None:
    """The named parts sum to the energy."""
    x, z = tried.at(4)
    parts = tried.energy.terms(x, z)
    assert parts, "terms() is empty: return at least {name: forward}"
    assert_close(torch.stack(list(parts.values())).sum(0), tried.value(x, z), "the sum of terms() against forward")


def inputs_untouched(tried: Probe) -> None:
    """The inputs stay as they were."""
    x, z = tried.at(4)
    before = clones((x, z))
    tried.value(x, z)
    tried.energy.gradient(x, z)
    tried.energy.terms(x, z)
    same = mapped(torch.Tensor.clone, (x, z))
    for old, new in zip(_leaves(before), _leaves(same), strict=True):
        assert torch.equal(old, new), "it changed its inputs in place: work on a copy"
    assert not z.requires_grad, "it left requires_grad set on its input: work on a detached copy"


def dtype_kept(tried: Probe) -> None:
    """A module of one floating type, fed that type, answers in it."""
    x, z = tried.at(4)
    for dtype in (torch.float32, torch.float64):
        energy = tried.energy.to(dtype)
        got = energy(mapped(partial(torch.Tensor.to, dtype=dtype), x), z.to(dtype)).dtype
        assert got == dtype, f"fed {dtype}, as module.to({dtype}), it answers in {got}"


def given_agrees_with_the_energy(tried: Probe) -> None:
    """The energy E(x, y) is given(x).energy(y), in nats."""
    x, z = tried.certain(4, generator())
    belief = _given(tried, x)
    if not isinstance(belief, Density):
        raise NotApplicable(f"given(x) is {type(belief).__name__}, which has no density")
    assert belief.mean.shape == z.shape, f"given(x) must be over z {tuple(z.shape)}, got {tuple(belief.mean.shape)}"
    points = [z] if isinstance(belief, Categorical) else [z, *belief.sample(3, generator())]
    for point in points:
        assert_close(tried.value(x, point), belief.energy(point), "the energy against given(x).energy(z)")


def probabilities_sum_to_one(tried: Probe) -> None:
    """The probabilities exp(-E) over the corners of a discrete z sum to one for every x."""
    x, _ = tried.certain(4, generator())
    belief = _given(tried, x)
    if not isinstance(belief, Categorical):
        raise NotApplicable("z is not discrete")
    corners = Simplex(belief.sizes).corners().unsqueeze(1).expand(-1, 4, -1)
    total = torch.exp(-tried.value(x, corners)).sum(0)
    assert_close(total, torch.ones_like(total), "sum of exp(-E) over the corners")


ENERGY: tuple[Callable[[Probe], None], ...] = (
    shape_is_one_number_per_row,
    sample_axes_broadcast,
    finite,
    batch_equals_row_by_row,
    permuting_rows_permutes_answers,
    gradient_is_the_derivative,
    hessian_is_the_second_derivative,
    gradcheck,
    value_and_gradient_are_those,
    closed_form_is_used,
    residuals_are_of_the_energy,
    terms_sum_to_the_energy,
    inputs_untouched,
    dtype_kept,
)
CONDITIONAL = (*ENERGY, given_agrees_with_the_energy, probabilities_sum_to_one)


def runs(checks: tuple[Callable[[Probe], None], ...], to_probe: Callable[[Any], Probe] = probe) -> Iterator[Run]:
    """The checks of the energy that `to_probe` finds in a component."""
    for check in checks:

        def run(make: Make, check: Callable[[Probe], None] = check) -> None:
            check(to_probe(make()))

        run.__name__ = check.__name__
        yield run


def _given(tried: Probe, x: Any) -> Any:
    assert isinstance(tried.energy, Conditional), "only a Conditional has given(x)"
    return tried.energy.given(x)


def _slope(tried: Probe, x: Any, z: Tensor) -> Tensor:
    free = z.clone().requires_grad_()
    value = tried.value(x, free)
    assert value.requires_grad, "forward is not differentiable in z: say so with differentiable = False"
    return torch.autograd.grad(value.sum(), free)[0]


def _differentiates(tried: Probe, ask: Callable[[], Any]) -> bool:
    """Whether an answer comes from evaluating the energy at a z that autograd follows."""
    followed = list[bool]()

    def note(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        followed.append((named["z"] if "z" in named else given[-1]).requires_grad)

    hook = tried.energy.register_forward_pre_hook(note, with_kwargs=True)
    try:
        ask()
    finally:
        hook.remove()
    return any(followed)


def _differentiable(tried: Probe) -> None:
    if not tried.energy.differentiable:
        raise NotApplicable("it says differentiable = False")


def _leaves(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, tuple) else []
