"""What is asked of every component: it can be made, copied and sent, and chance comes from its generator alone."""

import io
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agentic.errors import BREAKS, described
from agentic.testing.kit import Make, NotApplicable, Run

Exercise = Callable[[Any, torch.Generator], list[Tensor]]
"""Uses a component once, as its kind is used, and returns everything it answered."""


def generator(seed: int = 0) -> torch.Generator:
    """A fresh CPU generator."""
    return torch.Generator().manual_seed(seed)


def constructible(make: Make) -> None:
    """It can be made without arguments, or by a classmethod `example()`."""
    try:
        made = make()
    except BREAKS as error:
        raise AssertionError(
            f"it cannot be made ({described(error)}): give it a classmethod example() that returns a "
            "small instance for this kit"
        ) from error
    assert made is not None, "example() returned None: expected a small instance"


def documented(make: Make) -> None:
    """Its class says in words what it is."""
    kind = type(make())
    words = (kind.__dict__.get("__doc__") or "").strip()
    generated = words.startswith(f"{kind.__name__}(")  # what a dataclass writes when its author did not
    assert words, f"{kind.__name__} has no docstring: say what it is, its formula, shapes and units"
    assert not generated, f"{kind.__name__} has no docstring of its own, only the one dataclass generates"


def registers_its_tensors(make: Make) -> None:
    """Every tensor a module holds is a parameter or a buffer, so that saving and moving it takes them along."""
    module = _module(make)
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            if key.startswith(("_parameters", "_buffers", "_modules")):
                continue
            holds = any(isinstance(each, Tensor) for each in inner)
            where = f"{name}.{key}" if name else key
            assert not holds, f"the tensor {where} is neither a parameter nor a buffer: make it an nn.Buffer"


def restores_its_state_dict(make: Make) -> None:
    """Weights saved as tensors and loaded into a fresh one are the same weights."""
    module, fresh, file = _module(make), _module(make), io.BytesIO()
    with torch.no_grad():
        for value in fresh.state_dict().values():
            value.zero_()
    torch.save(module.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    loaded = fresh.state_dict()
    for name, value in module.state_dict().items():
        assert torch.equal(loaded[name], value), f"{name} is not what was saved"


def common_runs(exercise: Exercise) -> list[Run]:
    """The checks of every kind; `exercise` uses a component of this one."""

    def pickles(make: Make) -> None:
        """It survives being sent to another process, and answers the same there."""
        component = make()
        try:
            copy = pickle.loads(pickle.dumps(component))
        except BREAKS as error:
            why = f"{described(error)}"
            raise AssertionError(f"it does not pickle ({why}): hold no lambdas and no local classes") from error
        assert_same(exercise(component, generator()), exercise(copy, generator()), "after pickling, its answer")

    def same_seed_same_answer(make: Make) -> None:
        """Equal generators give equal answers."""
        assert_same(exercise(make(), generator()), exercise(make(), generator()), "with the same seed, its answer")

    def global_randomness_untouched(make: Make) -> None:
        """Chance comes from the generator that is passed; the global ones of torch, NumPy and Python stand still."""
        component = make()
        before = _global_states()
        exercise(component, generator())
        for name, (old, new) in {key: (before[key], now) for key, now in _global_states().items()}.items():
            assert old == new, f"it draws from the global generator of {name}: use the generator it is given"

    return [pickles, same_seed_same_answer, global_randomness_untouched]


def assert_same(first: list[Tensor], second: list[Tensor], what: str) -> None:
    """Equal tensors, NaN equal to NaN. Raises AssertionError otherwise."""
    assert len(first) == len(second), f"{what} has {len(second)} parts and not {len(first)}"
    for a, b in zip(first, second, strict=True):
        assert a.shape == b.shape, f"{what} has shape {tuple(b.shape)} and not {tuple(a.shape)}"
        equal = torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)) if a.is_floating_point() else torch.equal(a, b)
        assert equal, f"{what} differs"


def assert_close(got: Tensor, expected: Tensor, what: str, tolerance: float = 1e-8) -> None:
    """Equal shapes, and values within `tolerance`, relative where they are large. Raises AssertionError otherwise."""
    assert got.shape == expected.shape, f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}"
    gap = (got.detach().double() - expected.detach().double()).abs() / (1 + expected.detach().double().abs())
    worst = float(gap.nan_to_num(nan=torch.inf).max()) if gap.numel() else 0.0
    assert worst <= tolerance, f"{what}: expected {_shown(expected)}, got {_shown(got)} (differ by {worst:.2g})"


def clones(value: Any) -> Any:
    """A copy of a tensor, or of a tuple of them."""
    if isinstance(value, Tensor):
        return value.clone()
    return tuple(clones(part) for part in value) if isinstance(value, tuple) else value


def mapped(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """`function` of a tensor, or of each tensor of a tuple; anything else stays."""
    if isinstance(value, Tensor):
        return function(value)
    return tuple(mapped(function, part) for part in value) if isinstance(value, tuple) else value


def _shown(value: Tensor) -> str:
    flat = value.detach().flatten()
    return f"{[round(number, 6) for number in flat[:4].tolist()]}{' ...' if flat.numel() > 4 else ''}"


def _module(make: Make) -> nn.Module:
    component = make()
    if not isinstance(component, nn.Module):
        raise NotApplicable("not a torch module")
    return component


def _global_states() -> dict[str, Any]:
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002  looked at, to see that nobody drew from it
    return {"torch": torch.get_rng_state().tolist(), "numpy": repr(numpy_state), "random": random.getstate()}
