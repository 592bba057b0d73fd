"""Negative feedback on one sensor, which keeps a quantity near a setpoint without a model."""

from typing import Self, final

import torch
from torch import Tensor

from agentic import Decision, Domain, Environment, Simplex, UserError
from agentic_agents.lookup import Stateless, choices, fixed


@final
class Thermostat(Stateless):
    """A proportional controller with a dead band: x is driven toward `setpoint`, and left where it is within `band`.

    The dead band is |x - setpoint| <= band. The reading x is the component `sensor` of a box, or the index of a
    discrete observation (of its factor `sensor`). On a box of actions, u = -gain (x - setpoint), 0 in the band,
    projected on the box; `gain` is one number or one for each component. Of discrete actions, the indices `cold`,
    `rest` and `hot` are taken below, in and above the band; without `rest`, `cold` is taken at the setpoint too.

    Raises UserError for a sensor or an action that the environment lacks, and for a band without `rest`.
    """

    def __init__(
        self, outcome: Domain, action: Domain, *, sensor: int, setpoint: float, band: float, response: Tensor
    ) -> None:
        self.outcome, self.action = outcome, action
        self.sensor, self.setpoint, self.band, self.response = sensor, setpoint, band, response

    @classmethod
    def from_env(
        cls,
        env: Environment,
        sensor: int = 0,
        setpoint: float = 0.0,
        band: float = 0.0,
        gain: float | tuple[float, ...] = 1.0,
        cold: int = 0,
        rest: int | None = None,
        hot: int = 1,
    ) -> Self:
        seen = env.observation
        sensors = len(seen.sizes) if isinstance(seen, Simplex) else seen.size
        if not 0 <= sensor < sensors:
            raise UserError(f"sensor = {sensor} is not one of the {sensors} sensors of {env.id}, counted from 0")
        if band < 0 or (band > 0 and rest is None and isinstance(env.action, Simplex)):
            raise UserError(f"in the band = {band} it rests: give a band of at least 0, and rest = the action there")
        response = _indices(env.action, (cold, cold if rest is None else rest, hot))
        if response is None:
            response = torch.atleast_1d(torch.tensor(gain, dtype=torch.float64))
            if len(response) not in (1, env.action.size):
                raise UserError(f"gain needs 1 or {env.action.size} numbers for {env.action}, got {len(response)}")
        return cls(seen, env.action, sensor=sensor, setpoint=setpoint, band=band, response=response)

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        seen = self.outcome.indices(obs) if isinstance(self.outcome, Simplex) else obs
        error = seen[:, self.sensor].double() - self.setpoint
        error = torch.where(error.abs() <= self.band, 0.0, error)
        if isinstance(self.action, Simplex):
            return fixed(self.response[error.sign().long() + 1], self.action, obs)
        push = (-error[:, None] * self.response).expand(len(obs), self.action.size)
        return fixed(self.action.project(push.reshape(-1, *self.action.event)), self.action, obs)


def _indices(domain: Domain, indices: tuple[int, int, int]) -> Tensor | None:
    """The actions below, in and above the band, one-hot (3, actions); None where actions are numbers."""
    if not isinstance(domain, Simplex):
        return None
    size = choices(domain)
    if not all(0 <= index < size for index in indices):
        raise UserError(f"cold, rest and hot must be indices of the {size} actions, counted from 0, got {indices}")
    return torch.eye(size, dtype=torch.float64)[list(indices)]
