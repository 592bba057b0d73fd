"""Proposals for discrete worlds: planning in those whose truth is known, and learning the others from nothing."""

from collections.abc import Mapping
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentic import Environment, Proposal, Simplex, Truth, UserError, World, state_observations
from agentic.environments import Successors, plain
from agentic_agents.continuous import beyond, continuous
from agentic_agents.fallback import fallback
from agentic_agents.limits import limit_of
from agentic_agents.unknown import learned

Floats = NDArray[np.float64]

LARGE = 200_000_000  # numbers in the transitions of a world that is left alone
EXACT = 5e9  # multiplications up to which every horizon is tried
BELIEFS, WIDE = 3_000, 20_000_000  # beliefs that a tree should not pass, numbers that one look ahead may hold
DISCOUNTS = (1.0, 0.999, 0.99)
STEPS, HIDDEN_STEPS = 60_000, 2_000  # of evaluation, about a minute: where states are seen, and where they are not
EPISODES = 100
DEEP, SIMULATIONS, SEARCHES = 6, 128, 200  # of search: steps ahead, paths a decision, decisions of a run
WORTH = 4.0  # nats of the largest reward: more than a look tells
HIDDEN = {"discount": 0.95, "gain": {"name": "summed"}}
SHORT = 20  # episodes where nothing tells how long one is
ROWS = 10  # episodes side by side
AHEAD, LEAST, MOST = 10, 32, 256  # of search over joint states: steps ahead, and how many paths a decision
SECONDS, PATH, BELIEF, BELIEF_A_STATE = 60.0, 5e-5, 3e-6, 2e-8  # of all paths, of one, and of beliefs that follow it
FAR = 20  # steps ahead that are enough where what comes later is discounted
HIDDEN_WORTH = 20.0  # nats of a usual reward, where what follows the search is known; chosen on seeds from 100 on


def proposal(environment: Environment) -> Proposal | None:
    """Planning where the truth of a discrete world is known, else learning; `fallback` for what is too large."""
    observation, action = environment.observation, environment.action
    if not isinstance(observation, Simplex) or not isinstance(action, Simplex):
        return continuous(environment) or fallback(environment, beyond(environment))
    try:
        environment.known_world()
    except UserError:
        return _counted(environment)
    too_large = environment.observation_layout.plain and observation.count**2 * action.count > LARGE
    try:
        found = None if too_large else planned(environment, action.count)
    except UserError:  # its truth is out of reach
        return _counted(environment)
    return found or searched(environment) or _counted(environment)


def _counted(environment: Environment) -> Proposal | None:
    try:
        return learned(environment, limit_of(environment))
    except UserError as error:
        return fallback(environment, str(error))


def planned(environment: Environment, actions: int) -> Proposal | None:
    """The plan in a world whose truth is known: dynamic programming where states are seen, else over beliefs.

    Raises UserError where it is not known, or has too many joint states for a table.
    """
    truth, steps = plain(environment.factored_truth()), limit_of(environment)
    if prod(len(first) for first in truth["D"]) ** 2 * actions > LARGE:
        return None
    try:
        state_observations(truth)
    except UserError:
        return _over_beliefs(truth, steps)
    return _over_states(World.of(truth), steps)


def searched(environment: Environment) -> Proposal | None:
    """Monte-Carlo tree search in a known world of several factors, each believed for itself; None for one factor."""
    known = environment.known_world()
    if isinstance(known, Successors) or len(known["D"]) == 1:
        return None
    steps, joint, most = limit_of(environment), prod(len(first) for first in known["D"]), np.abs(known["rewards"]).max()
    episodes = int(np.clip(SEARCHES // steps, 2, SHORT))
    tables = _tables(DEEP, episodes, {"name": "mcts", "simulations": SIMULATIONS, **HIDDEN})
    tables |= {"model": {"name": "factored"}, "inference": {"name": "mirror"}}
    tables["goal"]["scale"] = WORTH / float(most) if most > 0 else 1.0
    return Proposal(
        0.7,
        f"its truth is known, and its {joint:,} joint states are too many for tables: its factors are believed one by "
        f"one, searched {DEEP} steps ahead with what they tell; {episodes} episodes of {steps:,} steps",
        tables,
    )


class Worth(NamedTuple):
    """The worth of planning so many steps ahead: the expected return within the step limit, and steps of an episode."""

    horizon: int
    discount: float
    value: float
    length: float


def best_plan(world: World, steps: int) -> tuple[Worth, float]:
    """The shortest horizon of those that are worth most in episodes of so many `steps`, and the optimum there.

    Nothing is discounted where that is worth as much: where a goal can be put off, it is put off for ever.
    """
    found, optimum = list[Worth](), 0.0
    for discount in DISCOUNTS:
        tried = set[bytes]()
        for horizon, (values, scale) in enumerate(islice(world.backups(discount), steps), 1):
            policy = World.ties(values, scale).argmax(-1)  # as a greedy agent takes the first of equal actions
            if discount == 1:
                optimum = float(world.start @ values.max(-1))
            if (key := policy.tobytes()) not in tried:
                tried.add(key)
                found.append(Worth(horizon, discount, *_lived(world, policy, steps)))
        most = max(each.value for each in found)
        near = World.tie * (1 + abs(most))
        if most >= optimum - near:
            break
    return next(each for each in found if each.value >= most - near), optimum


def _lived(world: World, policy: NDArray[np.int64], steps: int) -> tuple[float, float]:
    """The expected return and length of an episode, cut after so many `steps`, where states take these actions."""
    every = np.arange(world.states)
    moves, paid = world.dynamics[every, policy], np.stack([world.rewards[every, policy], np.ones(world.states)], -1)
    sums = np.zeros_like(paid)
    for _ in range(steps):
        sums = np.where(world.ended[:, None], 0.0, paid + moves @ sums)
    value, length = world.start @ sums
    return float(value), float(length)


def _over_states(world: World, steps: int) -> Proposal:
    known = "its states are seen and its truth is known"
    if world.states**2 * world.actions * steps > EXACT:
        tables = _tables(steps, SHORT, {"discount": DISCOUNTS[1]})
        return Proposal(0.9, f"{known}: planned all {steps:,} steps ahead in {SHORT} episodes", tables)
    best, optimum = best_plan(world, steps)
    aside = {} if best.discount == 1 else {"discount": best.discount}
    episodes = int(np.clip(STEPS / max(best.length, 1.0), 10, EPISODES))
    said = f"planned {best.horizon:,} steps ahead, which is worth {best.value:.4g} of at most {optimum:.4g}"
    taken = _minutes(episodes * best.length / STEPS)
    cut = "" if episodes == EPISODES else f"; {episodes} episodes of about {best.length:,.0f} steps are about {taken}"
    tables = _tables(best.horizon, episodes, aside)
    return Proposal(0.9, f"{known}: {said} within {steps:,} steps{cut}", tables)


def _over_beliefs(truth: Truth, steps: int) -> Proposal:
    """The tree of beliefs where it is small to the end, or further than what counts, else a search in it."""
    horizon, known = _reach(truth, steps), "its states are hidden and its truth is known"
    if horizon < min(steps, FAR):
        return _searched_ahead(truth, steps, known)
    short = horizon < steps
    aside = HIDDEN if short else {"discount": HIDDEN["discount"]}
    episodes = int(np.clip(HIDDEN_STEPS // steps, 2, SHORT))
    said = f"planned {horizon:,} steps ahead over beliefs, {'with what they tell' if short else 'to the end'}"
    taken = _minutes(episodes * steps / HIDDEN_STEPS)
    cut = "" if episodes == SHORT else f"; {episodes} episodes of {steps:,} steps take about {taken}"
    return Proposal(0.8, f"{known}: {said}{cut}", _tables(horizon, episodes, aside))


def _searched_ahead(truth: Truth, steps: int, known: str) -> Proposal:
    """Monte-Carlo tree search over beliefs, which ends in what joint states would be worth if they were seen."""
    outcomes = np.prod([(levels > 0).sum(0) for levels in truth["A"]], axis=0).mean()  # possible in a state
    beliefs = truth["rewards"].shape[-1] * outcomes  # that follow one
    paths = SECONDS / (PATH + beliefs * (BELIEF + BELIEF_A_STATE * truth["ends"].size)) / steps
    episodes = int(np.clip(paths / LEAST, 2, SHORT))
    simulations = int(np.clip(paths / episodes, LEAST, MOST)) // 8 * 8
    sizes = np.abs(truth["rewards"][truth["rewards"] != 0])
    scale = float(f"{HIDDEN_WORTH / np.median(sizes):.3g}") if sizes.size else 1.0
    end = {"terminal": {"name": "qmdp", "discount": HIDDEN["discount"], "scale": scale}}
    tables = _tables(AHEAD, episodes, {"name": "mcts", "simulations": simulations, **HIDDEN, **end})
    tables |= {"run": {"envs": min(episodes, ROWS)}, "goal": {"name": "reward", "scale": scale}}
    taken = _minutes(episodes * simulations / paths)
    cut = "" if (episodes, simulations) == (SHORT, MOST) else f", which is about {taken}"
    return Proposal(
        0.8,
        f"{known}: searched {AHEAD} steps ahead with what they tell, further as if they were seen, {simulations} paths "
        f"a decision; {episodes} episodes of {steps:,} steps{cut}",
        tables,
    )


def _minutes(number: float) -> str:
    return "a minute" if number < 1.5 else f"{number:,.0f} minutes"


def _reach(truth: Truth, steps: int) -> int:
    """The number of steps within which no more than `BELIEFS` beliefs can follow the likeliest; `steps` at most."""
    world = World.of(truth).merged()
    looks = np.ones((1, world.states))
    for levels in truth["A"]:
        looks = (looks[:, None] * levels.reshape(len(levels), -1)).reshape(-1, world.states)
    first = world.start * looks
    frontier = _apart(first[first.sum(-1).argmax()][None])  # where most episodes begin
    known = {row.tobytes() for row in frontier}
    for depth in range(steps):
        if frontier.size * world.actions * len(looks) > WIDE:
            return depth
        ahead = np.einsum("bs,san->ban", frontier, world.dynamics) * ~world.ended
        found = _apart((ahead[:, :, None] * looks).reshape(-1, world.states))
        frontier = np.array([row for row in found if row.tobytes() not in known])
        known |= {row.tobytes() for row in found}
        if len(known) > BELIEFS:
            return depth
        if not len(frontier):
            return steps
    return steps


def _apart(mass: Floats) -> Floats:
    """The different beliefs among rows of unnormalized ones."""
    total = mass.sum(-1, keepdims=True)
    sound = total[:, 0] > World.tie
    return np.unique(np.round(mass[sound] / total[sound], 10) + 0.0, axis=0)


def _tables(horizon: int, episodes: int, aside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "agent": {"name": "energy", "selection": {"name": "greedy"}},
        "model": {"name": "categorical"},
        "goal": {"name": "reward"},
        "inference": {"name": "exact"},
        "planner": {"name": "tree", "horizon": horizon, "backup": {"name": "max"}, **(aside or {})},
        "evaluate": {"episodes": episodes},
    }
