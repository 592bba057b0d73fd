"""The public names for type checkers; `__init__.py` loads the same ones on first use."""

from agentic.agent import (
    Agent as Agent,
)
from agentic.agent import (
    Change as Change,
)
from agentic.agent import (
    Decision as Decision,
)
from agentic.agent import (
    Tick as Tick,
)
from agentic.belief import (
    Belief as Belief,
)
from agentic.belief import (
    Categorical as Categorical,
)
from agentic.belief import (
    Density as Density,
)
from agentic.belief import (
    Gaussian as Gaussian,
)
from agentic.belief import (
    Particles as Particles,
)
from agentic.belief import (
    Point as Point,
)
from agentic.domain import (
    Box as Box,
)
from agentic.domain import (
    Domain as Domain,
)
from agentic.domain import (
    Real as Real,
)
from agentic.domain import (
    Repeated as Repeated,
)
from agentic.domain import (
    Simplex as Simplex,
)
from agentic.energy import (
    Clamped as Clamped,
)
from agentic.energy import (
    Conditional as Conditional,
)
from agentic.energy import (
    Energy as Energy,
)
from agentic.energy import (
    Objective as Objective,
)
from agentic.energy_agent import (
    EnergyAgent as EnergyAgent,
)
from agentic.energy_agent import (
    Greedy as Greedy,
)
from agentic.energy_agent import (
    Selection as Selection,
)
from agentic.energy_agent import (
    Softmax as Softmax,
)
from agentic.env import (
    Environment as Environment,
)
from agentic.env import (
    make as make,
)
from agentic.errors import (
    RunError as RunError,
)
from agentic.errors import (
    UserError as UserError,
)
from agentic.expected import (
    CertaintyEquivalentEnergy as CertaintyEquivalentEnergy,
)
from agentic.expected import (
    ExpectedEnergy as ExpectedEnergy,
)
from agentic.expected import (
    Purpose as Purpose,
)
from agentic.experiment import (
    Experiment as Experiment,
)
from agentic.gain import (
    Gain as Gain,
)
from agentic.gain import (
    JointGain as JointGain,
)
from agentic.gain import (
    SummedGain as SummedGain,
)
from agentic.goal import (
    Goal as Goal,
)
from agentic.goal import (
    LatentGoal as LatentGoal,
)
from agentic.goal import (
    ObservationGoal as ObservationGoal,
)
from agentic.goal import (
    Quadratic as Quadratic,
)
from agentic.goal import (
    RewardGoal as RewardGoal,
)
from agentic.hookspecs import (
    hookimpl as hookimpl,
)
from agentic.learn import (
    Conjugate as Conjugate,
)
from agentic.learn import (
    ConjugateLearner as ConjugateLearner,
)
from agentic.learn import (
    Learner as Learner,
)
from agentic.metric import (
    Access as Access,
)
from agentic.metric import (
    Frame as Frame,
)
from agentic.metric import (
    Interval as Interval,
)
from agentic.metric import (
    Intervention as Intervention,
)
from agentic.metric import (
    Measurement as Measurement,
)
from agentic.metric import (
    Metric as Metric,
)
from agentic.metric import (
    Null as Null,
)
from agentic.metric import (
    Subject as Subject,
    measure as measure,
)
from agentic.minimizer import (
    Iterate as Iterate,
)
from agentic.minimizer import (
    Minimizer as Minimizer,
)
from agentic.minimizer import (
    Sampler as Sampler,
)
from agentic.minimizer import (
    Solution as Solution,
)
from agentic.minimizer import (
    minimize as minimize,
)
from agentic.model import (
    Evidence as Evidence,
)
from agentic.model import (
    FiniteModel as FiniteModel,
)
from agentic.model import (
    LinearModel as LinearModel,
)
from agentic.model import (
    LinearSystem as LinearSystem,
)
from agentic.model import (
    Model as Model,
)
from agentic.model import (
    Step as Step,
)
from agentic.plan import (
    AffineFeedback as AffineFeedback,
)
from agentic.plan import (
    Plan as Plan,
)
from agentic.plan import (
    Sequence as Sequence,
)
from agentic.plan import (
    Tree as Tree,
)
from agentic.plan import (
    weigh as weigh,
)
from agentic.plugins import (
    load as load,
)
from agentic.record import (
    Record as Record,
)
from agentic.seeds import (
    stream as stream,
)
from agentic.simulate import (
    run as run,
)
from agentic.simulate import (
    ticks as ticks,
)
from agentic.state import (
    select as select,
)
from agentic.truth import (
    Truth as Truth,
)
from agentic.truth import (
    truth_of as truth_of,
)

__all__: list[str]
__version__: str
