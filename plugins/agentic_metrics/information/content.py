"""How much of the actions to come an agent's latent state holds, beyond what its observations tell: a committed plan.

Decoders of the future are fitted with and without the latent state, and judged on episodes they have not seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from agentic import Access, Frame, Measurement, Metric, Null, Schedule, Subject, UserError, run
from agentic_metrics.cautions import Caution, few_episodes, too_few
from agentic_metrics.estimate import EXACT, Estimate
from agentic_metrics.information.decoder import Decoder, held_out
from agentic_metrics.responses.rooms import Committed, Field
from agentic_metrics.sampling.information import Information, interval, standard_error
from agentic_metrics.sampling.series import Series, recorded

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Variable = Series | ArrayLike | Sequence[ArrayLike]

ENOUGH = 10  # samples per weight of a decoder, below which it is fitted badly
FEW = 10  # episodes below which the interval is not to be believed
JOINT = 64  # joint names up to which each has an indicator of its own


def plan_content(
    latents: Variable,
    actions: Variable,
    observations: Variable,
    *,
    generator: np.random.Generator,
    horizon: int = 2,
    memory: int = 1,
    decoder: Decoder | None = None,
    level: float = 0.95,
) -> Estimate:
    """I(Z_t; A_(t+1..t+h) | O_(<=t)), bits, as what a decoder of the coming actions gains by seeing Z_t.

    `latents`, `actions` and `observations` are lists of arrays (t,) or (t, d), one per episode; actions are whole
    numbers. The value is the mean of log2 p(A | Z, O) - log2 p(A | O), both out of sample, over every step that has
    `memory` observations behind and `horizon` actions ahead; the actions are decoded one after the other, each given
    those before (chain rule). A committed plan of h fair moves holds h bits.

    In place of the latent, the decoder without it is given the best linear guess of it from what is observed, so that
    both have as many features and a latent that repeats an observation adds nothing. A lower bound where the decoder
    without Z is as good as any: probes that miss what observations tell, as linear ones of measured observations may,
    credit Z with it. Interval: Student t over episodes. Null: a latent that tells nothing gains nothing out of sample
    on average, or loses; p from the same t.

    Raises UserError for measured actions, episodes that do not match, and fewer than two that are long enough.
    """
    probe, task = decoder or Decoder(), _task(latents, actions, observations, horizon, memory)
    folds = generator.permutation(task.episodes) % min(probe.folds, task.episodes)
    design = np.concatenate([task.seen, np.ones((len(task.seen), 1))], 1)
    guess = design @ np.linalg.lstsq(design, task.latents)[0]
    without, with_latent = (_scored(probe, task, latent, folds) for latent in (guess, task.latents))
    local = with_latent - without
    value, error = float(local.mean()), standard_error(local, task.episode)
    p_value = float(stdtr(task.episodes - 1, -value / error)) if value > EXACT and error > 0 else 1.0
    return Estimate(
        value=value,
        estimator="difference of held-out decoders",
        interval=interval(Information(local), task.episode, level=level),
        null=Null("a latent that tells nothing, Student t over episodes", 0.0, error, task.episodes, p_value),
        episodes=task.episodes,
        samples=len(local),
        diagnostics={
            "bits_without_latent": -float(without.mean()),
            "bits_with_latent": -float(with_latent.mean()),
        },
        cautions=tuple(_cautions(task)),
    )


@final
@dataclass(frozen=True)
class PlanContent(Metric):
    """Bits about the next `horizon` actions that the agent's latent state holds beyond the last `memory` observations.

    `latent`, `action` and `observation` name columns of the record; "belief" takes all that the belief consists of,
    "obs+action" conditions on both. Linear probes: see `plan_content`. Raises UserError for a record without them.
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
        if self.horizon < 1 or self.memory < 1 or not 0 < self.level < 1:
            raise UserError(f"plan_content expects horizon >= 1, memory >= 1 and a level between 0 and 1, got {self}")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        try:
            latents = recorded(subject.record, self.latent)
        except UserError as error:
            raise UserError(
                f"plan_content reads the agent's latent state: record an agent whose decisions have a belief ({error})"
            ) from None
        actions, observations = (recorded(subject.record, name) for name in (self.action, self.observation))
        found = plan_content(
            latents,
            actions,
            observations,
            generator=generator,
            horizon=self.horizon,
            memory=self.memory,
            decoder=Decoder(self.ridge, self.folds),
            level=self.level,
        )
        frame = Frame(
            variables=(self.latent, self.action, self.observation),
            boundary=f"{self.latent} is inside the agent, {self.observation} comes from the world",
            horizon=self.horizon,
            goal="none",
            start="the episodes of the record",
            interventions=(),
        )
        return found.measurement("plan_content", self, frame)

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """A plan of two fair moves holds two bits."""
        record = run(Committed(2), Field(steps=12, deadly=False), Schedule(episodes=40), seed=1)
        yield cls(horizon=2), Subject(record=record), 2.0, 0.1


@final
@dataclass(frozen=True)
class _Task:
    """What is decoded: features of what is seen (n, f), coming actions (n, h) as codes, and each sample's episode."""

    latents: Floats  # (n, g) features of the latent state
    seen: Floats
    coming: Integers
    classes: int
    episode: Integers

    @property
    def episodes(self) -> int:
        return int(self.episode[-1]) + 1


def _task(latents: Variable, actions: Variable, observations: Variable, horizon: int, memory: int) -> _Task:
    z, a, o = (Series.of(each) for each in (latents, actions, observations))
    if not z.lengths == a.lengths == o.lengths:
        raise UserError(
            f"latents, actions and observations must be of the same episodes, got {len(z.lengths)}, "
            f"{len(a.lengths)} and {len(o.lengths)} of them or different lengths"
        )
    if not a.discrete:
        raise UserError("plan_content decodes choices, and the actions are measured: bin them into whole numbers")
    kept = [i for i, length in enumerate(a.lengths) if length >= memory + horizon]
    if len(kept) < 2:
        raise UserError(
            f"plan_content needs at least 2 episodes of {memory + horizon} steps or more, got {len(kept)}: record more"
        )
    steps = [np.arange(memory - 1, a.lengths[i] - horizon) for i in kept]
    codes = np.unique(a.joined(), axis=0, return_inverse=True)[1].reshape(-1)
    choices = np.split(codes, np.cumsum(a.lengths)[:-1])
    pasts = [
        np.concatenate([o.episodes[i][t - lag] for lag in range(memory)], 1) for i, t in zip(kept, steps, strict=True)
    ]
    inner = [z.episodes[i][t] for i, t in zip(kept, steps, strict=True)]
    return _Task(
        latents=_features(np.concatenate(inner), z.discrete),
        seen=_features(np.concatenate(pasts), o.discrete),
        coming=np.concatenate(
            [
                np.stack([choices[i][t + 1 + ahead] for ahead in range(horizon)], 1)
                for i, t in zip(kept, steps, strict=True)
            ]
        ),
        classes=int(codes.max()) + 1,
        episode=np.repeat(np.arange(len(kept)), [len(t) for t in steps]),
    )


def _features(values: NDArray[np.generic], discrete: bool) -> Floats:
    """Standardized features (n, f): an indicator of each name (of each joint one, where they are few), or numbers."""
    if not discrete:
        numbers = np.asarray(values, np.float64)
        scale = numbers.std(0)
        return np.asarray((numbers - numbers.mean(0)) / np.where(scale > 1e-12, scale, 1.0))
    joint = np.unique(values, axis=0, return_inverse=True)[1].reshape(len(values), 1)
    columns = joint if joint.max(initial=0) < JOINT else values
    blocks = [column[:, None] == np.unique(column) for column in columns.T]
    return np.concatenate(blocks, 1).astype(np.float64)


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


def _cautions(task: _Task) -> list[Caution]:
    found: list[Caution] = []
    weights = (task.seen.shape[1] + task.latents.shape[1] + 1) * (task.classes - 1)
    if len(task.seen) < ENOUGH * weights:
        few = f"{len(task.seen)} samples are too few for {weights} weights: record at least {ENOUGH * weights}"
        found.append(too_few(few))
    found += few_episodes(task.episodes, FEW)
    if task.classes == 1:
        found.append(Caution("the action never varies, so that nothing can tell it: its information is zero"))
    return found
