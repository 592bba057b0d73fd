"""Where a decision of the continuous agent spends its processor time: perceiving, model, terminal energy, search, rest.

An agent learns a little, is sealed, and plays; every stage is timed by a clock of the process's own time. Run with
`python -m benchmarks.stages Pendulum-v1 CartPole-v1`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import torch

from agentic import EnergyAgent, Experiment, Schedule, build, load, run
from agentic_energies.cost_to_go import CostToGoNetworks
from agentic_energies.ensemble_network import EnsembleTransition
from agentic_optimizers.sampling import Sampling

FILE = Path(__file__).parents[1] / "examples" / "continuous.toml"
STAGES = {
    "belief": (EnergyAgent, "perceive"),
    "search": (Sampling, "run"),
    "model": (EnsembleTransition, "course"),
    "terminal": (CostToGoNetworks, "forward"),
}
COPIES = (1, 10, 16, 256)


class Clock:
    """The processor seconds spent in each stage."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys(STAGES, 0.0)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            begun = process_time()
            try:
                return call(*arguments, **named)
            finally:
                self.spent[name] += process_time() - begun

        return timed


def learned(id: str) -> EnergyAgent:
    """An agent of the example that has learned from 150 steps of a world."""
    built = build(Experiment.load(FILE, [f"env.id={id}"]), load())
    run(built.agent, built.environment, Schedule(0, 150, 100, 16, True), seed=0)
    agent = built.agent.sealed()
    assert isinstance(agent, EnergyAgent)
    return agent


def measure(agent: EnergyAgent, id: str, copies: int) -> dict[str, float]:
    """Milliseconds of processor time per decision and environment, by stage."""
    rows = build(Experiment.load(FILE, [f"env.id={id}", f"run.envs={copies}"]), load()).environment
    clock, plain = Clock(), {name: getattr(owner, method) for name, (owner, method) in STAGES.items()}
    for name, (owner, method) in STAGES.items():
        setattr(owner, method, clock.around(name, plain[name]))
    begun = process_time()
    try:
        record = run(agent, rows, Schedule(episodes=copies), seed=5)
    finally:
        for name, (owner, method) in STAGES.items():
            setattr(owner, method, plain[name])
    whole, count = process_time() - begun, len(record.table(["t"]))
    spent = clock.spent
    search = spent["search"] - spent["model"] - spent["terminal"]
    rest = whole - spent["belief"] - spent["search"]
    parts = {**spent, "search": search, "world, accounts, record": rest, "all": whole}
    return {name: 1e3 * part / count for name, part in parts.items()}


def main(ids: Sequence[str]) -> None:
    torch.set_num_threads(1)
    for id in ids:
        agent = learned(id)
        measure(agent, id, 1)
        for copies in COPIES:
            parts = measure(agent, id, copies)
            print(f"{id}, {copies}: " + ", ".join(f"{name} {part:.3f}" for name, part in parts.items()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["Pendulum-v1"])
