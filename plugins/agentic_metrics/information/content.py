"""Plan content: the information of an agent's latent state on its coming actions, beyond what observations tell.

Decoders of the future are fitted with and without the latent state, and judged on episodes they have not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import stdtr

from agentic import Access, Measurement, Metric, Null, Schedule, Subject, UserError, run
from agentic_metrics.cautions import Caution, few_episodes, few_samples
from agentic_metrics.estimate import EXACT, FEW, Estimate, check_fields, observed
from agentic_metrics.information.decoder import Decoder, Floats, Integers, held_out
from agentic_metrics.responses.rooms import Committed, Field
from agentic_metrics.sampling.alike import alike
from agentic_metrics.sampling.embedding import check_aligned, past, steps, window
from agentic_metrics.sampling.information import Information, Values, standard_error
from agentic_metrics.sampling.series import Series, Variable, codes, pairs, recorded
from agentic_metrics.sampling.units import standard

ENOUGH = 10  # samples per weight of a decoder, below which it is fitted badly
JOINT = 64  # joint names up to which each has an indicator of its own


@final
@dataclass(frozen=True)
class PlanContent(Metric):
    """Plan content, in bits: what the agent's latent state tells of the next `horizon` actions beyond observations.

    I(Z_t; A_(t+1..t+h) | O_(<=t)) as what a decoder of the coming actions gains by seeing Z_t: the mean of
    log2 p(A | Z, O) - log2 p(A | O), both out of sample, over every step that has `memory` observations behind and
    `horizon` h actions ahead. The actions are decoded one after the other, each given those before (chain rule), by a
    `Decoder` of this `ridge` and `folds`. A committed plan of h fair moves holds h bits.

    In place of the latent, the decoder without it is given that of another moment, of another episode where there is
    one, with the same observations; of a similar one where they are measured, less what a linear guess from them tells
    apart. So both have as many features, and a latent that is a function of what is observed adds nothing: exactly
    where observations repeat or the function is linear, and otherwise up to how similar moments are. A lower bound
    where the decoder without Z is as good as any.

    `latent`, `action` and `observation` name columns of the record; "belief" takes all that the belief consists of,
    "obs+action" conditions on both. Raises UserError for a record without them.
    """

    latent: str = "belief"
    action: str = "action"
    observation: str = "obs"
    horizon: int = 2
    memory: int = 1
    ridge: float = 1.0
    folds: int = 5
    level: float = 0.95

    access = Access.INTERNALS
    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        Decoder(self.ridge, self.folds)
        check_fields(self, horizon=1, memory=1)

    def estimate(
        self, latents: Variable, actions: Variable, observations: Variable, *, generator: np.random.Generator
    ) -> Estimate:
        """The estimate from lists of arrays (t,) or (t, d), one per episode; actions are whole numbers.

        Interval: Student t over episodes. Null: a latent that tells nothing gains nothing out of sample on average, or
        loses; p from the same t. Raises UserError for measured actions, episodes that do not match, and fewer than two
        that are long enough.
        """
        probe, task = Decoder(self.ridge, self.folds), _task(latents, actions, observations, self.horizon, self.memory)
        folds = generator.permutation(task.episodes) % min(probe.folds, task.episodes)
        without, with_latent = (
            _scored(probe, task, latent, folds) for latent in (_exchanged(task, generator), task.latents)
        )
        found = Information(with_latent - without, cautions=tuple(_cautions(task)))
        error = standard_error(found.local, task.episode)
        p_value = float(stdtr(task.episodes - 1, -found.value / error)) if found.value > EXACT and error > 0 else 1.0
        return Estimate.of(
            found,
            "difference of held-out decoders",
            task.episode,
            null=Null("a latent that tells nothing, Student t over episodes", 0.0, error, task.episodes, p_value),
            diagnostics={
                "bits_without_latent": -float(without.mean()),
                "bits_with_latent": -float(with_latent.mean()),
            },
            level=self.level,
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        try:
            latents = recorded(subject.record, self.latent)
        except UserError as error:
            raise UserError(
                f"plan_content reads the agent's latent state: record an agent whose decisions have a belief ({error})"
            ) from None
        actions, observations = (recorded(subject.record, name) for name in (self.action, self.observation))
        found = self.estimate(latents, actions, observations, generator=generator)
        frame = observed(
            (self.latent, self.action, self.observation),
            boundary=f"{self.latent} is inside the agent, {self.observation} comes from the world",
            horizon=self.horizon,
            start="the episodes of the record",
        )
        return found.measurement("plan_content", self, frame)

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """The known answer for a committed plan of two fair moves, two bits."""
        record = run(Committed(2), Field(steps=12, deadly=False), Schedule(episodes=40), seed=1)
        yield cls(horizon=2), Subject(record=record), 2.0, 0.1


@final
@dataclass(frozen=True)
class _Task:
    """What is decoded: features of what is seen (n, f), coming actions (n, h) as codes, and each sample's episode."""

    latents: Floats  # (n, g) features of the latent state
    seen: Floats
    moments: Integers  # (n,) the group of those in which the same is seen
    coming: Integers
    classes: int
    episode: Integers

    @property
    def episodes(self) -> int:
        return int(self.episode[-1]) + 1


def _task(latents: Variable, actions: Variable, observations: Variable, horizon: int, memory: int) -> _Task:
    z, a, o = (Series.of(each) for each in (latents, actions, observations))
    check_aligned(latents=z, actions=a, observations=o)
    if not a.discrete:
        raise UserError("plan_content decodes choices, and the actions are measured: bin them into whole numbers")
    length = memory + horizon
    enough = sum(each >= length for each in a.lengths)
    if enough < 2:
        raise UserError(f"plan_content needs at least 2 episodes of {length} steps or more, got {enough}: record more")
    last, episode = steps(a.lengths, length - 1)
    choices, before = codes(a.joined()), window(o.joined(), past(last, first=horizon, depth=memory))
    return _Task(
        latents=_features(z.joined()[last - horizon], z.discrete),
        seen=_features(before, o.discrete),
        moments=alike(before),
        coming=choices[past(last, first=0, depth=horizon)[:, ::-1]],
        classes=int(choices.max()) + 1,
        episode=codes(episode[:, None]),
    )


def _places(names: Integers) -> Integers:
    """The place of each of the sorted `names` (n,) among those of the same name, from 0."""
    sizes = np.bincount(names)
    return np.arange(len(names)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _features(values: Values, discrete: bool) -> Floats:
    """Standardized features (n, f): an indicator of each name (of each joint one, where they are few), or numbers."""
    if not discrete:
        return standard(np.asarray(values, np.float64))
    joint = codes(values)[:, None]
    columns = joint if joint.max(initial=0) < JOINT else values
    blocks = [column[:, None] == np.unique(column) for column in columns.T]
    return np.concatenate(blocks, 1).astype(np.float64)


def _exchanged(task: _Task, generator: np.random.Generator) -> Floats:
    """The latents (n, g) of other moments in which the same is seen, plus what a linear guess tells them apart by."""
    design = np.concatenate([task.seen, np.ones((len(task.seen), 1))], 1)
    guess = design @ np.linalg.lstsq(design, task.latents)[0]
    mixed, both = generator.permutation(len(design)), pairs(task.moments, task.episode)
    turn = np.empty(len(design), np.int64)  # how many moments of the same group and episode come before
    turn[mixed[np.argsort(both[mixed], kind="stable")]] = _places(both)
    order = np.lexsort((generator.random(len(turn)), turn, task.moments))  # neighbors are of different episodes
    last = np.append(np.diff(task.moments[order]) > 0, True)
    other = np.empty_like(order)
    place = _places(task.moments)
    other[order] = order[np.arange(len(order)) + np.where(last, -place, 1)]
    return np.asarray(guess + (task.latents - guess)[other])


def _scored(probe: Decoder, task: _Task, latent: Floats, folds: Integers) -> Floats:
    """log2 probability (n,) of the coming actions out of sample."""
    score, fold = np.zeros(len(task.seen)), folds[task.episode]
    x = np.concatenate([latent, task.seen], 1)
    for ahead in range(task.coming.shape[1]):
        target = task.coming[:, ahead]
        for held in range(int(folds.max()) + 1):
            out = fold == held
            weights = probe.fit(x[~out], target[~out], np.zeros((x.shape[1] + 1, task.classes)))
            score[out] += held_out(weights, x[out], target[out])
        x = np.concatenate([x, np.eye(task.classes)[target]], 1)
    return score


def _cautions(task: _Task) -> Iterator[Caution]:
    weights = (task.seen.shape[1] + task.latents.shape[1] + 1) * (task.classes - 1)
    yield from few_samples(len(task.seen), ENOUGH * weights, detail=f"{weights} weights")
    yield from few_episodes(task.episodes, FEW)
    if task.classes == 1:
        yield Caution("the action never varies, so that nothing can tell it: its information is zero")
