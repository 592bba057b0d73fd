"""Metrics of agency, each a plugin and a plain function on arrays.

The functions are named here and loaded on first use, so that listing plugins imports neither SciPy nor torch.
"""

from importlib import import_module
from typing import Any

from agentic import hookimpl

_METRICS = {  # short name: module:Class
    "goal_directedness": "directedness:GoalDirectedness",
    "inverse_temperature": "temperature:InverseTemperature",
    "empowerment": "channels.empowering:Empowerment",
    "episode_return": "episode_return:EpisodeReturn",
    "intentional_stance": "stance:IntentionalStance",
    "planning_depth": "depth:PlanningDepth",
    "policy_adaptation": "adaptation:PolicyAdaptation",
    "outcome_devaluation": "devaluation:OutcomeDevaluation",
    "contingency_degradation": "devaluation:ContingencyDegradation",
    "transfer_entropy": "transfer:TransferEntropy",
    "directed_information": "plastic:DirectedInformation",
    "plasticity": "plastic:Plasticity",
    "homeostasis": "regulation:Homeostasis",
    "semantic_information": "viability:SemanticInformation",
    "controllability": "linear:Controllability",
    "plan_content": "content:PlanContent",
    "world_model_extraction": "extraction:WorldModelExtraction",
    "active_information_storage": "storage:ActiveInformationStorage",
    "predictive_information": "storage:PredictiveInformation",
    "memory_timescale": "memory:MemoryTimescale",
    "lag_information": "lags:LagInformation",
    "policy_complexity": "complexity:PolicyComplexity",
    "autonomy": "closure:Autonomy",
    "effective_information": "influence:EffectiveInformation",
}
_HOMES = {  # module: the public names it has; no module may be named like one of them
    "channels.arimoto": "Capacity capacities capacity",
    "channels.maps": "EmpowermentMap empowerment",
    "channels.water": "Filling gaussian_empowerment linear_capacity water_filling",
    "channels.simulator": "linearized_empowerment",
    "channels.bound": "variational_empowerment",
    "channels.mazes": "CROSS KING klyubin_maze lattice",
    "channels.empowering": "Empowerment",
    "estimate": "Estimate",
    "devices": "ContextTree krichevsky_trofimov",
    "stance": "Evidence GoalSeekers IntentionalStance intentional_stance stance_evidence",
    "depth": "DepthFit Planners PlanningDepth planning_depth policy_depth",
    "ladder": "Climb DepthLadder depth_ladder ladder_choices",
    "finite.world": "World action_values expected_return greedy optimal_return planner visits",
    "finite.query": "query",
    "finite.soft": "soft_policy",
    "directedness": "GoalDirectedness",
    "goals": "Directedness goal_directedness goal_directedness_from_episodes",
    "utilities": "Attribution attributed_goal attributed_goal_from_episodes",
    "temperature": "InverseTemperature Rational bounded_rational inverse_temperature policy_temperature",
    "adaptation": "PolicyAdaptation adaptation_index half_life policy_adaptation",
    "devaluation": "ContingencyDegradation OutcomeDevaluation choice_shift contingency contingency_degradation "
    "outcome_devaluation",
    "interventions.battery": "battery_policies battery_truth",
    "interventions.changes": "devalue relocate remap slip swap wall",
    "interventions.families": "intervention random_interventions",
    "interventions.payoff": "Payoff",
    "interventions.simulation": "Simulation",
    "sampling.series": "Series",
    "sampling.information": "Estimator Information",
    "sampling.plugin": "Plugin",
    "transfer": "TransferEntropy transfer_entropy",
    "autoregression": "gaussian_transfer_entropy",
    "sampling.gaussian": "Gaussian",
    "sampling.neighbors": "Mixed Neighbors",
    "directed": "exact_directed_information exact_plasticity generalized_directed_information joint_law",
    "plastic": "DirectedInformation Plasticity directed_information plasticity",
    "regulation": "homeostasis linear_homeostasis",
    "control": "ControlBound control_bound",
    "viability": "Semantic semantic_information viability_gain",
    "linear": "Control Reach controllability gramian observability reach",
    "linearization": "Response jacobians response",
    "decoder": "Decoder",
    "content": "plan_content",
    "transplantation": "transplant",
    "extraction": "EitherOr Extraction Tally world_model_extraction",
    "finite.machine": "Machine autoregressive_storage entropy_rate exact_storage excess_entropy statistical_complexity",
    "storage": "ActiveInformationStorage PredictiveInformation active_information_storage predictive_information",
    "memory": "MemoryTimescale memory_timescale",
    "lags": "LagInformation decay_time exact_lag_information exponential_time lag_information "
    "linear_lag_information memory_steps",
    "complexity": "PolicyComplexity policy_complexity sampled_complexity",
    "frontier": "Frontier complexity_frontier excess_complexity",
    "closure": "Autonomy Closure autonomy closure_of informational_closure ntic",
    "influence": "EffectiveInformation Integration effective_information information_flow integration",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


@hookimpl
def agentic_metrics() -> dict[str, str]:
    """Metrics by short name."""
    return {name: f"agentic_metrics.{target}" for name, target in _METRICS.items()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agentic_metrics' has no attribute {name!r}")
    value = getattr(import_module(f"agentic_metrics.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
