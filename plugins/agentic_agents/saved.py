"""A policy that was trained elsewhere and saved: the files of Stable-Baselines3."""

from functools import cache
from logging import getLogger
from pathlib import Path
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import Agent, Decision, Environment, PolicyAgent, UserError, make

ALGORITHMS = ("A2C", "DDPG", "DQN", "PPO", "SAC", "TD3")


@final
class SavedPolicy(Agent):
    """A saved policy of Stable-Baselines3, which acts as it predicts, without noise; its probabilities are the policy.

    `path` is the file that `model.save` wrote, relative to the current folder; `algorithm` the name of its class.
    Raises UserError where package, file or algorithm is missing, or where it was trained in other spaces.
    """

    unchanged = ("policy",)  # its file stays where it is

    def __init__(self, policy: PolicyAgent) -> None:
        self.policy, self.outcome, self.action = policy, policy.observation.domain, policy.action.domain

    @classmethod
    def example(cls) -> Self:
        """The agent of a function in the place of a saved policy."""
        env = make("CartPole-v1")
        return cls(PolicyAgent(_pushing, env.observation_layout, env.action_layout))

    @classmethod
    def from_env(cls, env: Environment, path: str, algorithm: str = "PPO") -> Self:
        model = _loaded(path, algorithm)
        seen, done = env.observation_layout, env.action_layout
        pairs = (("observations", model.observation_space, seen.space), ("actions", model.action_space, done.space))
        for name, its, ours in pairs:
            if its != ours:
                raise UserError(f"{path} was trained on {name} in {its}, {env.id} has {ours}: choose another file")
        return cls(PolicyAgent(model, seen, done))

    def start(self, batch: int, *, generator: torch.Generator) -> Any:
        return self.policy.start(batch, generator=generator)

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return self.policy.decide(state, obs, generator=generator)


def _loaded(path: str, algorithm: str) -> Any:
    try:
        import stable_baselines3
    except ImportError as error:
        said = " ".join(str(error).split())
        raise UserError(f"no saved policy can be read here ({said}): pip install 'agentic[sb3]'") from None
    if algorithm not in ALGORITHMS:
        raise UserError(f"algorithm = {algorithm!r} is not one of Stable-Baselines3's {', '.join(ALGORITHMS)}")
    if not (Path(path).is_file() or Path(f"{path}.zip").is_file()):
        raise UserError(f"no saved policy at {path}: give the file that model.save wrote, from the current folder")
    _warn(path)
    try:
        return getattr(stable_baselines3, algorithm).load(path, device="cpu")
    except Exception as error:  # whatever unpickling a file of another kind comes to
        said = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as a policy of {algorithm} ({said}): name its own class") from error


@cache
def _warn(path: str) -> None:
    """Once for each file, on standard error where nobody listens to the log."""
    risk = "a pickle, which can run any code when it is loaded: load only files whose maker you trust"
    getLogger("agentic").warning("warning: %s holds %s", path, risk)


def _pushing(obs: Any) -> int:
    return int(obs[2] > 0)
