"""The conformance kit: the contracts of the toolkit as checks that anybody's components can be put through.

In a test, one id per check (pytest is imported only here):

    @agentic.testing.checks_for(MyEnergy)
    def test_my_energy(check):
        check()

From code, `check("energies", MyEnergy)` returns findings; `agentic plugins check` prints them. Components that need
arguments offer `@classmethod def example(cls)`: a small instance for this kit. Without it, what has `from_env` is made
for a world of two places, and what takes a model, a purpose, an inference or a planner is given simple ones. All that a
component may offer is in `Example`, `FromEnvironment`, `ExampleInputs`, `PopulationInputs` and `KnownAnswers`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import gymnasium
from torch import nn

from agentic.agents.agent import Agent
from agentic.agents.selection import Selection
from agentic.engine.draws import Quadrature
from agentic.engine.energy import Conditional, Energy, PopulationEnergy
from agentic.engine.minimizer import Minimizer
from agentic.environments.environment import make as as_environment
from agentic.errors import UserError
from agentic.learning.learner import Learner, Loss
from agentic.metrics.metric import Metric
from agentic.models.model import Model
from agentic.planning.gain import Gain
from agentic.planning.goal import Goal
from agentic.planning.plan import Backup
from agentic.plugins.hookspecs import KINDS
from agentic.runs.logger import Logger
from agentic.testing import (
    agents,
    choices,
    energies,
    environments,
    gains,
    goals,
    learners,
    loggers,
    losses,
    metrics,
    models,
    optimizers,
    populations,
    quadratures,
    solving,
)
from agentic.testing.common import (
    Exercise,
    common_runs,
    constructible,
    documented,
    registers_its_tensors,
    restores_its_state_dict,
)
from agentic.testing.former import members_are_asked_for
from agentic.testing.kit import (
    Check,
    Finding,
    Make,
    NotApplicable,
    Run,
    Test,
    named,
    pytest_parameters,
)
from agentic.testing.offers import Example, ExampleInputs, FromEnvironment, KnownAnswers, PopulationInputs
from agentic.testing.optimizers import lowered
from agentic.testing.parts import PARTS
from agentic.testing.worlds import TwoPlaces

__all__ = [
    "Check",
    "Example",
    "ExampleInputs",
    "Finding",
    "FromEnvironment",
    "KnownAnswers",
    "NotApplicable",
    "PopulationInputs",
    "check",
    "checks",
    "checks_for",
    "lowered",
]


class _Suite(NamedTuple):
    """The checks of one contract, and how a component of it is used."""

    kind: str
    contract: type
    runs: tuple[Run, ...]
    exercise: Exercise
    basic: tuple[str, ...]  # the checks without which all others make no sense, the most basic first


_SHAPES = ("shape_is_one_number_per_row", "finite")
_ENVS_SAY = ("same_seed_same_answer",)  # same_seed_same_trajectory says it of longer walks
# The first whose contract a class meets is its suite.
_SUITES = (
    _Suite("energies", Model, models.CHECKS, models.exercise, models.BASIC),
    _Suite("energies", Gain, gains.CHECKS, gains.exercise, gains.BASIC),
    _Suite("energies", Conditional, tuple(energies.runs(energies.CONDITIONAL)), energies.exercise, _SHAPES),
    _Suite("energies", Goal, (*energies.runs(energies.ENERGY), *goals.CHECKS), energies.exercise, _SHAPES),
    _Suite("energies", Energy, tuple(energies.runs(energies.ENERGY)), energies.exercise, _SHAPES),
    _Suite("energies", PopulationEnergy, populations.CHECKS, populations.exercise, ("one_number", "finite")),
    _Suite(
        "optimizers",
        Minimizer,
        solving.CHECKS,
        optimizers.exercise,
        ("takes_some_problem", "global_randomness_untouched"),
    ),
    _Suite("optimizers", Learner, learners.CHECKS, learners.exercise, ("reports_numbers",)),
    _Suite("optimizers", Loss, losses.CHECKS, losses.exercise, ("one_number",)),
    _Suite("optimizers", Selection, choices.SELECTION, choices.select, ("chooses_for_every_row",)),
    _Suite("optimizers", Backup, choices.BACKUP, choices.back_up, ("policy_is_a_distribution",)),
    _Suite("optimizers", Quadrature, quadratures.CHECKS, quadratures.exercise, ("gives_points_and_weights",)),
    _Suite("metrics", Metric, metrics.CHECKS, metrics.exercise, ("declares_what_it_looks_at", "returns_a_measurement")),
    _Suite("agents", Agent, agents.CHECKS, agents.exercise, ("decides_for_every_row",)),
    _Suite("loggers", Logger, loggers.CHECKS, loggers.exercise, ("takes_scalars",)),
    _Suite("envs", gymnasium.Env, environments.CHECKS, environments.exercise, ("walks",)),
)


def checks(kind: str, component: Any) -> list[Check]:
    """The checks of a class or an instance of one `kind` ("energies", "metrics", ...).

    Raises UserError for an unknown kind.
    """
    if kind not in KINDS:
        raise UserError(f"expected a kind of component, one of {', '.join(KINDS)}, got {kind!r}")
    cls = component if isinstance(component, type) else type(component)
    suite = next((suite for suite in _SUITES if suite.kind == kind and issubclass(cls, suite.contract)), None)
    make = _maker(component)
    first: list[Run] = [constructible, _contract(kind, suite), documented, members_are_asked_for]
    if suite is None:
        return named(first, make, ("constructible", "meets_a_contract"))
    modules: list[Run] = [registers_its_tensors, restores_its_state_dict] if issubclass(cls, nn.Module) else []
    common = [run for run in common_runs(suite.exercise) if suite.kind != "envs" or run.__name__ not in _ENVS_SAY]
    runs = [*first, *modules, *common, *suite.runs]
    return named(runs, make, ("constructible", "meets_a_contract", *suite.basic))


def check(kind: str, component: Any) -> list[Finding]:
    """Run all checks of a component; where it cannot be made, that is the only finding.

    Where a basic check fails, those that make no sense without it are skipped, as "not tried".
    """
    every = checks(kind, component)
    first = every[0].finding
    return [each.finding for each in every] if first.passed else [first]


def checks_for(
    component: Any, *, kind: str | None = None, expected_failures: Mapping[str, str] | None = None
) -> Callable[[Test], Test]:
    """Turn a test with the parameter `check` into one test per check of a class or an instance.

    `kind` is found from what it is. `expected_failures` maps names of checks to the reason why they fail; such a test
    fails when the check begins to pass. Raises UserError for what is no component and for checks there are not.
    """
    cls = component if isinstance(component, type) else type(component)
    found = kind or next((suite.kind for suite in _SUITES if issubclass(cls, suite.contract)), None)
    if found is None:
        contracts = ", ".join(sorted(suite.contract.__name__ for suite in _SUITES))
        raise UserError(f"{cls.__name__} is no component: derive it from one of {contracts}, or say its kind")
    return pytest_parameters(checks(found, component), expected_failures or {})


def _maker(component: Any) -> Make:
    """Copies of an instance; of a class what `example()`, `from_env(environment)` or its constructor makes."""
    if not isinstance(component, type):
        return partial(deepcopy, component)
    if isinstance(component, Example):
        return component.example
    if issubclass(component, Learner):
        return partial(learners.for_model, component)
    needs = [each.name for each in _parameters(component) if each.default is each.empty]
    if needs and set(needs) <= set(PARTS):
        return lambda: component(**{name: PARTS[name]() for name in needs})
    if needs and isinstance(component, FromEnvironment):
        return lambda: component.from_env(as_environment(TwoPlaces))
    return component


def _parameters(component: type) -> list[inspect.Parameter]:
    try:
        named = inspect.signature(component).parameters.values()
    except (TypeError, ValueError):  # a class without a signature to read takes none
        return []
    return [each for each in named if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _contract(kind: str, suite: _Suite | None) -> Run:
    """It is what its kind asks for."""

    def meets_a_contract(make: Make) -> None:
        if suite is not None:
            return
        expected: Sequence[str] = [each.contract.__name__ for each in _SUITES if each.kind == kind]
        got = type(make()).__name__
        if kind in ("energies", "optimizers"):  # parts of other components live there too
            raise NotApplicable(f"a {got} is none of {', '.join(expected)}: there is no contract to check it against")
        raise AssertionError(f"expected a subclass of {' or '.join(expected)}, got {got}")

    return meets_a_contract
