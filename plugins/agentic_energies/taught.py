"""The beginning of learning: counts for the parts of a discrete model, from arrays or from nothing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from agentic import Environment, Simplex, UserError
from agentic.environments import Dependencies
from agentic_energies.counts import Counts, DenseCounts
from agentic_energies.cpt import Cpt, Listed
from agentic_energies.dependencies import check_discrete, column_index
from agentic_energies.learned import Learned
from agentic_energies.lessons import Lessons
from agentic_energies.listed_counts import ListedCounts

if TYPE_CHECKING:
    from agentic_energies.categorical import CategoricalModel

EVERYTHING = ("B", "rewards", "ends")
WEAK: Mapping[str, Any] = {"B": {"strength": 0.3}, "ends": {"strength": 0.11}}  # an observation soon outweighs nothing
ENDING = 1 / 11  # how likely a state never entered is held to end the episode


class Observed(NamedTuple):
    """The tables of a world whose states are observed: one modality for each part of the observation."""

    controls: tuple[int, ...]
    seen: list[Cpt]
    moves: Counts
    start: Tensor


def begin(
    model: "CategoricalModel", lessons: Lessons, form: Dependencies, arrays: Mapping[str, Sequence[Tensor]]
) -> None:
    """Let `model` learn what the lessons name, beginning with their counts."""
    model.learned, sizes = Learned(lessons), (*form.factors, *form.controls)
    parents: dict[str, list[Tensor | None]] = {
        "A": [column_index(each, form.factors) for each in form.A],
        "B": [column_index(form.parents_of_B(f), sizes) for f in range(len(form.factors))],
        "D": [None for _ in form.factors],
    }
    for name, index in parents.items():
        if name in lessons:
            model.learned.hold(model, name, _dense(model, lessons, name, arrays[name]), index)
    _begin_rest(model, lessons)


def begin_empty(model: "CategoricalModel", lessons: Lessons, moves: Counts) -> None:
    """Let an empty model learn what the lessons name."""
    model.learned = Learned(lessons)
    model.learned.hold(model, "B", [moves], [None])
    if "D" in lessons:
        start = model.prior.cpt.table[:, 0]
        model.learned.hold(model, "D", _dense(model, lessons, "D", [start]), [None])
    _begin_rest(model, lessons)


def from_nothing(learn: Sequence[str] | Mapping[str, Any]) -> Lessons:
    """The lessons of an empty model, whose priors are weaker than elsewhere unless their `strength` is given."""
    options = learn if isinstance(learn, Mapping) else {name: {} for name in learn}
    return Lessons.read({name: {**WEAK.get(name, {}), **each} for name, each in options.items()}, None)


def observed(env: Environment, lessons: Lessons, floor: float) -> Observed:
    """The states of an environment are its observations. Raises UserError for spaces that are not discrete."""
    check_discrete(env)
    assert isinstance(env.observation, Simplex)
    assert isinstance(env.action, Simplex)
    if "B" not in lessons or "A" in lessons:
        raise UserError("an empty model has its states from what is observed: it learns B, and nothing about A")
    states, sizes = env.observation.count, env.observation.sizes
    values = torch.unravel_index(torch.arange(states), sizes)
    sure = torch.ones(states, 1, dtype=torch.float64)
    seen: list[Cpt] = [
        Listed(value.unsqueeze(-1), sure, size, floor) for value, size in zip(values, sizes, strict=True)
    ]
    share, options = lessons.strength("B") / states, lessons.lessons["B"].options(0, 1)
    moves = ListedCounts(states, states * env.action.count, share, floor, **options)
    return Observed(env.action.sizes, seen, moves, torch.full((states,), 1 / states, dtype=torch.float64))


def _begin_rest(model: "CategoricalModel", lessons: Lessons) -> None:
    if "E" in lessons:
        count = model.action.count
        habits = torch.full((count,), 1 / count, dtype=torch.float64)
        habits = habits if model.log_habits is None else model.log_habits.exp()
        model.learned.hold(model, "E", _dense(model, lessons, "E", [habits]), [None])
    if "ends" in lessons:
        ends = 1 - model.going_on if not model.endless else torch.full_like(model.going_on, ENDING)
        means = torch.stack([1 - ends, ends]).view(2, *model.factors)
        model.learned.hold(model, "ends", _dense(model, lessons, "ends", [means]), [None])
    if "C" in lessons:
        liked = lessons.liked(model.outcome.sizes)
        model.learned.hold(model, "C", _dense(model, lessons, "C", liked), [None for _ in liked])
    if "rewards" in lessons:
        model.learned.hold_rewards(model)


def _dense(model: "CategoricalModel", lessons: Lessons, name: str, means: Sequence[Tensor]) -> list[DenseCounts]:
    counts, lesson = lessons.start(name, means), lessons.lessons[name]
    return [
        DenseCounts(each.reshape(len(each), -1), model.floor, **lesson.options(i, len(counts)))
        for i, each in enumerate(counts)
    ]
