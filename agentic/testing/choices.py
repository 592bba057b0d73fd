"""What is asked of selections, which take an action from a plan, and of backups, which value later ones."""

from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor

from agentic.agents.selection import Selection
from agentic.engine.belief import Belief, Categorical, Point
from agentic.engine.domain import Domain, Simplex
from agentic.planning.plan import Backup
from agentic.testing.common import assert_close, clones, generator
from agentic.testing.kit import Make, Run
from agentic.testing.worlds import bounded

ROWS = 4


def _policies() -> Iterator[tuple[Belief, Domain]]:
    """Beliefs about the action, and the space it lies in: three choices, two at once, a box."""
    draws = torch.rand(ROWS, 5, generator=generator(1), dtype=torch.float64)
    three = draws[:, :3] / draws[:, :3].sum(-1, keepdim=True)
    yield Categorical(three), Simplex((3,))
    two = draws[:, 3:] / draws[:, 3:].sum(-1, keepdim=True)
    yield Categorical(torch.cat([three, two], -1), (3, 2)), Simplex((3, 2))
    yield Point(2 * draws[:, :1] - 1), bounded(-1.0, 1.0)


def select(selection: Selection, source: torch.Generator) -> list[Tensor]:
    """A choice from every policy."""
    return [selection.choose(policy, domain, source) for policy, domain in _policies()]


def chooses_for_every_row(make: Make) -> None:
    """choose returns one action (b, *event) per row."""
    for policy, domain in _policies():
        action = make().choose(policy, domain, generator())
        assert isinstance(action, Tensor), f"choose must return a tensor, got {type(action).__name__}"
        shape = (ROWS, *domain.event)
        assert tuple(action.shape) == shape, f"{ROWS} rows need actions {shape}, got {tuple(action.shape)}"


def acts_within_its_space(make: Make) -> None:
    """Every action is on the action space as executed: one-hot where discrete, within the bounds of a box."""
    for policy, domain in _policies():
        action = make().choose(policy, domain, generator())
        gap = float((action - domain.project(action)).abs().max())
        assert gap <= 1e-6, f"an action lies {gap:.3g} off its space: project it (one-hot, or within the bounds)"


def weighs_plans(make: Make) -> None:
    """The attribute precision is a number of at least 0; infinite for the best plan alone."""
    precision = make().precision
    assert isinstance(precision, int | float), f"precision must be a number, got {precision!r}"
    assert 0 <= precision <= inf, f"precision must be at least 0, got {precision}"


def policy_untouched(make: Make) -> None:
    """The policy that is passed in stays as it was."""
    for policy, domain in _policies():
        before = clones(policy.mean)
        make().choose(policy, domain, generator())
        assert torch.equal(before, policy.mean), "it changed the policy in place: work on a copy"


SELECTION: tuple[Run, ...] = (chooses_for_every_row, acts_within_its_space, weighs_plans, policy_untouched)


def _energies() -> Tensor:
    return torch.randn(ROWS, 3, generator=generator(2), dtype=torch.float64)


def back_up(backup: Backup, source: torch.Generator) -> list[Tensor]:
    """The policy and the value of energies of three actions."""
    return [backup.policy(_energies(), None), backup.value(_energies(), None)]


def policy_is_a_distribution(make: Make) -> None:
    """policy(energies, log_habits) is (m, a), without and with habits: no number below 0, rows that sum to 1."""
    for habits in (None, torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()):
        policy = make().policy(_energies(), habits)
        assert isinstance(policy, Tensor), f"policy must return a tensor, got {type(policy).__name__}"
        assert policy.shape == (ROWS, 3), f"the policy of energies {(ROWS, 3)} is {tuple(policy.shape)}"
        assert bool((policy >= 0).all()), f"a probability is {float(policy.min()):.3g}"
        assert_close(policy.sum(-1), torch.ones(ROWS, dtype=torch.float64), "the sum of a policy's probabilities", 1e-6)


def value_is_one_number_per_belief(make: Make) -> None:
    """value(energies, log_habits) is (m,), finite."""
    value = make().value(_energies(), None)
    assert value.shape == (ROWS,), f"the value of energies {(ROWS, 3)} must be {(ROWS,)}, got {tuple(value.shape)}"
    assert bool(torch.isfinite(value).all()), f"a value is not finite: {value.tolist()}"


def beliefs_are_independent(make: Make) -> None:
    """Permuted rows of energies have the permuted policies and values."""
    order, energies = torch.tensor([2, 0, 3, 1]), _energies()
    assert_close(make().policy(energies[order], None), make().policy(energies, None)[order], "rows in another order")
    assert_close(make().value(energies[order], None), make().value(energies, None)[order], "rows in another order")


def energies_untouched(make: Make) -> None:
    """The energies that are passed in stay as they were."""
    energies = _energies()
    make().policy(energies, None)
    make().value(energies, None)
    assert torch.equal(energies, _energies()), "it changed the energies in place: work on a copy"


BACKUP: tuple[Run, ...] = (
    policy_is_a_distribution,
    value_is_one_number_per_belief,
    beliefs_are_independent,
    energies_untouched,
)
