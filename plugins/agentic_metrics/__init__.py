"""Metrics of agency, each a plugin and an estimate from arrays.

Public names are named here and loaded on first use, so that listing plugins imports neither SciPy nor torch.
"""

from importlib import import_module
from typing import Any

from agentic import hookimpl

_METRICS = {  # short name: module:Class; the classes are public
    "episode_return": "episode_return:EpisodeReturn",
    "autonomy": "information.closure:Autonomy",
    "policy_complexity": "information.complexity:PolicyComplexity",
    "plan_content": "information.content:PlanContent",
    "effective_information": "information.influence:EffectiveInformation",
    "lag_information": "information.lags:LagInformation",
    "directed_information": "information.plastic:DirectedInformation",
    "plasticity": "information.plastic:Plasticity",
    "active_information_storage": "information.storage:ActiveInformationStorage",
    "predictive_information": "information.storage:PredictiveInformation",
    "transfer_entropy": "information.transfer:TransferEntropy",
    "empowerment": "channels.empowering:Empowerment",
    "controllability": "channels.linear:Controllability",
    "planning_depth": "purpose.depth:PlanningDepth",
    "goal_directedness": "purpose.directedness:GoalDirectedness",
    "intentional_stance": "purpose.stance:IntentionalStance",
    "inverse_temperature": "purpose.temperature:InverseTemperature",
    "policy_adaptation": "responses.adaptation:PolicyAdaptation",
    "contingency_degradation": "responses.extinction:ContingencyDegradation",
    "outcome_devaluation": "responses.extinction:OutcomeDevaluation",
    "world_model_extraction": "responses.extraction:WorldModelExtraction",
    "memory_timescale": "responses.memory:MemoryTimescale",
    "pursuit": "responses.pursuit:Pursuit",
    "homeostasis": "responses.regulation:Homeostasis",
    "semantic_information": "responses.viability:SemanticInformation",
}
_CHANGES = ("swap", "devalue", "relocate", "free", "sever", "wall", "close", "slip", "blur")  # of known worlds
_HOMES = {  # module: the public functions and values it has; no module may be named like one of them
    "estimate": "Estimate",
    "sampling.gaussian": "GaussianEstimator",
    "sampling.information": "Estimator Information",
    "sampling.neighbors": "Mixed Neighbors",
    "sampling.plugin": "Plugin",
    "sampling.series": "Series",
    "information.autoregression": "gaussian_transfer_entropy",
    "information.closure": "Closure closure_of informational_closure",
    "information.complexity": "policy_complexity",
    "information.decoder": "Decoder",
    "information.decisions": "decided_complexity",
    "information.directed": "exact_directed_information exact_plasticity generalized_directed_information joint_law",
    "information.frontier": "Frontier complexity_frontier excess_complexity",
    "information.influence": "Integration effective_information information_flow integration",
    "information.lags": "decay_time exact_lag_information exponential_time linear_lag_information memory_steps",
    "finite.machine": "Machine autoregressive_storage entropy_rate exact_storage excess_entropy statistical_complexity",
    "finite.query": "query",
    "finite.soft": "soft_policy",
    "finite.world": "World action_values expected_return greedy optimal_return planner visits",
    "channels.arimoto": "Capacity capacities capacity",
    "channels.bound": "variational_empowerment",
    "channels.linear": "Control controllability gramian observability",
    "channels.linearization": "Response jacobians response",
    "channels.empowering": "EmpowermentMap",
    "channels.mazes": "CROSS KING klyubin_maze lattice",
    "channels.water": "Filling gaussian_empowerment linear_capacity water_filling",
    "purpose.devices": "ContextTree krichevsky_trofimov",
    "purpose.ladder": "Climb DepthLadder depth_ladder ladder_choices",
    "purpose.stance": "StanceEvidence",
    "purpose.temperature": "Rational bounded_rational policy_temperature",
    "interventions.battery": "battery_policies battery_truth",
    "interventions.changes": "devalue relocate remap sever slip swap wall",
    "interventions.families": "intervention random_interventions",
    "interventions.payoff": "Payoff",
    "interventions.simulation": "Simulation",
    "interventions.wrappers": "Blur Close Devalue Free Relocate Sever Slip Swap Wall",
    "responses.adaptation": "adaptation_index half_life",
    "responses.control": "ControlBound control_bound",
    "responses.extinction": "choice_shift contingency",
    "responses.extraction": "EitherOr Extraction Tally",
    "responses.regulation": "linear_homeostasis",
    "responses.transplantation": "transplant",
    "responses.viability": "Semantic semantic_information",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
_HOME |= {name: module for module, _, name in (target.partition(":") for target in _METRICS.values())}

__all__ = sorted(_HOME)


@hookimpl
def agentic_metrics() -> dict[str, str]:
    """The metrics by short name."""
    return {name: f"agentic_metrics.{target}" for name, target in _METRICS.items()}


@hookimpl
def agentic_envs() -> dict[str, str]:
    """The changes of known finite worlds by short name."""
    return {name: f"agentic_metrics.interventions.wrappers:{name.title()}" for name in _CHANGES}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agentic_metrics' has no attribute {name!r}")
    value = getattr(import_module(f"agentic_metrics.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
