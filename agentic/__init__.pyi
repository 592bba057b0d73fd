"""The public names for type checkers; `__init__.py` loads the same ones on first use."""

from agentic.agent import (
    Agent as Agent,
    Change as Change,
    Decision as Decision,
    Tick as Tick,
)
from agentic.belief import (
    Belief as Belief,
    Categorical as Categorical,
    Density as Density,
    Gaussian as Gaussian,
    Particles as Particles,
    Point as Point,
)
from agentic.domain import (
    Box as Box,
    Domain as Domain,
    Real as Real,
    Repeated as Repeated,
    Simplex as Simplex,
)
from agentic.energy import (
    Clamped as Clamped,
    Conditional as Conditional,
    Energy as Energy,
    Objective as Objective,
)
from agentic.energy_agent import (
    EnergyAgent as EnergyAgent,
    Greedy as Greedy,
    Selection as Selection,
    Softmax as Softmax,
)
from agentic.env import (
    Environment as Environment,
    make as make,
)
from agentic.errors import (
    RunError as RunError,
    UserError as UserError,
)
from agentic.expected import (
    CertaintyEquivalentEnergy as CertaintyEquivalentEnergy,
    ExpectedEnergy as ExpectedEnergy,
    Purpose as Purpose,
)
from agentic.experiment import (
    Experiment as Experiment,
)
from agentic.gain import (
    Gain as Gain,
    JointGain as JointGain,
    SummedGain as SummedGain,
)
from agentic.goal import (
    Goal as Goal,
    LatentGoal as LatentGoal,
    ObservationGoal as ObservationGoal,
    Quadratic as Quadratic,
    RewardGoal as RewardGoal,
)
from agentic.hookspecs import (
    hookimpl as hookimpl,
)
from agentic.learn import (
    Conjugate as Conjugate,
    ConjugateLearner as ConjugateLearner,
    Learner as Learner,
)
from agentic.metric import (
    Access as Access,
    Frame as Frame,
    Interval as Interval,
    Intervention as Intervention,
    Measurement as Measurement,
    Metric as Metric,
    Null as Null,
    Subject as Subject,
)
from agentic.minimizer import (
    Iterate as Iterate,
    Minimizer as Minimizer,
    Sampler as Sampler,
    Solution as Solution,
    minimize as minimize,
)
from agentic.model import (
    Evidence as Evidence,
    FiniteModel as FiniteModel,
    LinearModel as LinearModel,
    LinearSystem as LinearSystem,
    Model as Model,
    Step as Step,
)
from agentic.plan import (
    AffineFeedback as AffineFeedback,
    Plan as Plan,
    Sequence as Sequence,
    Tree as Tree,
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
    ticks as ticks,
)
from agentic.state import (
    select as select,
)
from agentic.truth import (
    Truth as Truth,
    truth_of as truth_of,
)

__all__: list[str]
__version__: str
