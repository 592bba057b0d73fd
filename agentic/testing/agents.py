"""What is asked of agents: a decision for every row, on the action space, with everything remembered in the state.

An agent is tried in the spaces of its own model where it has one; else where two places can be seen and two actions
taken, the environment of this kit.
"""

from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agentic.agents.agent import Agent, Change
from agentic.engine.domain import Domain, Simplex
from agentic.engine.state import select
from agentic.errors import described
from agentic.testing.common import assert_close, assert_same, clones, generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.worlds import interior
from agentic.tick import Decision


class Spaces(NamedTuple):
    """What an agent sees and does."""

    outcome: Domain
    action: Domain


def spaces(agent: Agent) -> Spaces:
    """The domains an agent is tried in."""
    model = getattr(agent, "model", agent)
    outcome, action = getattr(model, "outcome", None), getattr(model, "action", None)
    two = Simplex((2,))
    return Spaces(outcome if isinstance(outcome, Domain) else two, action if isinstance(action, Domain) else two)


def exercise(agent: Agent, source: torch.Generator) -> list[Tensor]:
    """Three decisions of a batch of two."""
    state, answers = agent.start(2, generator=source), list[Tensor]()
    for obs in _seen(agent, 2, 3):
        decision = agent.decide(state, obs, generator=source)
        state = decision.state
        answers += [decision.action, *decision.energies.values()]
        answers += [] if decision.policy is None else [decision.policy.mean]
    return answers


def decides_for_every_row(make: Make) -> None:
    """decide returns a Decision with one action (b, *event) per row, for batches of 1 and of 4, step after step."""
    for batch in (1, 4):
        agent, source = make(), generator()
        state, event = agent.start(batch, generator=source), spaces(agent).action.event
        for obs in _seen(agent, batch, 3):
            decision = agent.decide(state, obs, generator=source)
            assert isinstance(decision, Decision), f"decide must return a Decision, got {type(decision).__name__}"
            shape = tuple(decision.action.shape)
            assert shape == (batch, *event), f"{batch} rows need actions {(batch, *event)}, got {shape}"
            for name, energy in decision.energies.items():
                assert energy.shape == (batch,), f"the energy {name} must be {(batch,)}, got {tuple(energy.shape)}"
            state = decision.state


def acts_within_its_space(make: Make) -> None:
    """Every action is on the action space as executed: one-hot where discrete, within the bounds of a box."""
    agent, source = make(), generator()
    domain, state = spaces(agent).action, agent.start(4, generator=source)
    for obs in _seen(agent, 4, 5):
        decision = agent.decide(state, obs, generator=source)
        action, state = decision.action, decision.state
        assert torch.isfinite(action).all(), f"an action is not finite: {action.tolist()}"
        gap = float((action - domain.project(action)).abs().max())
        assert gap <= 1e-6, f"an action lies {gap:.3g} off its space: project it (one-hot, or within the bounds)"


def policy_covers_the_actions(make: Make) -> None:
    """A policy, where there is one, is a belief over actions; discrete ones sum to one in every factor."""
    agent, source = make(), generator()
    domain = spaces(agent).action
    decision = agent.decide(agent.start(4, generator=source), _seen(agent, 4, 1)[0], generator=source)
    if decision.policy is None:
        raise NotApplicable("it has no policy to show")
    mean = decision.policy.mean
    shape = (4, *domain.event)
    assert tuple(mean.shape) == shape, f"the policy's mean must be {shape}, got {tuple(mean.shape)}"
    if isinstance(domain, Simplex):
        sums = torch.stack([block.sum(-1) for block in domain.blocks(mean)])
        assert_close(sums, torch.ones_like(sums), "the sum of the policy's probabilities", 1e-5)


def state_is_a_value(make: Make) -> None:
    """The same state, observation and seed give the same decision again: nothing is remembered outside the state."""
    agent, source = make(), generator()
    state = agent.start(4, generator=source)
    for step, obs in enumerate(_seen(agent, 4, 6)):
        fresh = make()
        fresh.start(4, generator=generator())
        once, again, other = (each.decide(state, obs, generator=generator(step)) for each in (agent, agent, fresh))
        for second in (again, other):
            assert_same([once.action], [second.action], "deciding again from the same state, the action")
        assert_same(_tensors(once.state), _tensors(again.state), "deciding again from the same state, the state")
        state = once.state


def rows_can_begin_anew(make: Make) -> None:
    """`select` puts fresh rows into a state, and an agent goes on from the merged one."""
    agent, source = make(), generator()
    fresh, obs = agent.start(4, generator=source), _seen(agent, 4, 2)
    state = agent.decide(fresh, obs[0], generator=source).state
    mask = torch.tensor([True, False, False, True])
    try:
        merged = select(mask, agent.start(4, generator=source), state)
    except Exception as error:
        raise AssertionError(
            f"its state cannot be reset row by row ({described(error)}): hold tensors with the batch "
            "first, or give the state a method where(mask, other)"
        ) from error
    decision = agent.decide(merged, obs[1], generator=source)
    assert len(decision.action) == 4, f"after a reset of two rows it decides for {len(decision.action)} of 4"


def rows_do_not_mix(make: Make) -> None:
    """A row does the same whatever other rows see and whenever they begin anew."""
    (alone, left), (again, _), (among, after) = (_lived(make(), others=others) for others in (False, False, True))
    if not (torch.equal(left, after) and torch.equal(alone, again)):
        raise NotApplicable("how much it draws depends on what it sees, or is not given by its generator")
    assert_close(among, alone, "the actions of a row while the other rows see something else and begin anew", 1e-5)


def observations_untouched(make: Make) -> None:
    """The observation and the state that are passed in stay as they were."""
    agent, source = make(), generator()
    state, obs = agent.start(4, generator=source), _seen(agent, 4, 1)[0]
    before, held = clones(obs), [part.clone() for part in _tensors(state)]
    agent.decide(state, obs, generator=source)
    assert torch.equal(before, obs), "it changed the observation in place: work on a copy"
    assert_same(held, _tensors(state), "after deciding, the state passed in")


def can_be_sealed(make: Make) -> None:
    """A deep copy decides the same; told of nothing new, it is still an agent."""
    agent = make()
    copy = agent.sealed()
    assert_same(exercise(agent, generator()), exercise(copy, generator()), "a sealed copy's answer")
    other = copy.informed(Change())
    assert isinstance(other, Agent), f"informed must return an agent, got {type(other).__name__}"


CHECKS: tuple[Run, ...] = (
    decides_for_every_row,
    acts_within_its_space,
    policy_covers_the_actions,
    state_is_a_value,
    rows_can_begin_anew,
    rows_do_not_mix,
    observations_untouched,
    can_be_sealed,
)


def _lived(agent: Agent, *, others: bool) -> tuple[Tensor, Tensor]:
    """The actions of the first row, which begins anew after three steps, and the generator's state after the last.

    The `others` see something else than without them, and begin anew as well.
    """
    source, actions = generator(2), list[Tensor]()
    state = agent.start(4, generator=source)
    for step, obs in enumerate(_seen(agent, 4, 8)):
        if step == 3:
            try:
                state = select(torch.tensor([True, others, others, others]), agent.start(4, generator=source), state)
            except Exception as error:
                raise NotApplicable("its rows cannot begin anew") from error
        seen = torch.cat([obs[:1], obs[[2, 3, 1]]]) if others else obs
        decision = agent.decide(state, seen, generator=source)
        state = decision.state
        actions.append(decision.action[0])
    return torch.stack(actions), source.get_state()


def _seen(agent: Agent, batch: int, steps: int) -> list[Tensor]:
    """Observations, float32 as a run's are."""
    outcome, source = spaces(agent).outcome, generator(11)
    draw = outcome.draw if isinstance(outcome, Simplex) else None
    many = [draw(batch, generator=source) if draw else interior(outcome, batch, source) for _ in range(steps)]
    return [obs.to(torch.float32) for obs in many]


def _tensors(state: Any) -> list[Tensor]:
    """Every tensor in a state, in a fixed order."""
    if isinstance(state, Tensor):
        return [state]
    if is_dataclass(state) and not isinstance(state, type):
        return [leaf for part in fields(state) for leaf in _tensors(getattr(state, part.name))]
    if isinstance(state, dict):
        return [leaf for key in state for leaf in _tensors(state[key])]
    return [leaf for part in state for leaf in _tensors(part)] if isinstance(state, tuple | list) else []
