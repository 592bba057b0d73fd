"""Agents that should have learned and did not: one sentence, wherever their numbers are shown."""

from typing import TYPE_CHECKING

from agentic.errors import UserError

if TYPE_CHECKING:
    from agentic.agents.agent import Agent
    from agentic.agents.energy_agent import EnergyAgent
    from agentic.environments.environment import Environment
    from agentic.experiments.experiment import Experiment


def unlearned(experiment: "Experiment", agent: "Agent", environment: "Environment") -> str:
    """What to say of an agent whose numbers are those of a beginner, after its run; empty for any other.

    It has a learner that was given nothing to learn from, or a model that is to be learned and no learner.
    """
    from agentic.agents.energy_agent import EnergyAgent

    steps, learner = experiment.learn.steps, agent.learner
    model = agent.model if isinstance(agent, EnergyAgent) else None
    if isinstance(agent, EnergyAgent) and agent.model.version:
        return _untaught(agent)
    if learner is None:
        if model is None or not _to_be_learned(experiment, model, environment):
            return ""
        lacks, remedy = "nothing learns it", "give it a table [learner], and [learn] steps"
    elif steps and model is None:
        return ""
    else:
        lacks = (
            f"in {steps:,} steps {type(learner).__name__} found nothing to learn from" if steps else "learn.steps is 0"
        )
        remedy = "give it more (--steps), or let it begin sooner (see [learner])"
    what = f"the {type(model).__name__} of this agent" if model is not None else f"the agent {experiment.agent.name}"
    return f"{what} has learned nothing, {lacks}: {remedy}"


def _untaught(agent: "EnergyAgent") -> str:
    """What to say where the model was learned, and what is to come where its plans end was not."""
    from agentic.planning.goal import CostToGo

    terminal = agent.purpose.terminal
    if not isinstance(terminal, CostToGo) or terminal.taught:
        return ""
    who = type(agent.learner).__name__ if agent.learner else "no learner"
    return (
        f"the {type(terminal).__name__} of this agent, what is to come where its plans end, is 0 everywhere, as {who} "
        "teaches it nothing: use the learner imagination, or leave planner.terminal out"
    )


def _to_be_learned(experiment: "Experiment", model: object, environment: "Environment") -> bool:
    """Whether a model that experience can teach was given no array, and could not be told the truth of its world."""
    from agentic.learning.learner import Conjugate, Hindsight, Trainable

    table = experiment.model.parameters if experiment.model is not None else {}
    if not isinstance(model, Trainable | Conjugate | Hindsight) or table.keys() & {"A", "B"}:
        return False
    try:
        environment.known_world()
    except UserError:
        return True
    return False
