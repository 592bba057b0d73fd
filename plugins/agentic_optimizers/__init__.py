"""Solvers that come with agentic, for perceiving and for planning, and the learners and losses between ticks."""

from agentic import hookimpl

LEARNING = {
    "gradient_learner": "agentic_optimizers.gradient_learner:GradientLearner",
    "imagination": "agentic_optimizers.imagination:Imagination",
    "conjugate": "agentic_optimizers.conjugate_learner:ConjugateLearner",
    "hindsight": "agentic_optimizers.episode_learner:EpisodeLearner",
    "settled": "agentic_optimizers.settled:Settled",
    "laplace_evidence": "agentic_optimizers.laplace_evidence:LaplaceEvidence",
    "elbo": "agentic_optimizers.elbo:Elbo",
    "likelihood": "agentic_optimizers.likelihood:Likelihood",
    "contrastive_divergence": "agentic_optimizers.contrastive_divergence:ContrastiveDivergence",
    "denoising_score_matching": "agentic_optimizers.score_matching:DenoisingScoreMatching",
    "sliced_score_matching": "agentic_optimizers.score_matching:SlicedScoreMatching",
    "implicit_score_matching": "agentic_optimizers.score_matching:ImplicitScoreMatching",
    "regularized": "agentic_optimizers.regularized:Regularized",
    "sgld": "agentic_optimizers.sgld:StochasticLangevin",
    "weight_laplace": "agentic_optimizers.weight_laplace:WeightLaplace",
}


@hookimpl
def agentic_optimizers() -> dict[str, str]:
    """Solvers, backups, selections, learners and losses by short name."""
    return {
        "gradient": "agentic_optimizers.gradient:GradientDescent",
        "adam": "agentic_optimizers.gradient:Adam",
        "newton": "agentic_optimizers.newton:Newton",
        "gauss_newton": "agentic_optimizers.gauss_newton:GaussNewton",
        "lbfgs": "agentic_optimizers.lbfgs:LBFGS",
        "mean_field": "agentic_optimizers.mean_field:MeanField",
        "gauss_hermite": "agentic_optimizers.quadrature:GaussHermite",
        "sobol": "agentic_optimizers.quadrature:Sobol",
        "amortized": "agentic_optimizers.amortized:Amortized",
        "exact": "agentic_optimizers.exact:Exact",
        "belief_propagation": "agentic_optimizers.belief_propagation:BeliefPropagation",
        "mirror": "agentic_optimizers.mirror:Mirror",
        "langevin": "agentic_optimizers.langevin:Langevin",
        "mala": "agentic_optimizers.hmc:MALA",
        "underdamped_langevin": "agentic_optimizers.underdamped:UnderdampedLangevin",
        "hmc": "agentic_optimizers.hmc:HMC",
        "svgd": "agentic_optimizers.svgd:SVGD",
        "particle_filter": "agentic_optimizers.particle_filter:ParticleFilter",
        "enumerate": "agentic_optimizers.enumerate:Enumerate",
        "tree": "agentic_optimizers.tree:TreeSearch",
        "mcts": "agentic_optimizers.mcts:MonteCarloTree",
        "value_iteration": "agentic_optimizers.value_iteration:ValueIteration",
        "mean_under_softmax": "agentic_optimizers.backups:MeanUnderSoftmax",
        "max": "agentic_optimizers.backups:Max",
        "soft_min": "agentic_optimizers.backups:SoftMin",
        "greedy": "agentic:Greedy",
        "softmax": "agentic:Softmax",
        "cem": "agentic_optimizers.cem:CrossEntropy",
        "icem": "agentic_optimizers.icem:Icem",
        "mppi": "agentic_optimizers.mppi:Mppi",
        "evolution": "agentic_optimizers.evolution:Evolution",
        "shooting": "agentic_optimizers.shooting:Shooting",
        "riccati": "agentic_optimizers.riccati:Riccati",
        **LEARNING,
    }
