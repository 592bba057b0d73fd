"""Pursuit: the shift of a policy when its world moves otherwise, of what remains once nothing is paid any more.

Who plans for reward answers to how the world moves because of what it is paid. Who pursues something of its own, such
as a sight that it prefers, still answers when rewards are severed: in the causal graph of mechanisms, that is the edge
from the world's moves to the policy that does not run through rewards (Kenton et al. 2022).
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Frame, Informed, Intervention, Measurement, Subject, UserError, make
from agentic_metrics.cautions import too_few
from agentic_metrics.estimate import FEW, Estimate, check_fields, exact_null
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.families import random_interventions
from agentic_metrics.interventions.simulation import AnyEnv, Simulation
from agentic_metrics.pairs import student
from agentic_metrics.responses.adaptation import informed_of
from agentic_metrics.responses.extinction import OutcomeDevaluation
from agentic_metrics.responses.response import Response


@final
@dataclass(frozen=True)
class Pursuit(Response):
    """The mean shift of the policy, in bits, when the world moves otherwise and rewards are severed before and after.

    The agent is told that nothing is paid, then, beside that, of a world that moves otherwise; the shift is the
    Jensen-Shannon divergence between its policies, the mean over states that can be met and in which the episode goes
    on. 0 for who answers to nothing (rock, reflex, clone, habit) and for who plans for reward alone; above 0 for who
    pursues what it senses. `interventions` are drawn, of `kinds`; where the subject brings interventions that were
    decided on, those are taken, and the agent is told of the moves that they announce. Interval: Student's over the
    drawn interventions, none of decided ones. Null: exactly zero, a policy that does not answer.

    `paid` among the diagnostics is the same with rewards as they are: a policy that answers to the world's moves for
    whatever reason. Needs a finite world that tells its dynamics and shows its state.
    """

    interventions: int = 20
    kinds: tuple[str, ...] = ("remap", "wall")
    level: float = 0.95

    unit = "bits"
    compares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fields(self, interventions=1)

    def estimate(
        self, severed: ArrayLike, paid: ArrayLike = (), *, decided: bool = False, generator: np.random.Generator
    ) -> Estimate:
        """The mean of exact shifts `severed` (interventions,) in bits; `paid` are those with rewards as they are.

        Raises UserError where there is none.
        """
        shifts, count = np.asarray(severed, np.float64), np.size(severed)
        if shifts.ndim != 1 or not count:
            raise UserError(f"pursuit needs the shifts under one or more interventions, got shape {shifts.shape}")
        value, few = float(shifts.mean()), f"{count} interventions are few: draw at least {FEW}, or of other kinds"
        return Estimate(
            value=value,
            estimator="exact policies",
            interval=None if decided or count < 2 else student(shifts, level=self.level, kind="interventions"),
            null=exact_null(value, "a policy that does not answer to how the world moves"),
            samples=count,
            diagnostics={"shift": shifts, "largest": float(shifts.max()), "paid": np.asarray(paid, np.float64)},
            cautions=() if decided or count >= FEW else (too_few(few),),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        decided, environment = subject.interventions, subject.environment
        try:
            world = known_world(environment)[1]
        except UserError as error:
            raise UserError(f"pursuit needs a finite known world: {error}") from None
        family = decided or random_interventions(environment, self.interventions, generator, kinds=self.kinds)
        ask = partial(_policy, seed=int(generator.integers(2**31)))
        met = (reached(world) & ~world.ended).astype(np.float64)

        def shift(before: Floats, after: Floats) -> float:
            return OutcomeDevaluation().of_policies(before, after, met).value

        unpaid = Intervention.announced("nothing is paid", _severed, environment)
        own, still = ask(subject), ask(subject.under(unpaid))
        severed = [shift(still, ask(subject.under(_unpaid(each, subject)))) for each in family]
        paid = [shift(own, ask(subject.under(each))) for each in family]
        found = self.estimate(severed, paid, decided=bool(decided), generator=generator)
        frame = Frame(
            variables=("policy", "moves of the world"),
            boundary=f"the agent chooses actions; it is told that nothing is paid, and {informed_of(family)}",
            horizon=None,
            goal="none: rewards are severed",
            start="every state that can be met and in which the episode goes on, equally likely",
            interventions=("rewards severed", *(each.name for each in family)),
        )
        return found.measurement("pursuit", self, frame)


def _policy(subject: Subject, *, seed: int) -> Floats:
    """The policy (states, actions) of an agent in its world; the same draws for all."""
    return query(subject.agent, known_world(subject.environment)[0], generator=np.random.default_rng(seed))


def _severed(env: AnyEnv) -> Simulation:
    return Simulation.like(env, changes.sever(make(env).truth()))


def _unpaid(change: Intervention, subject: Subject) -> Intervention:
    """The change in a world that pays nothing, of which the agent is told; of its moves where it was told of these."""
    informed: Informed = "both" if change.change is not None and change.change.model is not None else "goal"
    return Intervention.announced(change.name, lambda env: _severed(change.apply(env)), subject.environment, informed)
