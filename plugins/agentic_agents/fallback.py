"""Proposals where no model of ours learns: few different observations are numbered, else actions are random."""

import numpy as np

from agentic import Environment, Proposal, Simplex
from agentic.errors import BREAKS
from agentic_agents.limits import limit_of
from agentic_agents.unknown import PAIRS, Numbered, learned

LOOK = 2_000  # steps of random actions that tell how many different observations there are
NUMBERED = 2_000  # numbers that they get: enough that few get the same
DIFFERENT, NEW = 100, 0.05  # observations up to which they are numbered, and how many a second half may add
EACH = 500  # steps of learning for each of them, at most
STEPS, NUMBERS = 2_000, 50_000_000  # of evaluation at random: steps, and numbers that are recorded


def fallback(environment: Environment, why: str) -> Proposal | None:
    """Learning by counts where only few different observations are met, else random actions; `why` says what is not.

    None for a world that breaks while it is looked at, which whoever runs it is told.
    """
    limit, met = limit_of(environment), 0
    if isinstance(environment.action, Simplex) and NUMBERED * environment.action.count <= PAIRS:
        try:
            met = different(environment, limit)
        except BREAKS:
            return None
    if met:
        reason = f"{why}; {met} different observations were met, which are numbered"
        return learned(environment, limit, Numbered(NUMBERED, EACH * met, reason))
    most = min(STEPS, NUMBERS // environment.observation.size)
    episodes = int(np.clip(most // limit, 1, 20))
    return Proposal(
        0.1,
        f"{why}: it acts at random, episodes: {episodes}; wrappers that show less ([env] wrappers, see `agentic envs`) "
        "let it learn, and --agent takes a policy of yours",
        {"agent": {"name": "random"}, "evaluate": {"episodes": episodes}},
    )


def different(environment: Environment, limit: int) -> int:
    """The number of different observations that random actions meet; 0 where they are many, or still new ones come."""
    env, layout = environment.copies()(), environment.observation_layout
    env.action_space.seed(0)
    seen, half = set[bytes](), 0
    obs, begun = env.reset(seed=0)[0], 0
    for step in range(1, LOOK + 1):
        arrays = layout.empty(1)
        layout.store(arrays, 0, obs)
        seen.add(b"".join(array.tobytes() for array in arrays))
        half = len(seen) if step == LOOK // 2 else half
        obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if len(seen) > DIFFERENT:
            break
        if terminated or truncated or step - begun >= limit:
            obs, begun = env.reset()[0], step
    env.close()
    return len(seen) if len(seen) <= DIFFERENT and len(seen) - half <= NEW * len(seen) else 0
