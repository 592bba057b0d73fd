"""The one list of public names and their homes, read by `__init__.py` and by type checkers."""

from agentic.agents.agent import Agent as Agent, Change as Change
from agentic.agents.energy_agent import EnergyAgent as EnergyAgent
from agentic.agents.policy_agent import PolicyAgent as PolicyAgent
from agentic.agents.selection import Greedy as Greedy, Selection as Selection, Softmax as Softmax
from agentic.agents.tabular import (
    state_observations as state_observations,
)
from agentic.engine.belief import (
    Belief as Belief,
    Categorical as Categorical,
    Gaussian as Gaussian,
    Particles as Particles,
    Point as Point,
)
from agentic.engine.domain import Box as Box, Domain as Domain, Real as Real, Repeated as Repeated, Simplex as Simplex
from agentic.engine.draws import (
    Quadrature as Quadrature,
)
from agentic.engine.energy import (
    ClosedForm as ClosedForm,
    Conditional as Conditional,
    Encoder as Encoder,
    Energy as Energy,
    LeastSquares as LeastSquares,
    PopulationEnergy as PopulationEnergy,
)
from agentic.engine.minimizer import (
    Iterate as Iterate,
    Minimizer as Minimizer,
    Sampler as Sampler,
    Solution as Solution,
    minimize as minimize,
)
from agentic.engine.objective import Clamped as Clamped, Objective as Objective
from agentic.environments.environment import Environment as Environment, make as make
from agentic.environments.mdp import World as World
from agentic.environments.pomdp import Truth as Truth
from agentic.errors import RunError as RunError, UserError as UserError
from agentic.experiments.build import build as build
from agentic.experiments.experiment import Experiment as Experiment
from agentic.experiments.proposals import Proposal as Proposal, propose as propose
from agentic.front.again import load_agent as load_agent, resume as resume
from agentic.front.installed import (
    bench as bench,
    compare as compare,
    discover as discover,
    report as report,
    sweep as sweep,
)
from agentic.front.measure import measure as measure
from agentic.front.profile import Profile as Profile
from agentic.front.run import run as run
from agentic.learning.fit import fit as fit
from agentic.learning.learner import (
    Conjugate as Conjugate,
    Hindsight as Hindsight,
    Learner as Learner,
    Loss as Loss,
    Trainable as Trainable,
)
from agentic.learning.replay import Replay as Replay
from agentic.metrics.measurement import (
    Access as Access,
    Frame as Frame,
    Interval as Interval,
    Measurement as Measurement,
    Null as Null,
)
from agentic.metrics.metric import Metric as Metric
from agentic.metrics.subject import (
    Informed as Informed,
    Intervention as Intervention,
    Subject as Subject,
    subject_of as subject_of,
)
from agentic.metrics.verdict import Verdict as Verdict
from agentic.models.evidence import Evidence as Evidence
from agentic.models.model import (
    FiniteModel as FiniteModel,
    LinearModel as LinearModel,
    Model as Model,
    Step as Step,
    UncertainWeights as UncertainWeights,
)
from agentic.planning.expected_energy import (
    CertaintyEquivalentEnergy as CertaintyEquivalentEnergy,
    ExpectedEnergy as ExpectedEnergy,
    Purpose as Purpose,
)
from agentic.planning.gain import Gain as Gain
from agentic.planning.goal import (
    ActionGoal as ActionGoal,
    Goal as Goal,
    LatentGoal as LatentGoal,
    ObservationGoal as ObservationGoal,
    RewardGoal as RewardGoal,
)
from agentic.planning.plan import (
    Backup as Backup,
    Plan as Plan,
    Sequence as Sequence,
)
from agentic.plugins.hookspecs import hookimpl as hookimpl
from agentic.plugins.loading import load as load
from agentic.runs.logger import LoggedRun as LoggedRun, Logger as Logger
from agentic.runs.loop import ticks as ticks
from agentic.runs.record import Record as Record
from agentic.runs.schedule import Checkpoints as Checkpoints, Recording as Recording, Schedule as Schedule
from agentic.tick import Decision as Decision, Tick as Tick

__version__: str
__all__: list[str]
