"""What is asked of goals beyond energies: the energy expected under the beliefs of one imagined step.

A goal is tried in the kit's two models; one that is about other spaces is excused.
"""

import torch
from torch import Tensor

from agentic.engine.belief import Categorical
from agentic.models.model import Model, Step
from agentic.planning.goal import ActionGoal, Goal, LatentGoal, ObservationGoal
from agentic.testing.common import assert_close, generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.worlds import Cart, Ladder

ROWS = 3


def _fitting(goal: Goal) -> tuple[Model, Step, Tensor]:
    """A model whose spaces the goal is about, a step in it, and the goal's expectation."""
    for kind in (Ladder, Cart):
        model = kind()
        belief, action = model.begin(ROWS), model.action.draw(ROWS, generator=generator())
        step = Step(belief, action, model.predict(belief, action))
        free = {ObservationGoal: model.outcome, LatentGoal: model.latent, ActionGoal: model.action}
        domain = next((space for contract, space in free.items() if isinstance(goal, contract)), None)
        try:
            if domain is not None:
                goal(None, domain.draw(ROWS, generator=generator()))
            found = goal.expected(model, step)
        except Exception:  # of other sizes than this model's
            continue
        return model, step, found
    raise NotApplicable("it is about no space of this kit's models")


def expected_is_one_number_per_row(make: Make) -> None:
    """expected(model, step) is the goal's energy under the beliefs of one step, (b,), finite."""
    found = _fitting(make().double())[2]
    assert isinstance(found, Tensor), f"expected must return a tensor, got {type(found).__name__}"
    assert found.shape == (ROWS,), f"expected of {ROWS} rows must be {(ROWS,)}, got {tuple(found.shape)}"
    assert bool(torch.isfinite(found).all()), f"the expected energy is not finite: {found.tolist()}"


def expected_is_the_mean(make: Make) -> None:
    """Where all is discrete, expected(model, step) is the mean of the energy over what may be seen, be or be done."""
    goal = make().double()
    model, step, found = _fitting(goal)
    beliefs = {ObservationGoal: model.emit(step.after), LatentGoal: step.after}
    belief = next((each for contract, each in beliefs.items() if isinstance(goal, contract)), None)
    if not isinstance(belief, Categorical):
        raise NotApplicable("it is not about what is discrete")
    corners = torch.eye(belief.mean.shape[-1], dtype=torch.float64).unsqueeze(1).expand(-1, ROWS, -1)
    mean = (goal(None, corners) * belief.mean.T).sum(0)
    if not torch.allclose(goal(None, belief.mean), mean):
        raise NotApplicable("it is not linear in one-hot vectors: it is about real ones")
    assert_close(found, mean, "expected against the mean of the energy over all levels")


CHECKS: tuple[Run, ...] = (expected_is_one_number_per_row, expected_is_the_mean)
