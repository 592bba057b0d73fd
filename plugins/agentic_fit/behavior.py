"""Behavior: what was seen and what was done, by agents that ran here and by people who were watched elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, final

import numpy as np

from agentic import Record, UserError
from agentic.runs import numpy_of

LARGEST = 2.0**53  # whole numbers that a float tells apart
COLUMNS = ("t", "reward", "terminated", "truncated")


@final
@dataclass(frozen=True)
class Behavior:
    """Decisions in the order they were taken, n of them, each with what was seen before it and after it.

    `obs`, `next_obs` (n, modalities) are numbers of levels, NaN where something was not seen; `action` (n, controls)
    numbers of actions. `subject`, `episode` (n,) say whose decision it was and in which episode of theirs, `t` (n,) how
    many came before it there, `tick` (n,) which were taken at once. After those that are `learns` (n,) a learner
    learned. `reward`, `terminated`, `truncated` (n,) are as in a tick.
    """

    obs: np.ndarray
    action: np.ndarray
    next_obs: np.ndarray
    subject: np.ndarray
    episode: np.ndarray
    t: np.ndarray
    tick: np.ndarray
    learns: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, given: Any) -> Self:
        """Behavior as it is, that of a `Record`, or that of a pair of arrays (obs, action)."""
        if isinstance(given, cls):
            return given
        if isinstance(given, Record):
            return cls.from_record(given)
        if isinstance(given, tuple) and len(given) == 2:
            return cls.from_arrays(*given)
        raise UserError(f"behavior is a Record, a Behavior, or a pair (obs, action), got a {type(given).__name__}")

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """All that was recorded of a run; the rows of its batch are the subjects, and learned where it was recorded so.

        Raises UserError where observations or actions are not discrete, and where an episode lacks ticks.
        """
        episodes = record.episodes()
        if not episodes:
            raise UserError("the record holds no tick: there is nothing to fit")
        parts = []
        for number, each in enumerate(episodes):
            if not np.array_equal(each.arrays["t"], np.arange(each.length)):
                raise UserError(
                    f"episode {each.episode} of row {each.row} lacks ticks: beliefs need all from its first"
                )
            named = {name: _joined(each.arrays, name) for name in ("obs", "action", "next_obs")}
            same = {"subject": each.row, "episode": number, "learns": each.phase == "learn"}
            named |= {name: np.full(each.length, value) for name, value in same.items()}
            parts.append(named | {name: each.arrays[name] for name in COLUMNS})
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = _order(record)
        whole = {name: column[order] for name, column in whole.items()}
        return cls(**whole, tick=_ticks(whole["subject"], whole["learns"]))

    @classmethod
    def from_arrays(
        cls,
        obs: Any,
        action: Any,
        *,
        episode: Any = None,
        subject: Any = None,
        reward: Any = None,
        learns: Any = False,
    ) -> Self:
        """Behavior from columns, one entry or row per decision in the order they were taken: of an experiment, say.

        `obs` (n,) or (n, modalities), `action` (n,) or (n, controls) count from 0; NaN is an observation that is
        missing. `episode` and `subject` (n,) are labels of any kind: beliefs begin anew with every episode, which is
        one where nothing is given. `learns` says that whoever decided could learn from every decision, or one by one
        (n,) from which. Raises UserError for columns of unequal lengths, for actions that are not whole numbers, and
        for rewards and labels that are missing.
        """
        seen, done = _column("obs", obs), _column("action", action)
        count = len(done)
        whose, which = (_labels(name, given, count) for name, given in (("subject", subject), ("episode", episode)))
        paid = np.zeros((count, 1)) if reward is None else _column("reward", reward)
        if not count or len(seen) != count or paid.shape != (count, 1):
            raise UserError(f"obs, action and reward have {len(seen)}, {count} and {len(paid)} rows: one per decision")
        if not np.isfinite(paid).all():
            raise UserError("rewards are finite numbers, got others: give 0 where nothing was paid")
        if not (np.abs(done) < LARGEST).all() or (done != np.floor(done)).any():
            raise UserError("actions are whole numbers from 0, got others: leave out decisions that were not taken")
        _, together = np.unique(np.stack([whose, which]), axis=1, return_inverse=True)
        last, t = _counted(together.reshape(-1))
        later = _following(seen, together.reshape(-1))
        flags = np.zeros(count, bool)
        return cls(
            *(seen, done.astype(np.int64), later, whose, together.reshape(-1), t, _counted(whose)[1]),
            *(_flags(learns, count), paid[:, 0], flags, last),
        )

    def of_subjects(self) -> list["Behavior"]:
        """The behavior of each subject, in the order of their labels."""
        return [self.taken(self.subject == who) for who in np.unique(self.subject)]

    def taken(self, rows: np.ndarray) -> "Behavior":
        """Some of the decisions, by a mask or by their places."""
        return Behavior(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def stages(self, one_by_one: bool) -> Iterator[np.ndarray]:
        """The places of decisions that can be replayed at once, one after another.

        All episodes side by side; or `one_by_one`, tick by tick as they happened.
        """
        key = self.tick if one_by_one else self.t
        order = np.argsort(key, kind="stable")
        yield from np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def _joined(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """The columns of a name, and of its parts, as one (n, factors). Raises UserError for what is not discrete."""
    found = [array for key, array in arrays.items() if key == name or key.startswith(f"{name}.")]
    if any(array.dtype.kind not in "iub" for array in found):
        raise UserError(f"the record's {name} is continuous: only discrete observations and actions can be fitted")
    whole = np.concatenate([array.reshape(len(array), -1) for array in found], 1)
    return whole.astype(np.int64 if name == "action" else np.float64)


def _order(record: Record) -> np.ndarray:
    """The places, among all episodes one after another, of the ticks in the order they happened."""
    table = record.table(["phase", "row", "episode"])
    row, episode = (numpy_of(table[name]) for name in ("row", "episode"))
    phase = np.array(table["phase"].to_pylist()) == "evaluate"
    sorting = np.lexsort((np.arange(len(row)), episode, row, phase))
    order: np.ndarray = np.argsort(sorting)
    return order[np.argsort(phase, kind="stable")]


def _ticks(row: np.ndarray, learns: np.ndarray) -> np.ndarray:
    """Which rows happened at once: a new tick begins where rows do not go on counting up."""
    return np.concatenate([[0], np.cumsum((np.diff(row) <= 0) | (learns[1:] != learns[:-1]))])


def _column(name: str, given: Any) -> np.ndarray:
    """Numbers (n, factors), float64."""
    try:
        column = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} expects numbers, one row per decision ({error})") from None
    if column.ndim not in (1, 2):
        raise UserError(f"{name} expects shape (n,) or (n, parts), one row per decision, got {column.shape}")
    return column if column.ndim == 2 else column[:, None]


def _labels(name: str, given: Any, count: int) -> np.ndarray:
    """Labels of any kind as numbers from 0, in their order."""
    labels = np.zeros(count, np.int64) if given is None else np.asarray(given)
    if labels.shape != (count,):
        raise UserError(f"{name} expects a label for each of {count} decisions, got shape {labels.shape}")
    missing = [each is None or each != each for each in labels.tolist()]
    if any(missing):
        raise UserError(f"{name} expects a label for each decision, and decision {missing.index(True)} has none")
    try:
        return np.unique(labels, return_inverse=True)[1].reshape(-1)
    except TypeError:
        raise UserError(f"{name} expects labels of one kind, numbers or texts, got several") from None


def _flags(given: Any, count: int) -> np.ndarray:
    """Whether something holds of each decision: of all the same, or one by one."""
    flags = np.asarray(given)
    if flags.dtype != bool or flags.shape not in ((), (count,)):
        raise UserError(f"learns expects true or false, or one of them for each of {count} decisions, got {given!r}")
    return np.array(np.broadcast_to(flags, count))


def _sorted(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places group by group, each in its order, and which of them begin one."""
    order = np.argsort(group, kind="stable")
    return order, np.diff(group[order], prepend=-1) != 0


def _counted(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each is the last of its group, numbered from 0, and how many of its group came before it."""
    (order, begins), t = _sorted(group), np.empty(len(group), np.int64)
    last = np.empty(len(group), bool)
    starts = np.flatnonzero(begins)
    t[order] = np.arange(len(group)) - starts[np.cumsum(begins) - 1]
    last[order] = np.append(begins[1:], True)
    return last, t


def _following(seen: np.ndarray, group: np.ndarray) -> np.ndarray:
    """What was seen next in the same group, NaN after its last."""
    (order, begins), later = _sorted(group), np.full_like(seen, np.nan)
    goes_on = np.flatnonzero(~begins)
    later[order[goes_on - 1]] = seen[order[goes_on]]
    return later
