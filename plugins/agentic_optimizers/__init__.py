"""Solvers that come with agentic: for perceiving, for planning, and the learner between ticks."""

from agentic import hookimpl


@hookimpl
def agentic_optimizers() -> dict[str, str]:
    """Solvers, backups and learners by short name."""
    return {
        "gradient": "agentic_optimizers.gradient:GradientDescent",
        "adam": "agentic_optimizers.gradient:Adam",
        "newton": "agentic_optimizers.newton:Newton",
        "mirror": "agentic_optimizers.mirror:Mirror",
        "langevin": "agentic_optimizers.langevin:Langevin",
        "enumerate": "agentic_optimizers.enumerate:Enumerate",
        "tree": "agentic_optimizers.tree:TreeSearch",
        "mean_under_softmax": "agentic_optimizers.backups:MeanUnderSoftmax",
        "max": "agentic_optimizers.backups:Max",
        "soft_min": "agentic_optimizers.backups:SoftMin",
        "cem": "agentic_optimizers.cem:CrossEntropy",
        "riccati": "agentic_optimizers.riccati:Riccati",
        "conjugate": "agentic:ConjugateLearner",
    }
