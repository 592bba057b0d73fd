"""One planning call on a pendulum whose model is known: ours against pytorch-mppi, mbrl-lib and torchrl.

The same dynamics (dt = 0.05), costs, horizon, candidates and first deviation for all, float32. A peer that plans for a
single environment is called in a loop. Peers are skipped where they are not installed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import pi
from typing import Any, final

import torch
from rich.table import Table
from torch import Tensor

from agentic import Belief, Box, ExpectedEnergy, Goal, Model, Point, Purpose, Real, Sequence, Step, minimize
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.mppi import Mppi
from benchmarks import planning_peers as peers
from benchmarks.pendulum import ELITES, FORCE, HORIZON, ROUNDS, SMOOTHING, Case, cost, moved
from benchmarks.report import spread
from benchmarks.sample import Sample, seconds, side_by_side

COUNTS, ENVIRONMENTS = (512, 4096), (1, 16, 256)
LOOPED = 16  # environments that a loop is measured with at most; the time of more is scaled from it
LONG = 0.05  # seconds of calls that one repeat times
PEERS = {"mppi": ("pytorch-mppi",), "cem": ("mbrl-lib", "torchrl")}

Task = Callable[[], Tensor]  # plans, and returns the actions (environments, HORIZON, 1), or the first ones


@final
class Pendulum(Model):
    """The same as a model of ours, without noise; its latent (angle, speed) lies in memory component by component."""

    def __init__(self) -> None:
        super().__init__()
        self.latent, self.outcome = Real((2,)), Real((2,))
        self.action = Box(torch.tensor([-FORCE]), torch.tensor([FORCE]))

    def predict(self, belief: Belief, action: Tensor) -> Point:
        angle, speed = moved(belief.mean[..., 0], belief.mean[..., 1], action[..., 0])
        return Point(torch.stack([angle, speed]).movedim(0, -1))

    def emit(self, belief: Belief) -> Belief:
        return belief

    def ambiguity(self, belief: Belief) -> Tensor:
        return torch.zeros_like(belief.mean[..., 0])


@final
class Charge(Goal):
    """What is charged after each step."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return cost(x[..., 0], x[..., 1], z[..., 0])

    def expected(self, model: Model, step: Step) -> Tensor:
        return self(step.after.mean, step.action)


@final
@dataclass(frozen=True)
class Measured:
    """One case: microseconds a planning call takes in each package, and the mean energy of the plans it found.

    `scaled` are the packages measured with `LOOPED` environments only. `apart` is how far a peer's plan is from ours
    after one round on the same noise; None where that cannot be asked.
    """

    case: Case
    taken: dict[str, Sample]
    energy: dict[str, float]
    scaled: tuple[str, ...]
    apart: float | None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        ours = self.taken["ours, compiled"]
        peers = {name: each for name, each in self.taken.items() if not name.startswith("ours")}
        return {
            **self.case._asdict(),
            "microseconds": {name: taken.plain() for name, taken in self.taken.items()},
            "energy": self.energy,
            "peer_over_ours_compiled": {name: each.over(ours).plain() for name, each in peers.items()},
            "scaled": list(self.scaled),
            "apart": self.apart,
        }


def measure(quick: bool, repeats: int) -> list[Measured]:
    """Every case; only the smaller ones if quick."""
    counts, environments = (COUNTS[:1], ENVIRONMENTS[:2]) if quick else (COUNTS, ENVIRONMENTS)
    return [_measure(Case(m, k, b), repeats) for m in PEERS for k in counts for b in environments]


def missing() -> list[str]:
    """The peers that are not installed."""
    case = Case("mppi", 4, 1)
    return [
        name for method, names in PEERS.items() for name in names if _peer(name, case._replace(method=method)) is None
    ]


def _measure(case: Case, repeats: int) -> Measured:
    model, purpose = Pendulum(), Purpose(Charge(), HORIZON)
    f = ExpectedEnergy(model, Point(_states(case.environments)), purpose)
    solver = _ours(case)
    tasks = {"ours, eager": _planning(f, solver), "ours, compiled": _planning(f, replace(solver, compile=True))}
    scaled = []
    for name in PEERS[case.method]:
        peer = _peer(name, case)
        if peer is not None:
            tasks[name] = peer
            if _looped(name, case) < case.environments:
                scaled.append(name)
    plans = {name: task() for name, task in tasks.items()}
    energy = {name: _energy(f, actions) for name, actions in plans.items() if actions.dim() == 3}
    factors = {
        name: case.environments / (_looped(name, case) if name in scaled else case.environments) for name in tasks
    }
    works = {name: partial(_micros, task, factors[name]) for name, task in tasks.items()}
    apart = _apart(f, case) if "pytorch-mppi" in tasks else None
    return Measured(case, side_by_side(works, repeats), energy, tuple(scaled), apart)


def _states(environments: int) -> Tensor:
    """Angles around hanging down, and speeds."""
    source = torch.Generator().manual_seed(7)
    return torch.tensor([pi, 0.0]) + 0.5 * torch.randn(environments, 2, generator=source)


def _ours(case: Case) -> Mppi | CrossEntropy:
    if case.method == "mppi":
        return Mppi(samples=case.count)
    return CrossEntropy(samples=case.count, elites=round(ELITES * case.count), steps=ROUNDS, smoothing=SMOOTHING)


def _planning(f: ExpectedEnergy, solver: Mppi | CrossEntropy) -> Task:
    """Plan from where the last call ended, one step on."""
    draws = torch.Generator().manual_seed(0)
    plans: list[Any] = [None]

    def plan() -> Tensor:
        found = minimize(ExpectedEnergy(f.model, f.belief, f.purpose), solver, plans[0], generator=draws).belief
        assert isinstance(found, Sequence)
        plans[0] = found.shifted()
        return found.actions[0]

    return plan


def _energy(f: ExpectedEnergy, actions: Tensor) -> float:
    """The mean energy of plans for some of the environments."""
    with torch.no_grad():
        return float(f.at(Point(f.belief.mean[: len(actions)]))(actions).mean())


def _micros(task: Task, factor: float) -> float:
    task()
    calls = max(1, int(LONG / seconds(task)))

    def several() -> None:
        for _ in range(calls):
            task()

    with torch.no_grad():
        return factor * 1e6 * seconds(several) / calls


def _looped(name: str, case: Case) -> int:
    """How many environments a package is measured with."""
    return case.environments if name in ("torchrl", "ours, eager", "ours, compiled") else min(case.environments, LOOPED)


def _peer(name: str, case: Case) -> Task | None:
    """A peer's planner on the states of the case; None where it is not installed."""
    return peers.task(name, case, _states(case.environments)[: _looped(name, case)])


def table(measured: list[Measured]) -> Table:
    """Times, how many times ours a peer takes, and whether the same was found."""
    absent = "".join(f"\n{name} is not installed: skipped." for name in missing())
    made = Table(
        title=f"Planning: a pendulum of {HORIZON} steps; MPPI of one round, CEM of {ROUNDS} with {ELITES:.0%} elites",
        caption=f"us per call, all environments: median (min-max). Ratio: the peer's over ours. * called with {LOOPED} "
        "environments in a loop and scaled.\nEnergy: mean of the plans in the end, nats. Apart: the peer's plan from "
        f"ours on the same noise.{absent}",
        title_justify="left",
        caption_justify="left",
    )
    for name in ("method", "candidates", "environments", "package"):
        made.add_column(name)
    for name in ("us", "over eager", "over compiled", "energy", "apart"):
        made.add_column(name, justify="right")
    for each in measured:
        for row, (name, taken) in enumerate(each.taken.items()):
            case = (each.case.method, f"{each.case.count:,}", str(each.case.environments)) if not row else ("", "", "")
            ours = [each.taken[mine] for mine in ("ours, eager", "ours, compiled")]
            ratios = ["-", "-"] if name.startswith("ours") else [spread(taken.over(one)) for one in ours]
            energy = f"{each.energy[name]:.1f}" if name in each.energy else "-"
            apart = f"{each.apart:.0e}" if name == "pytorch-mppi" and each.apart is not None else "-"
            made.add_row(*case, f"{name}{' *' * (name in each.scaled)}", spread(taken), *ratios, energy, apart)
        made.add_section()
    return made


def _apart(f: ExpectedEnergy, case: Case) -> float:
    """How far one path integral step of the peer is from ours on the same perturbations of a plan of zeros."""
    one = f.at(Point(f.belief.mean[:1]))
    solver = Mppi(samples=case.count)
    state = solver.init(one, None).memory
    noise = state.space.noise(case.count, state.mean, 0.0, 1, torch.Generator().manual_seed(3))
    steps = torch.cat([torch.zeros_like(noise[:, :1]), noise, -noise], 1)[:, : case.count, 0]
    with torch.no_grad():
        ours = solver.improve(one, state, noise, True).mean[:, 0]
        return float((peers.one_step(f.belief.mean[0], steps.movedim(0, 1)) - ours).abs().max())
