"""The joint outcomes that are possible under masses of states, table by table: never a table of all joint outcomes."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from agentic import UserError
from agentic_energies.cpt import FULL, Cpt, lists

NUMBERED = 2**62  # joint outcomes, times columns, that have numbers
ENTRIES = 20_000_000  # pairs of a state and an outcome that are listed at once
HELD = 200_000_000  # numbers of the beliefs that may follow some others
SMALL, LARGE = 4096, 1_000_000  # entries of a joint table that is looked at whole, always and where it is full


def outcomes(tables: Sequence[Cpt], mass: Tensor, least: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The joint outcomes likelier than `least` where the states have `mass` (n, p), as `FiniteModel.outcomes` says.

    The modalities' `tables` are over the states. Costs what the states with mass can be seen as, not what there is.
    """
    count = mass.shape[1]
    if prod(each.size for each in tables) * count > NUMBERED:
        raise UserError("there are more joint outcomes than numbers for them: leave modalities out, or use factored")
    column, state = mass.T.nonzero(as_tuple=True)
    outcome, source, weight = listed(tables, state, mass[state, column])
    keys, group = torch.unique(outcome * count + column[source], return_inverse=True)
    chance = mass.new_zeros(len(keys)).index_add(0, group, weight)
    kept = chance > least
    check_held(int(kept.sum()) * len(mass))
    place, inside = kept.cumsum(0) - 1, kept[group]
    keys, chance, after = keys[kept], chance[kept], mass.new_zeros(int(kept.sum()), len(mass))
    after[place[group[inside]], state[source[inside]]] = weight[inside]
    return keys // count, keys % count, chance, after


def check_held(numbers: int) -> None:
    """Raise UserError where what may be seen next is more than can be held."""
    if numbers > HELD:
        raise UserError(
            f"what may be seen next needs {numbers:,} numbers, more than {HELD:,}: leave modalities out, "
            "plan for fewer beliefs at once, or use enumerate"
        )


def whole(tables: Sequence[Cpt]) -> bool:
    """Whether the joint table is small, or so full that its products are faster than lists."""
    size = prod(each.size for each in tables)
    entries = size * tables[0].columns
    return entries <= SMALL or (entries <= LARGE and prod(lists(each)[1].shape[1] for each in tables) > FULL * size)


def listed(tables: Sequence[Cpt], state: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What states (e,) that weigh so much can be seen as: numbers of joint outcomes, of which entry, and how much."""
    outcome, source = torch.zeros_like(state), torch.arange(len(state), device=state.device)
    for each in tables:
        reached, chances = lists(each)
        own = state[source]
        check_held(len(own) * chances.shape[1])
        weight = weight.unsqueeze(-1) * chances[own]
        kept = weight > 0
        outcome = (outcome.unsqueeze(-1) * each.size + reached[own])[kept]
        source, weight = source.unsqueeze(-1).expand_as(kept)[kept], weight[kept]
    return outcome, source, weight


def revealing(tables: Sequence[Cpt]) -> bool:
    """Whether every joint outcome gives its state away; False too where that is too much to list."""
    states, size = tables[0].columns, prod(each.size for each in tables)
    if size > NUMBERED or states * prod(lists(each)[1].shape[1] for each in tables) > ENTRIES:
        return False
    each = lists(tables[0])[1]
    outcome, _, _ = listed(tables, torch.arange(states, device=each.device), each.new_ones(states))
    return bool((torch.unique(outcome, return_counts=True)[1] == 1).all())
