"""The kit catches gains, selections, backups, quadratures and losses that break their contract, each in one way."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import Backup, Belief, Categorical, Domain, Gain, Loss, Quadrature, Selection
from agentic.planning import plan_posterior
from agentic.testing import Check, checks
from agentic.testing.worlds import Ladder, TwoPlaces
from tests.contracts import test_broken_agents, test_broken_energies, test_broken_optimizers, test_broken_populations
from tests.contracts.broken import SAYS, assert_only


@dataclass(frozen=True)
class News(Gain):
    """The entropy of what is seen next: nothing is wrong with it."""

    def start(self, model: Any, belief: Any) -> Any:
        return None

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        return None, {"news": model.emit(step.after).entropy()}


class OneGain(News):
    """One number for all rows."""

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        return None, {"news": model.emit(step.after).entropy().sum()}


class Costly(News):
    """Goes by the name of a cost."""

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        return None, {"effort": super().step(model, memory, step, last)[1]["news"]}


class FirstCandidate(News):
    """Looks at the first of several candidate actions."""

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        gain = model.emit(step.after).entropy()
        return None, {"news": gain if gain.dim() == 1 else gain[:1].expand_as(gain)}


class Shares(News):
    """Gives every row the mean of all."""

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        gain = model.emit(step.after).entropy()
        return None, {"news": gain.mean(-1, keepdim=True).expand_as(gain)}


class Scales(News):
    """Works in place on the action."""

    def step(self, model: Any, memory: Any, step: Any, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        step.action.mul_(0.5)
        return super().step(model, memory, step, last)


@dataclass(frozen=True)
class Best(Selection):
    """The best action: nothing is wrong with it."""

    @property
    def precision(self) -> float:
        return inf

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        return domain.project(policy.mode)


class FirstRow(Best):
    """Chooses for one row."""

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        return super().choose(policy, domain, generator)[:1]


class Between(Best):
    """Does what the policy is on average."""

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        return policy.mean.clone()


class Negative(Best):
    """Weighs plans upside down."""

    @property
    def precision(self) -> float:
        return -1.0


class Sharpens(Best):
    """Works in place on the policy."""

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        action = super().choose(policy, domain, generator)
        if isinstance(policy, Categorical):
            policy.probs.copy_(action)
        return action


@dataclass(frozen=True)
class Least(Backup):
    """The best action's value: nothing is wrong with it."""

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return plan_posterior(energies, inf, log_habits, dim=-1)


class Unsure(Least):
    """Its probabilities sum to a half."""

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return super().policy(energies, log_habits) / 2


class OneValue(Least):
    """One number for all beliefs."""

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return super().value(energies, log_habits).sum()


class Envies(Least):
    """Values a belief beside the first one."""

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        value = super().value(energies, log_habits)
        return value - value[:1]


class Centers(Least):
    """Works in place on the energies."""

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        energies -= energies.mean(-1, keepdim=True)
        return super().policy(energies, log_habits)

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return torch.zeros(len(energies), dtype=torch.float64)


@dataclass(frozen=True)
class Corners(Quadrature):
    """Two points on every axis: nothing is wrong with it."""

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        axes = size**0.5 * torch.eye(size, dtype=torch.float64)
        return torch.cat([axes, -axes]), torch.full((2 * size,), 0.5 / size, dtype=torch.float64)


class Single(Corners):
    """Answers in float32."""

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        points, weights = super().points(size)
        return points.float(), weights.float()


class Twice(Corners):
    """Counts every point twice."""

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        points, weights = super().points(size)
        return points, 2 * weights


class Wide(Corners):
    """Reaches twice as far."""

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        points, weights = super().points(size)
        return 2 * points, weights


class Turns(Corners):
    """Gives its points in another order every other time."""

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        count = self.__dict__.get("count", 0)
        object.__setattr__(self, "count", count + 1)
        points, weights = super().points(size)
        return (points.flip(0) if count // 3 % 2 else points), weights


@dataclass(frozen=True)
class Surprised(Loss):
    """The mean surprise of the next observation: nothing is wrong with it."""

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        obs, action, after = rows
        value = module.transition((obs, action), after).mean()
        return value, {"surprise": value.detach()}


class EveryRow(Surprised):
    """A loss for every row."""

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        obs, action, after = rows
        return module.transition((obs, action), after), {}


class Deaf(Surprised):
    """Nothing can be learned from it."""

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        return super().__call__(module, rows, generator=generator)[0].detach(), {}


class Chatty(Surprised):
    """Reports a number for every row."""

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        return super().__call__(module, rows, generator=generator)[0], {"rows": rows[0][:, 0]}


class Meddles(Surprised):
    """Changes a weight."""

    def __call__(self, module: Any, rows: Any, *, generator: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        answer = super().__call__(module, rows, generator=generator)
        with torch.no_grad():
            module.transition.A.data = 0.5 * module.transition.A.data
        return answer


CAUGHT = [
    ("energies", OneGain, "gains_are_one_number_per_row"),
    ("energies", Costly, "names_are_no_costs"),
    ("energies", FirstCandidate, "candidates_broadcast"),
    ("energies", Shares, "rows_do_not_mix"),
    ("energies", Scales, "imagining_changes_nothing"),
    ("optimizers", FirstRow, "chooses_for_every_row"),
    ("optimizers", Between, "acts_within_its_space"),
    ("optimizers", Negative, "weighs_plans"),
    ("optimizers", Sharpens, "policy_untouched"),
    ("optimizers", Unsure, "policy_is_a_distribution"),
    ("optimizers", OneValue, "value_is_one_number_per_belief"),
    ("optimizers", Envies, "beliefs_are_independent"),
    ("optimizers", Centers, "energies_untouched"),
    ("optimizers", Single, "gives_points_and_weights"),
    ("optimizers", Twice, "weights_sum_to_one"),
    ("optimizers", Wide, "has_the_moments"),
    ("optimizers", Turns, "is_the_same_every_time"),
    ("optimizers", EveryRow, "one_number"),
    ("optimizers", Deaf, "has_a_gradient"),
    ("optimizers", Chatty, "reports_numbers"),
    ("optimizers", Meddles, "weights_untouched"),
]
SOUND = [("energies", News), *(("optimizers", each) for each in (Best, Least, Corners, Surprised))]


@pytest.mark.parametrize(("kind", "component", "name"), CAUGHT)
def test_it_is_caught(kind: str, component: type, name: str) -> None:
    assert_only(kind, component, name)


@pytest.mark.parametrize(("kind", "component"), SOUND)
def test_nothing_is_wrong(kind: str, component: type) -> None:
    assert [each.finding.message for each in checks(kind, component) if each.failed] == []


def test_every_named_check_of_the_kit_has_a_broken_component() -> None:
    others = (test_broken_energies, test_broken_optimizers, test_broken_populations)
    caught = {"members_are_asked_for", *(name for *_, name in [*CAUGHT, *test_broken_agents.CAUGHT])}  # see test_former
    caught |= {name for module in others for *_, name in module.CAUGHT}
    sound: list[tuple[str, type]] = [
        *SOUND,
        ("energies", test_broken_energies.Wish),
        ("energies", test_broken_energies.Unnormalized),
        ("energies", Ladder),
        ("energies", test_broken_populations.Spread),
        ("optimizers", test_broken_optimizers.Descent),
        ("optimizers", test_broken_optimizers.Sound),
        ("metrics", test_broken_agents.Steps),
        ("agents", test_broken_agents.Counter),
        ("envs", TwoPlaces),
    ]
    named = {_base(each) for kind, component in sound for each in checks(kind, component)}
    assert named - {_base(name) for name in caught} == set()
    assert named <= SAYS.keys()


def _base(check: Check | str) -> str:
    """The name of a check; that of a part of a model is the conditional's."""
    name = check if isinstance(check, str) else check.name
    return name.removeprefix("observation_").removeprefix("transition_").removeprefix("prior_")
