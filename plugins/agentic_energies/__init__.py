"""Energies that come with agentic: generative models and goals."""

from agentic import hookimpl


@hookimpl
def agentic_energies() -> dict[str, str]:
    """Models, goals, gains and energies by short name."""
    return {
        "categorical": "agentic_energies.categorical:CategoricalModel",
        "factored": "agentic_energies.factored:FactoredModel",
        "ensemble": "agentic_energies.ensemble:Ensemble",
        "gaussian": "agentic_energies.gaussian:GaussianEnergy",
        "linear_gaussian": "agentic_energies.linear_gaussian:LinearGaussian",
        "log_preferences": "agentic_energies.goals:LogPreferences",
        "log_preferences_over_time": "agentic_energies.goals:LogPreferencesOverTime",
        "learned_preferences": "agentic_energies.preferring:LearnedPreferences",
        "qmdp": "agentic_energies.qmdp:Qmdp",
        "quadratic": "agentic_energies.goals:QuadraticGoal",
        "quadratic_latent": "agentic_energies.goals:QuadraticLatentGoal",
        "predicted_reward": "agentic_energies.goals:PredictedReward",
        "documented": "agentic_energies.documented:Documented",
        "cost_to_go": "agentic_energies.cost_to_go:CostToGoNetworks",
        "inductive": "agentic_energies.inductive:Inductive",
        "reward": "agentic_energies.reward:Reward",
        "effort": "agentic_energies.goals:Effort",
        "summed": "agentic_energies.gains:SummedGain",
        "joint": "agentic_energies.gains:JointGain",
        "disagreement": "agentic_energies.gains:Disagreement",
        "banana": "agentic_energies.landscapes:Banana",
        "double_well": "agentic_energies.landscapes:DoubleWell",
        "table": "agentic_energies.table:Table",
        "vae": "agentic_energies.vae:VAE",
        "predictive_coding": "agentic_energies.predictive_coding:PredictiveCoding",
        "feedforward": "agentic_energies.feedforward:Feedforward",
        "jepa": "agentic_energies.jepa:JointEmbedding",
        "energy_network": "agentic_energies.perceptron_energy:EnergyNetwork",
        "variance": "agentic_energies.anti_collapse:Variance",
        "covariance": "agentic_energies.anti_collapse:Covariance",
        "sigreg": "agentic_energies.anti_collapse:SketchedGaussian",
        "inverse_dynamics": "agentic_energies.anti_collapse:InverseDynamics",
        "weight_prior": "agentic_energies.weight_prior:WeightPrior",
    }
