"""The tables of a discrete model, from its arrays and from what depends on what."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from agentic import Environment, Model, Simplex, Truth, UserError
from agentic.environments import Dependencies, Successors
from agentic_energies.arrays import check_columns, check_finite, check_shape, tensors
from agentic_energies.cpt import LIMIT, Cpt, Listed, joint, tabled

Discrete = TypeVar("Discrete", bound=Model)


def check(form: Dependencies, A: list[Tensor], B: list[Tensor], D: list[Tensor]) -> None:
    """Check shapes and columns. Raises UserError naming array, axis, index and sum."""
    for i, (a, parents) in enumerate(zip(A, form.A, strict=True)):
        plain = parents == tuple(range(len(form.factors)))
        names = "*state factors" if plain else f"*state factors {', '.join(map(str, parents))}"
        check_shape(f"A[{i}]", a, (-1, *form.shape_of_A(i)), f"(outcomes, {names})")
        check_columns(f"A[{i}]", a)
    for i, (b, d) in enumerate(zip(B, D, strict=True)):
        plain = form.B[i] == (i,) and form.B_actions[i] == (0,)
        names = "previous, actions" if plain else f"*factors {list(form.B[i])}, *controls {list(form.B_actions[i])}"
        check_shape(f"B[{i}]", b, (len(d), *form.shape_of_B(i)), f"(next, {names})")
        check_columns(f"B[{i}]", b)
        check_columns(f"D[{i}]", d)


def habits(E: Any, action: Simplex) -> Tensor:
    """The logarithms of the habits `E` (actions,). Raises UserError where they are no probabilities."""
    given = tensors("E", [E], 1)[0]
    check_shape("E", given, (action.count,), "(actions,)")
    check_columns("E", given)
    return given.log()


def world_of(env: Environment) -> Truth | Successors:
    """What the environment tells of itself, if it is discrete. Raises UserError otherwise."""
    check_discrete(env)
    return env.known_world()


def ending(
    ends: Any, factors: Sequence[int], given: Mapping[str, Any]
) -> tuple[Tensor | None, tuple[int, ...], Mapping[str, Any]]:
    """The probabilities that an episode ends, the factors they depend on, and the other lists of dependencies.

    `given` may list those factors as "ends", in the order of the axes; without, they are all. None where `ends` is; one
    that depends on no factor is the same for every value of the first.
    Raises UserError for what is no such array or list.
    """
    if not isinstance(given, Mapping):
        raise UserError(f'dependencies expects lists by name, such as {{"A": [[0]]}}, got {type(given).__name__}')
    everyone = range(len(factors))
    parents, lists = tuple(everyone), given
    if "ends" in given:
        listed, lists = given["ends"], {key: each for key, each in given.items() if key != "ends"}
        parents = tuple(listed) if isinstance(listed, Sequence | np.ndarray) and not isinstance(listed, str) else (-1,)
        if len(set(parents)) < len(parents) or any(f not in everyone for f in parents):
            raise UserError(f"dependencies.ends expects different indices below {len(factors)}, got {listed!r}")
    if ends is None:
        return None, parents, lists
    chances = tensors("ends", [ends])[0]
    check_shape("ends", chances, tuple(factors[f] for f in parents), "the state factors")
    if bool(((check_finite("ends", chances) < 0) | (chances > 1)).any()):
        raise UserError("ends must hold probabilities between 0 and 1")
    if not parents:
        return chances.expand(factors[0]), (0,), lists
    return chances, parents, lists


def with_tables(given: Mapping[str, Any]) -> bool:
    """Whether what a model is made from names tables or counts of A, B or D: then it does not ask for the truth."""
    return bool({"A", "B", "D"} & (given.keys() | _counted(given)))


def arrays_of(env: Environment, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a model is made from: what is `given`, and of the environment's truth the arrays that have no counts."""
    check_discrete(env)
    without = {"rewards"} | _counted(given)
    return {name: part for name, part in env.factored_truth().items() if name not in without} | dict(given)


def _counted(given: Mapping[str, Any]) -> set[str]:
    """The names of what has counts."""
    counts = given.get("counts")
    return set(counts) if isinstance(counts, Mapping) else set() if counts is None else {"A"}


def fitting(model: Discrete, env: Environment) -> Discrete:
    """`model`, if it is of the spaces of `env`. Raises UserError otherwise."""
    check_discrete(env)
    pairs = (("observation", model.outcome, env.observation), ("action", model.action, env.action))
    for name, ours, theirs in pairs:
        if ours != theirs:
            raise UserError(
                f"the {name} space of {env.id} is {theirs}, the categorical model has {ours}: "
                "it needs Discrete or MultiDiscrete spaces of the sizes of its arrays"
            )
    return model


def check_discrete(env: Environment) -> None:
    for kind, domain in (("observation", env.observation), ("action", env.action)):
        if not isinstance(domain, Simplex):
            raise UserError(f"the categorical model needs a discrete {kind} space, {env.id} has {domain}")


def likelihoods(form: Dependencies, A: Sequence[Tensor], floor: float) -> list[Cpt]:
    """The modalities' tables over the joint state."""
    return [_spread(a, parents, form.factors, floor) for a, parents in zip(A, form.A, strict=True)]


def transition(form: Dependencies, B: Sequence[Tensor], floor: float) -> Cpt:
    """The table of the next joint state over (joint state, joint action)."""
    sizes = (*form.factors, *form.controls)
    return joint([_spread(b, form.parents_of_B(i), sizes, floor) for i, b in enumerate(B)], floor)


def _spread(array: Tensor, parents: tuple[int, ...], sizes: tuple[int, ...], floor: float) -> Cpt:
    """The table over all joint values of variables of `sizes`, the last fastest. Raises UserError beyond `LIMIT`."""
    own = tabled(array.reshape(len(array), -1), floor)
    entries = prod(sizes) * (own.reached.shape[1] if isinstance(own, Listed) else own.size)
    if entries > LIMIT:
        raise UserError(
            f"a table over the joint state would hold {entries:,} entries, more than {LIMIT:,}: use factored, which "
            "keeps a belief per factor"
        )
    index = column_index(parents, sizes)
    return own if index is None else own.spread(index)


def column_index(parents: tuple[int, ...], sizes: tuple[int, ...]) -> Tensor | None:
    """The column of a table of some `parents` for all joint values of variables of `sizes`; None where it is theirs."""
    if parents == tuple(range(len(sizes))):
        return None
    index = torch.zeros((1,) * len(sizes), dtype=torch.int64)
    for parent in parents:
        values = torch.arange(sizes[parent])
        index = index * sizes[parent] + values.view(*[-1 if i == parent else 1 for i in range(len(sizes))])
    return index.expand(sizes).reshape(-1)
