"""Choosing settings: as many candidates for every learner, on seeds that are never reported."""

from collections.abc import Sequence
from functools import partial
from math import inf

from agentic import RunError

from .questions import SETTINGS, SHARED, chosen, questions
from .runs import Job, spread
from .study import Setting

SEEDS = (100, 101)


def search(names: Sequence[str], workers: int) -> None:
    """Try every candidate of every learner of the questions named, and keep the best in the settings file."""
    best = {name: dict(part) for name, part in chosen().items() if name not in SHARED} if SETTINGS.exists() else {}
    for name in names:
        question = questions()[name]
        tried = [(learner.name, candidate) for learner in question.learners for candidate in learner.candidates]
        work = [partial(_score, name, learner, candidate) for learner, candidate in tried]
        scores = spread(work, workers, f"search: {name}")
        ranked = sorted(zip(scores, tried, strict=True), key=lambda pair: pair[0], reverse=True)
        best[name] = {learner: candidate for _, (learner, candidate) in ranked}  # the best comes last, and stays
        for score, (learner, candidate) in ranked:
            print(f"{learner:24} rate {candidate.rate:<6g} extra {candidate.extra:<5g} {score:9.4f}")
        SETTINGS.write_text(_toml(best))


def _score(name: str, learner: str, candidate: Setting) -> float:
    """The question's criterion, summed over the numbers of data it is tuned on and the search's seeds."""
    question, total = questions()[name], 0.0
    for size in question.tuned_on:
        for seed in SEEDS:
            try:
                total += question.criterion(Job(name, learner, size, seed, candidate).run())
            except RunError:  # the loss was not a number any more
                return inf
    return total


def _toml(best: dict[str, dict[str, Setting]]) -> str:
    lines = ["# Written by `python examples/feedforward_vs_energy.py --search`, on seeds that are never reported."]
    for name, part in best.items():
        lines += ["", f"[{name}]"]
        for learner in (each.name for each in questions()[name].learners):
            setting = part[learner]
            numbers = ", ".join(f"{name} = {value}" for name, value in vars(setting).items())
            lines.append(f'"{learner}" = {{ {numbers} }}')
    return "\n".join(lines) + "\n"
