'''Hook specifications, the whole extension surface on one screen: a hook per kind of component, and one for defaults.

A plugin marks a function `agentic_<kind>` with `hookimpl`; it takes no arguments and returns a mapping from short
name to a class or, so that starting the command line stays fast, to a `"module:Class"` string that is imported on
first use. Names match `[a-z][a-z0-9_-]*` and are unique per kind. Kinds: energies, optimizers, metrics, agents, envs,
loggers.
`agentic_defaults` is asked of an environment, what to run in it.

A complete plugin, saved as `my_energy.py` and used with `--plugin my_energy.py`:

>>> from agentic import hookimpl
>>> class Spring:
...     """1/2 stiffness z^2, in nats."""
...     def __init__(self, stiffness=1.0):
...         self.stiffness = stiffness
...     def __call__(self, x, z):
...         return self.stiffness * z**2 / 2
>>> @hookimpl
... def agentic_energies():
...     return {"spring": Spring, "pendulum": "my_package.pendulum:Pendulum"}
>>> sorted(agentic_energies())
['pendulum', 'spring']

An installed plugin names its module in its own pyproject.toml, `[project.entry-points.agentic]`, `any_name = "module"`.
'''

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from agentic.environments.environment import Environment
    from agentic.experiments.proposals import Proposal

_NAMES = {  # where the contracts of each kind are, and their names, the narrower before the wider
    "energies": ("agentic", "Model ActionGoal Goal Gain PopulationEnergy Conditional Energy"),
    "optimizers": ("agentic", "Learner Loss Backup Quadrature Selection Sampler Minimizer"),
    "metrics": ("agentic", "Metric"),
    "agents": ("agentic", "Agent"),
    "envs": ("gymnasium", "Wrapper Env"),
    "loggers": ("agentic", "Logger"),
}
CONTRACTS = {kind: [f"{home}.{name}" for name in names.split()] for kind, (home, names) in _NAMES.items()}
KINDS = tuple(CONTRACTS)
DEFAULTS = "defaults"  # what a plugin proposes is no component

hookspec = pluggy.HookspecMarker("agentic")
hookimpl = pluggy.HookimplMarker("agentic")

Offer = Mapping[str, type | str]


@hookspec
def agentic_energies() -> Offer:  # type: ignore[empty-body]
    """Models, goals, gains and energies: subclasses of `Model`, `Goal`, `Gain`, `Energy` or `PopulationEnergy`.

    >>> @hookimpl
    ... def agentic_energies():
    ...     return {"spring": "my_package.spring:Spring"}
    """


@hookspec
def agentic_optimizers() -> Offer:  # type: ignore[empty-body]
    """Solvers and their parts: `Minimizer`, `Sampler`, `Learner`, `Loss`, `Backup`, `Quadrature`, `Selection`.

    >>> @hookimpl
    ... def agentic_optimizers():
    ...     return {"descent": "my_package.descent:Descent"}
    """


@hookspec
def agentic_metrics() -> Offer:  # type: ignore[empty-body]
    """Metrics: classes that declare what they look at and return a Measurement.

    >>> @hookimpl
    ... def agentic_metrics():
    ...     return {"mean-reward": "my_package.reward:MeanReward"}
    """


@hookspec
def agentic_agents() -> Offer:  # type: ignore[empty-body]
    """Agents: classes with `start` and `decide`.

    >>> @hookimpl
    ... def agentic_agents():
    ...     return {"still": "my_package.still:Still"}
    """


@hookspec
def agentic_envs() -> Offer:  # type: ignore[empty-body]
    """Environments: Gymnasium classes, `gymnasium.Env`.

    >>> @hookimpl
    ... def agentic_envs():
    ...     return {"corridor": "my_package.corridor:Corridor"}
    """


@hookspec
def agentic_loggers() -> Offer:  # type: ignore[empty-body]
    """Loggers: where the numbers of a run go while it goes on.

    >>> @hookimpl
    ... def agentic_loggers():
    ...     return {"printer": "my_package.printer:Printer"}
    """


@hookspec
def agentic_defaults(environment: "Environment") -> "Proposal | None":
    """An experiment for an environment that no example was made for; None from who has none for it.

    The highest score is taken, the first by name among equals. `environment` is there to be looked at: its spaces,
    its truth where that is known, and its `copies`.

    >>> from agentic import Proposal
    >>> @hookimpl
    ... def agentic_defaults(environment):
    ...     if environment.id == "Cave-v0":
    ...         return Proposal(0.8, "in a cave, who stays stays dry", {"agent": {"name": "rock"}})
    """
