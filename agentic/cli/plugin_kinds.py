"""What `agentic plugins new` can begin: each kind of plugin with the kind of component that its hook offers."""

TEMPLATES = {
    **dict.fromkeys(("energy", "conditional", "population", "model", "goal", "effort", "gain"), "energies"),
    **dict.fromkeys(("optimizer", "sampler", "planner", "learner", "loss"), "optimizers"),
    **dict.fromkeys(("backup", "selection", "quadrature"), "optimizers"),
    "metric": "metrics",
    "agent": "agents",
    **dict.fromkeys(("env", "change"), "envs"),
}
