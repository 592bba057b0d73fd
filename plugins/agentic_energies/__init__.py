"""Energies that come with agentic: generative models and goals."""

from agentic import hookimpl


@hookimpl
def agentic_energies() -> dict[str, str]:
    """Models and goals by short name."""
    return {
        "categorical": "agentic_energies.categorical:CategoricalModel",
        "linear_gaussian": "agentic_energies.linear_gaussian:LinearGaussian",
        "log_preferences": "agentic_energies.goals:LogPreferences",
        "quadratic": "agentic_energies.goals:QuadraticGoal",
        "quadratic_latent": "agentic_energies.goals:QuadraticLatentGoal",
        "reward": "agentic_energies.reward:Reward",
        "effort": "agentic_energies.goals:Effort",
        "table": "agentic_energies.table:Table",
    }
