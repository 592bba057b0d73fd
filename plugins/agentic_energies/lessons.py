"""What a discrete model is asked to learn: names, learning rates, forgetting and the counts it begins with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf, isfinite
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import UserError
from agentic_energies.arrays import CLOSE, check_shape, tensors
from agentic_energies.counts import Options, check_counts, check_options

NAMES = ("A", "B", "C", "D", "E", "rewards", "ends")
ALONE = ("E", "ends")  # one array, not one for each modality or factor
FACTS = ("A", "B", "D", "ends")  # about the world: what is never seen there may be impossible
PAIRS = ("joint", "outer")
KNOWN = 0.01  # the weight of a reward that was never seen: one look outweighs it


@final
@dataclass(frozen=True)
class Lesson:
    """How one part of a model is learned.

    `rate` and `forgetting` are numbers, or lists of one per modality or factor, see `Counts`. `strength` is the sum of
    the prior's counts in each column where no counts are given, of rewards the weight of their prior `mean`. `pairs`
    says which belief about successive states teaches B: "joint", the exact q(z, z' | what was seen), or "outer", the
    product of its marginals, which is pymdp's.

    `prune` is a threshold in nats, above which what was never met is held impossible from then on, see
    `agentic_energies.counts.superfluous`, looked at after each `every`-th time that the model is taught; by
    default never. What adds up to so few observations as `negligible` is as good as none.
    """

    rate: float | Sequence[float] = 1.0
    forgetting: float | Sequence[float] = 0.0
    strength: float | None = None
    mean: float = 0.0
    pairs: str = "joint"
    prune: float = inf
    every: int = 1
    negligible: float = 0.5

    def __post_init__(self) -> None:
        if self.pairs not in PAIRS:
            raise UserError(f"learn.B.pairs expects one of {', '.join(PAIRS)}, got {self.pairs!r}")
        if self.strength is not None and not (self.strength > 0 and isfinite(self.strength)):
            raise UserError(f"the strength of a prior expects counts > 0, got {self.strength}")
        if not isfinite(self.mean):
            raise UserError(f"learn.rewards.mean expects a number, got {self.mean}")
        if not self.prune > 0 or not isinstance(self.every, int) or self.every < 1 or not 0 <= self.negligible < inf:
            raise UserError(
                "model reduction expects prune > 0 nats, a whole number every >= 1 and negligible >= 0, got "
                f"{self.prune}, {self.every} and {self.negligible}"
            )

    def due(self, taught: int) -> bool:
        """Whether a part is to be pruned now that its model was taught for the `taught`-th time."""
        return self.prune < inf and taught % self.every == 0

    def options(self, number: int, count: int) -> Options:
        """`rate` and `forgetting` of one of `count` arrays."""
        own = []
        for name, given in (("rate", self.rate), ("forgetting", self.forgetting)):
            listed = list(given) if isinstance(given, Sequence) else [given] * count
            if len(listed) != count:
                raise UserError(f"{name} expects a number, or {count} of them, got {len(listed)}")
            if not isinstance(listed[number], int | float):
                raise UserError(f"{name} expects numbers, got {listed[number]!r}")
            own.append(float(listed[number]))
        return check_options(*own)


@final
@dataclass(frozen=True)
class Lessons:
    """The lessons by name, and the arrays of counts that they begin with."""

    lessons: Mapping[str, Lesson]
    counts: Mapping[str, list[Tensor]] = field(default_factory=dict)

    @classmethod
    def read(cls, learn: Any, counts: Any) -> Self:
        """From names, or a mapping from name to options, and counts of A, or a mapping from name to counts."""
        given = counts if isinstance(counts, Mapping) else {} if counts is None else {"A": counts}
        if not isinstance(learn, Mapping) and not (
            isinstance(learn, Iterable) and all(isinstance(n, str) for n in learn)
        ):
            raise UserError(f"learn expects names of parts, or a mapping from them to options, got {learn!r}")
        options = learn if isinstance(learn, Mapping) else {name: {} for name in learn}
        lessons = {name: _lesson(name, options.get(name, {})) for name in (*options, *given)}
        if "rewards" in given:
            raise UserError("rewards are learned from a mean and its strength, not counts: set learn.rewards")
        arrays = {name: tensors(label(name), [each] if name in ALONE else each) for name, each in given.items()}
        for name, each in arrays.items():
            for i, count in enumerate(each):
                check_counts(f"{label(name)}[{i}]", count)
        return cls(lessons, arrays)

    def __contains__(self, name: str) -> bool:
        return name in self.lessons

    def strength(self, name: str, usual: float = 1.0) -> float:
        """The sum of the prior's counts in each column."""
        given = self.lessons[name].strength
        return usual if given is None else given

    def mean(self, name: str, given: Any) -> Any:
        """The arrays `given`, or where there are none the mean of the counts."""
        if name not in self.counts or (given is not None and len(given)):
            return given
        means = [count / count.sum(0) for count in self.counts[name]]
        return means[0] if name == "E" else means[0][1] if name == "ends" else means

    def liked(self, sizes: Sequence[int]) -> list[Tensor]:
        """The mean of the counts of preferences over modalities of these `sizes`: without any, all levels alike."""
        counts = self.counts.get("C")
        if counts is None:
            return [torch.full((size,), 1 / size, dtype=torch.float64) for size in sizes]
        if [tuple(count.shape) for count in counts] != [(size,) for size in sizes]:
            shapes = [tuple(count.shape) for count in counts]
            raise UserError(f"counts.C expects a list for each modality, of {tuple(sizes)} levels, got shapes {shapes}")
        return [count / count.sum(0) for count in counts]

    def start(self, name: str, means: Sequence[Tensor]) -> list[Tensor]:
        """The counts to begin with, checked against their `means`: those given, or `strength` in every column."""
        counts, title = self.counts.get(name), label(name)
        if counts is None:
            return [self.strength(name, float(len(mean)) if name == "C" else 1.0) * mean for mean in means]
        if len(counts) != len(means):
            raise UserError(f"{title} has {len(counts)} arrays and {name} has {len(means)}: one each")
        for i, (count, mean) in enumerate(zip(counts, means, strict=True)):
            check_shape(f"{title}[{i}]", count, tuple(mean.shape), f"that of {name}")
            missed = float((count / count.sum(0) - mean).abs().max())
            if missed > CLOSE:
                raise UserError(f"{name}[{i}] must be the mean of {title}[{i}], it is {missed:.3g} off: leave it out")
        return counts


def label(name: str) -> str:
    """How the counts of a part are called in messages."""
    return "counts" if name == "A" else f"counts.{name}"


def _lesson(name: str, options: Any) -> Lesson:
    if name not in NAMES:
        close = get_close_matches(name, NAMES, 1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise UserError(f"a categorical model learns {', '.join(NAMES)}, got {name!r}{hint}")
    known = Lesson.__dataclass_fields__
    if not isinstance(options, Mapping) or not options.keys() <= known.keys():
        raise UserError(f"learn.{name} expects the keys {', '.join(known)}, got {options!r}")
    try:
        lesson = Lesson(**options)
    except TypeError:
        raise UserError(f"learn.{name} expects numbers, and a word for pairs alone, got {options!r}") from None
    if (lesson.pairs != PAIRS[0] and name != "B") or (lesson.mean != 0 and name != "rewards"):
        raise UserError(f"learn.{name} has neither pairs, which are of B, nor a mean, which is of rewards: {options!r}")
    if lesson.prune < inf and name not in FACTS:
        raise UserError(
            f"learn.{name}.prune: what an agent has not done or seen yet is not impossible to do or to like, leave it "
            f"out: {', '.join(FACTS)} can be pruned"
        )
    return lesson
