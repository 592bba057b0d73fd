"""Agents and policies made in Python and kept in a file, so that processes of a bench can have them."""

import pickle as pickles
from pathlib import Path
from typing import Any, ClassVar, final

from gymnasium.spaces import Discrete

from agentic import Agent, Environment, PolicyAgent, UserError
from agentic.environments import layout
from agentic.errors import BREAKS, described


@final
class Pickled:
    """An agent, something with `predict(obs)` or a function from observation to action, as `cloudpickle` wrote it.

    `pickle` is the file, relative to the current folder; `agentic.bench` writes one for every object it is given. A
    pickle can run any code when it is loaded: name only files whose maker you trust. Raises UserError where there is no
    such file, or nothing in it that acts.
    """

    reference: ClassVar[bool] = False

    @classmethod
    def example(cls) -> Agent:
        """The agent of a function that sees one of two places and goes there."""
        two = Discrete(2)
        return PolicyAgent(_following, layout(two, "what it sees"), layout(two, "what it does"))

    @classmethod
    def from_env(cls, env: Environment, pickle: str) -> Agent:
        """The agent in the file `pickle`; a policy as one in the spaces of `env`."""
        if not Path(pickle).is_file():
            raise UserError(f"there is no file {pickle}: it is relative to the current folder")
        try:
            with open(pickle, "rb") as file:
                found = pickles.load(file)
        except BREAKS as error:  # whatever unpickling a file of another kind comes to
            raise UserError(f"{pickle} cannot be read as a pickled agent, {described(error)}") from error
        return _agent(found, env, pickle)


Agent.register(Pickled)  # what it makes is one


def _agent(found: Any, env: Environment, path: str) -> Agent:
    if isinstance(found, Agent):
        return found
    if isinstance(found, type) or not (callable(found) or hasattr(found, "predict")):
        raise UserError(f"{path} holds a {type(found).__name__}; expected an agent, a policy or a function")
    return PolicyAgent(found, env.observation_layout, env.action_layout)


def _following(obs: Any) -> int:
    return int(obs)
