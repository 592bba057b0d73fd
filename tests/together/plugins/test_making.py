"""Components from plain tables, in Python: whatever contract is asked for, by annotation or by name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import pytest
from torch import Tensor

from agentic import Backup, Energy, Gain, Goal, Loss, Minimizer, Selection, UserError, load
from agentic.plugins import Registry
from agentic.plugins.registry import Component
from agentic_energies.gains import JointGain
from agentic_energies.landscapes import Banana
from agentic_optimizers.backups import Max, SoftMin
from agentic_optimizers.elbo import Elbo
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.tree import TreeSearch


class Clock(ABC):
    """A contract of a third party's own."""

    @abstractmethod
    def hour(self) -> int:
        """What it is."""


@final
class Stopped(Clock):
    def __init__(self, at: int) -> None:
        self.at = at

    def hour(self) -> int:
        return self.at


@final
@dataclass(frozen=True)
class Mixed(Loss):
    """Several losses in one, a judge that is either of two things, and what is nobody's contract but its own."""

    losses: tuple[Loss, ...] = ()
    judge: Energy | Backup | None = None
    clock: Clock | None = None
    share: float | Backup = 0.5

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        raise NotImplementedError


def soft(precision: float = 2.0) -> SoftMin:
    return SoftMin(precision)


def unannotated(precision=3.0):  # type: ignore[no-untyped-def]
    return SoftMin(precision)


OURS: dict[str, type[Any] | str] = {
    "stopped": Stopped,
    "mixed": Mixed,
    "soft": f"{__name__}:soft",
    "unannotated": f"{__name__}:unannotated",
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    own = [Component("optimizers", name, "ours", "1", "installed", target) for name, target in OURS.items()]
    return Registry((*load().components, *own))


def test_a_table_becomes_a_component(registry: Registry) -> None:
    assert registry.make(Gain, {"name": "joint", "target": "static"}) == JointGain("static")
    assert registry.make(Gain, {"name": "agentic/joint"}) == JointGain()


def test_tables_within_tables(registry: Registry) -> None:
    made = registry.make(Minimizer, {"name": "tree", "backup": {"name": "soft_min", "precision": 4.0}, "limit": 9})
    assert made == TreeSearch(SoftMin(4.0), limit=9)
    inner = {"name": "mixed", "losses": [{"name": "elbo"}]}
    outer = registry.make(Loss, {"name": "mixed", "losses": [inner, {"name": "likelihood"}]})
    assert outer.losses == (Mixed((Elbo(),)), Likelihood())


def test_a_union_takes_either_and_nothing_else(registry: Registry) -> None:
    assert isinstance(registry.make(Loss, {"name": "mixed", "judge": {"name": "banana"}}).judge, Banana)
    assert registry.make(Loss, {"name": "mixed", "judge": {"name": "max"}}).judge == Max()
    with pytest.raises(UserError, match=r"^\[judge\] greedy is a Selection; an Energy or Backup is wanted: "):
        registry.make(Loss, {"name": "mixed", "judge": {"name": "greedy"}})
    assert registry.make(Loss, {"name": "mixed", "share": 0.25}).share == 0.25
    assert registry.make(Loss, {"name": "mixed", "share": {"name": "max"}}).share == Max()


def test_a_list_of_components(registry: Registry) -> None:
    made = registry.make(Loss, {"name": "mixed", "losses": [{"name": "elbo", "samples": 2}, {"name": "likelihood"}]})
    assert made.losses == (Elbo(2), Likelihood())
    with pytest.raises(UserError, match=r"^\[losses\] max is a Backup; a Loss is wanted: "):
        registry.make(Loss, {"name": "mixed", "losses": [{"name": "elbo"}, {"name": "max"}]})


def test_a_contract_of_ones_own(registry: Registry) -> None:
    made = registry.make(Loss, {"name": "mixed", "clock": {"name": "stopped", "at": 7}})
    assert made.clock.hour() == 7
    assert registry.make(Clock, {"name": "stopped", "at": 3}).hour() == 3
    with pytest.raises(UserError, match=r"^\[clock\] max is a Backup; a Clock is wanted: stopped"):
        registry.make(Loss, {"name": "mixed", "clock": {"name": "max"}})


def test_a_function_is_a_component(registry: Registry) -> None:
    """What it returns is known by its annotation, else only once it is called."""
    assert registry.make(Backup, {"name": "soft"}) == SoftMin(2.0)
    assert registry.make(Backup, {"name": "unannotated", "precision": 5.0}) == SoftMin(5.0)
    with pytest.raises(UserError, match="a Selection is wanted: "):
        registry.make(Selection, {"name": "soft"})
    with pytest.raises(UserError, match="unannotated makes a SoftMin, a Selection is wanted"):
        registry.make(Selection, {"name": "unannotated"})


@pytest.mark.parametrize(
    ("contract", "table", "where", "said"),
    [
        (
            Minimizer,
            {"name": "tree", "backup": 3},
            "[planner]",
            "[planner.backup] should be a table with the name of a Backup, got 3",
        ),
        (Minimizer, {"name": "tree", "backup": {}}, "[planner]", "[planner.backup] should be a table with the name"),
        (Loss, {"name": "mixed", "losses": 3}, "", "[losses] should be a list of tables, each with the name of a Loss"),
        (
            Loss,
            {"name": "mixed", "losses": [3]},
            "",
            "[losses] should be a list of tables, each with the name of a Loss",
        ),
        (Goal, {"name": "joint"}, "", "joint is a Gain; a Goal is wanted: "),
        (Gain, {"name": "joynt"}, "", "unknown gain 'joynt', did you mean 'joint'?"),
        (Gain, {"name": "joint", "targt": "static"}, "", "joint has no parameter 'targt', did you mean 'target'?"),
        (Gain, {"name": "joint", "target": 1}, "", "joint: target is wrong: "),
        (Clock, {"name": "stopped"}, "", "stopped needs the parameter 'at'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    contract: Any, table: dict[str, Any], where: str, said: str, registry: Registry
) -> None:
    with pytest.raises(UserError) as message:
        registry.make(contract, table, where)
    assert str(message.value).strip().startswith(said)
    assert "\n" not in str(message.value)


@pytest.mark.parametrize("table", [{}, "joint", None, [], {"name": 3}])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(UserError, match="expected a table with a name"):
        load().make(Gain, table)
