"""What `agentic plugins new` can begin: each kind of plugin with the kind of component that its hook offers."""

TEMPLATES = {
    **dict.fromkeys(("energy", "conditional", "population", "model", "goal", "effort", "gain"), "energies"),
    **dict.fromkeys(("optimizer", "sampler", "planner", "learner", "loss"), "optimizers"),
    **dict.fromkeys(("backup", "selection", "quadrature"), "optimizers"),
    "metric": "metrics",
    "agent": "agents",
    **dict.fromkeys(("env", "change"), "envs"),
    "logger": "loggers",
}

FIELD = {  # other words for the same, as documentation and `agentic components` use them
    "solver": "optimizer",
    "minimizer": "optimizer",
    "world": "env",
    "environment": "env",
    "wrapper": "change",
    "populationenergy": "population",
    "actiongoal": "effort",
}
