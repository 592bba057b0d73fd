"""Which worlds, by which thresholds, and what differs between them and between ablations."""

from dataclasses import replace

from .protocol import Task

GIVEN = ("goal.name=documented",)  # the goal that the world documents
LEARNED = ("goal.name=predicted_reward", "model.reward=true", "model.mortal=true")  # reward and end from experience

TASKS = {
    "pendulum": Task("Pendulum-v1", -200, wanted=200, cap=400, limit=200, settings=GIVEN),
    "cartpole": Task("CartPole-v1", 475, wanted=200, cap=400, limit=500, best=1.0, settings=GIVEN),
    "mountaincar": Task("MountainCarContinuous-v0", 90, wanted=300, cap=500, limit=999, once=100.0, settings=GIVEN),
    "acrobot": Task("Acrobot-v1", -100, wanted=400, cap=800, limit=500, settings=GIVEN),
}
"""The four tasks: best is 0 or +1 a step, +100 once, or to end at the next step."""

REWARD_LEARNED = {
    f"{name}, learned": replace(task, settings=LEARNED, wanted=2 * task.wanted, cap=2 * task.cap)
    for name, task in TASKS.items()
}
HIDDEN = {
    f"{world}, {name}": replace(
        TASKS[world],
        wanted=cap,
        cap=cap,
        every=cap,
        later=0,
        once=float("inf"),  # never hopeless: the return itself is what is shown
        settings=(f"model.memory={memory}",),
        file=f"{world}-hidden.toml",
    )
    for world, cap in (("pendulum", 500), ("cartpole", 400))
    for name, memory in (("memory", 1), ("no memory", 0))
}
ALL = TASKS | REWARD_LEARNED | HIDDEN

ABLATIONS: dict[str, tuple[str, ...]] = {  # what is set otherwise than in the file of all tasks
    "as it is": (),
    "no terminal energy": (
        "learner.name=gradient_learner",
        "learner.every=25",
        "learner.updates=500",
        "learner.weight_decay=0.1",
    ),
    "icem, no segments": ("planner.name=icem", "planner.samples=32", "planner.elites=4", "planner.steps=3"),
    "horizon 20": ("planner.horizon=20",),
    "one network": ("model.members=1",),
    "no weight decay": ("learner.weight_decay=0",),
    "warm-up of one episode": ("learn.cut=0",),
}
ABLATED = ("pendulum", "cartpole")
