"""pymdp's arrays: its defaults, a batch of one, object arrays, controls without a choice, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Evidence, ExpectedEnergy, Purpose, Simplex, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.goals import LogPreferences, LogPreferencesOverTime
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch

SIDE = np.eye(2)[:, :, None]  # a factor that stays, whatever is done


def columns(seed: int, *shape: int) -> np.ndarray:
    """Random probabilities along axis 0."""
    draws = np.random.default_rng(seed).dirichlet(np.ones(shape[0]), shape[1:])
    return np.moveaxis(draws, -1, 0)


PLACE = columns(0, 3, 3, 4)
LOOK, FEEL = columns(1, 2, 3, 2), columns(2, 3, 3, 2)
START = [np.array([0.2, 0.3, 0.5]), np.array([0.5, 0.5])]
MODELS = pytest.mark.parametrize("model", [CategoricalModel, FactoredModel])


def same(model: CategoricalModel | FactoredModel, other: CategoricalModel | FactoredModel) -> None:
    """Both expect the same of every action, and see the same."""
    assert (model.latent, model.action, model.outcome) == (other.latent, other.action, other.outcome)
    actions = model.action.corners().unsqueeze(1)
    ahead, expected = (each.predict(each.begin(1), actions) for each in (model, other))
    assert_close(ahead.mean, expected.mean)
    assert_close(model.emit(ahead).mean, other.emit(expected).mean)


@MODELS
def test_by_default_every_factor_has_a_control_of_its_own(model: type[CategoricalModel | FactoredModel]) -> None:
    """Of which only those with a choice are left."""
    sides = columns(3, 2, 2, 3)
    ours = model.from_pymdp([LOOK, FEEL], [PLACE, sides], START)
    assert ours.action == Simplex((4, 3))
    same(ours, model([LOOK, FEEL], [PLACE, sides], START, dependencies={"B_actions": [[0], [1]]}))
    assert model.from_pymdp([LOOK], [PLACE, SIDE], START).action == Simplex((4,))
    assert model.from_pymdp([LOOK], [PLACE[..., :1], SIDE], START).action == Simplex((1,))


@MODELS
def test_lists_of_dependencies(model: type[CategoricalModel | FactoredModel]) -> None:
    near, sides = columns(4, 2, 3), columns(5, 2, 2, 3, 2, 4)
    ours = model.from_pymdp(
        [near, LOOK],
        [PLACE, sides],
        START,
        A_dependencies=[[0], [0, 1]],
        B_dependencies=[[0], [1, 0]],
        B_action_dependencies=[[1], [0, 1]],
        num_controls=[2, 4],
    )
    lists = {"A": [[0], [0, 1]], "B": [[0], [1, 0]], "B_actions": [[1], [0, 1]]}
    same(ours, model([near, LOOK], [PLACE, sides], START, dependencies=lists))


@MODELS
def test_factors_without_a_control_and_controls_without_a_factor(
    model: type[CategoricalModel | FactoredModel],
) -> None:
    given = {"B_action_dependencies": [[2], []], "num_controls": [3, 1, 4]}
    ours = model.from_pymdp([LOOK], [PLACE, SIDE[..., 0]], START, **given)
    same(ours, model.from_pymdp([LOOK], [PLACE, SIDE], START))
    still = model.from_pymdp([LOOK], [PLACE[..., 0], SIDE[..., 0]], START, B_action_dependencies=[[], []])
    assert still.action == Simplex((1,))


@MODELS
def test_without_a_start_every_state_is_equally_likely(model: type[CategoricalModel | FactoredModel]) -> None:
    ours = model.from_pymdp([LOOK], [PLACE, SIDE])
    same(ours, model.from_pymdp([LOOK], [PLACE, SIDE], [np.full(3, 1 / 3), np.full(2, 1 / 2)]))


@MODELS
def test_a_batch_of_one_object_arrays_and_single_precision(model: type[CategoricalModel | FactoredModel]) -> None:
    plain = model.from_pymdp([LOOK, FEEL], [PLACE, SIDE], START, E=np.full(4, 0.25))
    assert plain.log_habits is not None

    def objects(*arrays: np.ndarray) -> Any:
        held = np.empty(len(arrays), dtype=object)
        held[:] = arrays
        return held

    def batch(*arrays: np.ndarray) -> list[np.ndarray]:
        return [each[None].astype(np.float32) for each in arrays]

    same(plain, model.from_pymdp(objects(LOOK, FEEL), objects(PLACE, SIDE), objects(*START)))
    single = model.from_pymdp(batch(LOOK, FEEL), batch(PLACE, SIDE), batch(*START), E=np.full((1, 4), 0.25))
    assert_close(single.emit(single.begin(1)).mean, plain.emit(plain.begin(1)).mean, atol=1e-7, rtol=0)
    assert_close(
        single.emit(single.begin(1)).mean.sum(-1), torch.tensor([2.0], dtype=torch.float64), atol=1e-14, rtol=0
    )


@MODELS
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"C": [[0.0, 1.0]]}, "give it to LogPreferences.from_pymdp"),
        ({"E": np.full(16, 1 / 16)}, "E has 16 entries, the model 4 joint actions"),
        ({"A_dependencies": [[0], [1]]}, "A_dependencies expects 1 entries, one per array, got 2"),
        (
            {"D": [np.stack([START[0]] * 2), START[1]]},
            r"D\[0\] expects 1 axes, at most with a batch of one agent in front, got \(2, 3\)",
        ),
        ({"B_action_dependencies": [[0], [1]], "num_controls": [3, 1]}, "control 0 has 4 settings in B"),
        ({"B_action_dependencies": [[0], [1]], "num_controls": [4]}, "control 1 has 1 settings in B"),
        ({"B_action_dependencies": [[0], [0]]}, r"control 0 has 1 settings in B\[1\], others differ"),
        ({"B_action_dependencies": [[0], [1, 2]]}, r"B\[1\] expects 4 axes, got shape \(2, 2, 1\)"),
        ({"B_dependencies": [[0]]}, "B_dependencies expects 2 entries"),
        ({"A_dependencies": [[0]]}, r"A\[0\] expects 2 axes, at most with a batch"),
        ({"D": START[:1]}, "D expects 2 entries, one per array, got 1"),
    ],
)
def test_what_is_refused(model: type[CategoricalModel | FactoredModel], given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        model.from_pymdp([LOOK], [PLACE, SIDE], **{"D": START} | given)


def test_preferences_of_a_batch_of_one_and_over_time() -> None:
    flat, rows = np.array([0.0, 1.0]), np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    plain = LogPreferencesOverTime([flat, rows])
    for C in ([flat[None], rows[None]], [flat, rows], [flat[None, None], rows]):
        ours = LogPreferences.from_pymdp(C)
        assert isinstance(ours, LogPreferencesOverTime)
        seen = torch.eye(5, dtype=torch.float64)
        assert all(torch.equal(ours.at(t)(None, seen), plain.at(t)(None, seen)) for t in range(4))
    once = LogPreferences.from_pymdp([flat[None], rows[:1]])
    assert isinstance(once, LogPreferences)
    assert once.costs.tolist() == [0.0, -1.0, 0.0, -1.0, -2.0]
    with pytest.raises(UserError, match=r"C\[0\] expects 2 axes, at most with a batch of one agent"):
        LogPreferences.from_pymdp([np.zeros((2, 3, 2))])


@MODELS
def test_tensors_with_gradients_and_in_single_precision(model: type[CategoricalModel | FactoredModel]) -> None:
    """As arrays are: without their gradient, and with columns that sum to one in double precision."""
    arrays = {"A": [LOOK, FEEL], "B": [PLACE, SIDE], "D": START}
    given = {name: [torch.tensor(a).requires_grad_() for a in each] for name, each in arrays.items()}
    same(model.from_pymdp(**given), model.from_pymdp(**arrays))
    single = {name: [torch.tensor(a).float() for a in each] for name, each in arrays.items()}
    whole = model.from_pymdp(**single)
    ahead = whole.predict(whole.begin(1), whole.action.corners().unsqueeze(1))
    assert_close(whole.emit(ahead).mean.sum(-1), torch.full((4, 1), 2.0, dtype=torch.float64), atol=1e-15, rtol=0)


@MODELS
@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.bool])
def test_observations_of_any_type(model: type[CategoricalModel | FactoredModel], dtype: torch.dtype) -> None:
    agent = model.from_pymdp([LOOK, FEEL], [PLACE, SIDE], START)
    obs = agent.outcome.one_hot(torch.tensor([[1, 2], [0, 0]]))
    for solver in (Exact(), Mirror()):
        found, given = (
            minimize(Evidence(agent, seen, agent.begin(2)), solver, agent.begin(2).mean)
            for seen in (obs, obs.to(dtype))
        )
        assert torch.equal(found.value, given.value)


@MODELS
def test_preferences_of_another_size_are_named(model: type[CategoricalModel | FactoredModel]) -> None:
    agent = model.from_pymdp([LOOK, FEEL], [PLACE, SIDE], START)
    f = ExpectedEnergy(agent, agent.begin(1), Purpose(LogPreferences([[0.0, 1.0]]), 2))
    for planner in (Enumerate(), TreeSearch()):
        with pytest.raises(UserError, match=r"log preferences over levels \(2,\) are asked about 5 levels in all"):
            minimize(f, planner)
