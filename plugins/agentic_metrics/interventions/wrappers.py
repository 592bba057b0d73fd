"""Changes of a known finite world as wrappers, so that experiments can name them: other pay, walls, slips, noise.

Each is lived in as a simulation of the changed truth, whatever environment was inside. They record their arguments, so
that a spec of the changed environment can be pickled and made again.
"""

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, final

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from agentic import Truth, make
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.battery import FENCE, HORIZON, battery_truth
from agentic_metrics.interventions.simulation import AnyEnv, Simulation


class ChangedWorld(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs, ABC):
    """The world `change(truth of env, **arguments)`, simulated, with the spaces and the step limit of `env`.

    `env` is closed; `unwrapped` is the simulation. Raises UserError where the truth of `env` is not known, or lacks
    what is to be changed.
    """

    shown: ClassVar[Mapping[str, Any]]

    def __init__(self, env: AnyEnv, change: Callable[..., Truth], **arguments: Any) -> None:
        RecordConstructorArgs.__init__(self, **arguments)
        gymnasium.Wrapper.__init__(self, env)
        self._cached_spec = self.spec  # of the world that was inside: a simulation has none
        self.env = Simulation.like(env, change(make(env).truth(), **arguments))

    def true_model(self) -> Truth:
        """The changed truth."""
        return make(self.env).truth()

    @classmethod
    def example(cls) -> Self:
        """The change `shown` of the world of the battery, for the conformance kit."""
        return cls(Simulation(battery_truth(), steps=HORIZON), **cls.shown)


@final
class Swap(ChangedWorld):
    """The world whose places that paid `one` pay `other`, and the other way round."""

    shown: ClassVar = {"one": 1.0, "other": 0.6}

    def __init__(self, env: AnyEnv, one: float, other: float) -> None:
        super().__init__(env, changes.swap, one=one, other=other)


@final
class Devalue(ChangedWorld):
    """The world whose places that paid `outcome` pay `value`."""

    shown: ClassVar = {"outcome": 1.0}

    def __init__(self, env: AnyEnv, outcome: float, value: float = 0.0) -> None:
        super().__init__(env, changes.devalue, outcome=outcome, value=value)


@final
class Relocate(ChangedWorld):
    """The world in which two places exchange pay: states, or state * actions + action where doing is paid for.

    `place` and `other` are those two, counted from 0.
    """

    shown: ClassVar = {"place": 24, "other": 0}

    def __init__(self, env: AnyEnv, place: int, other: int) -> None:
        super().__init__(env, changes.relocate, place=place, other=other)


@final
class Free(ChangedWorld):
    """The world in which `outcome` comes for free: whatever is done pays it as probably as the best action does."""

    shown: ClassVar = {"outcome": 1.0}

    def __init__(self, env: AnyEnv, outcome: float) -> None:
        super().__init__(env, changes.free, outcome=outcome)


@final
class Sever(ChangedWorld):
    """The world in which nothing is paid."""

    shown: ClassVar = {}

    def __init__(self, env: AnyEnv) -> None:
        super().__init__(env, changes.sever)


@final
class Wall(ChangedWorld):
    """The world in which moves along `passages` (from state, to state) become staying, each way apart."""

    shown: ClassVar = {"passages": FENCE}

    def __init__(self, env: AnyEnv, passages: Sequence[tuple[int, int]]) -> None:
        super().__init__(env, changes.wall, passages=passages)


@final
class Close(ChangedWorld):
    """The world with a wall in place of `state`: moves into it become staying."""

    shown: ClassVar = {"state": 12}

    def __init__(self, env: AnyEnv, state: int) -> None:
        super().__init__(env, changes.close, state=state)


@final
class Slip(ChangedWorld):
    """The world in which with `probability` the action is replaced by one drawn uniformly from all."""

    shown: ClassVar = {"probability": 0.2}

    def __init__(self, env: AnyEnv, probability: float) -> None:
        super().__init__(env, changes.slip, probability=probability)


@final
class Blur(ChangedWorld):
    """The world in which with `probability` a sensor shows a level drawn uniformly from all of its modality."""

    shown: ClassVar = {"probability": 0.2}

    def __init__(self, env: AnyEnv, probability: float) -> None:
        super().__init__(env, changes.blur, probability=probability)
