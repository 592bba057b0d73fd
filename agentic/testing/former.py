"""Checks for members that contracts once had: whoever still writes one is told where it went."""

from agentic.agents.agent import Agent
from agentic.engine.energy import Encoder, Energy, LeastSquares
from agentic.engine.minimizer import Minimizer
from agentic.learning.learner import Conjugate, Hindsight, Trainable
from agentic.models.model import Model, UncertainWeights
from agentic.testing.kit import Make

BASES: tuple[tuple[type, str, type], ...] = (  # members that count only where another contract is among the bases
    (Energy, "start", Encoder),
    (Energy, "residuals", LeastSquares),
    (Model, "start", Encoder),
    (Model, "parameter_gain", UncertainWeights),
    (Model, "initial_belief", UncertainWeights),
    (Model, "condition", Conjugate),
    (Model, "condition_on", Hindsight),
    (Model, "dataset", Trainable),
)
NAMES: tuple[tuple[type, str, str], ...] = (  # members under the names they had
    (Agent, "told", "informed(change)"),
    (Model, "outset", "initial_belief(belief), with agentic.UncertainWeights among its bases"),
    (Model, "survive", "alive(z), the probability that the episode goes on"),
    (Model, "proposal", "start(obs), with agentic.Encoder among its bases"),
    (Model, "absorb", "condition(tick), with agentic.Conjugate among its bases"),
    (Model, "digest", "dataset(replay), with agentic.Trainable among its bases"),
    (Model, "misfit_gradient", "swapped() of its observation"),
    (Model, "misfit_hessian", "swapped() of its observation"),
    (Energy, "kick", "gradient(x, z)"),
    (Minimizer, "belief", "solution(f, iterate)"),
    (Minimizer, "value", "solution(f, iterate)"),
    (Minimizer, "diagnostics", "solution(f, iterate)"),
    (Minimizer, "leap", "run(f, iterate, steps)"),
    (Minimizer, "unroll", "run(f, iterate, steps)"),
)


def members_are_asked_for(make: Make) -> None:
    """A component has no member under a name, or without a base, that only earlier versions asked for."""
    kind = type(make())
    for contract, name, base in BASES:
        if issubclass(kind, contract) and name in dir(kind):
            assert issubclass(kind, base), f"nobody asks for its {name}: derive it from agentic.{base.__name__} as well"
    for contract, name, now in NAMES:
        if issubclass(kind, contract):
            assert name not in dir(kind), f"nobody asks for its {name}: it is {now} now"
