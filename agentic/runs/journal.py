"""The journal of a run: a line of JSON for each completed episode and each report of learning, while it goes on.

It is the only file beside the manifest that holds wall-clock values. Loggers are told the same numbers.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import IO, Any, final

import numpy as np

from agentic.errors import RunError
from agentic.runs.files import whole
from agentic.runs.folder import complete_lines
from agentic.runs.logger import LoggedRun, Logger, Loggers
from agentic.runs.manifest import Manifest
from agentic.runs.seeds import Phase
from agentic.runs.table import PHASES
from agentic.tick import Tick

EVERY = 100  # steps for which reports of learning are averaged: some learners report on every tick
PENDING = 4096  # rows that are kept as they are until they are added up together


@final
class Journal:
    """The writer of a run's progress file, and of what its loggers are told.

    What is added up of episodes that are not completed yet, and how many lines there are, belongs to a checkpoint:
    a run that goes on from one drops the lines that came after it, and writes them again.
    """

    unchanged = ("_manifest", "_loggers", "_batch", "_file")

    def __init__(self, manifest: Manifest, batch: int, loggers: Sequence[Logger] = ()) -> None:
        self._manifest, self._batch = manifest, batch
        self._file: IO[bytes] | None = None
        self._loggers = Loggers(loggers, manifest.leave_out)
        self._lines = self._steps = self._reported = 0
        self._phase: Phase = "learn"
        self._sums: dict[tuple[str, ...], list[np.ndarray]] = {}  # (n, b) of n names, and their numbers of steps (b,)
        self._reports: dict[str, list[float]] = {}  # by name: the sum since the last line, and of how many
        self._names: tuple[str, ...] = ()  # of what is pending
        self._pending: list[tuple[np.ndarray, list[np.ndarray]]] = []

    def begin(self) -> None:
        """Open the file after the lines that there are, and start the loggers. Raises RunError where it cannot."""
        folder = self._manifest.folder
        if folder is not None:
            try:
                kept = complete_lines(folder.progress_file)[: self._lines]
                if kept:
                    with whole(folder.progress_file) as file:
                        file.writelines(kept)
                else:
                    folder.progress_file.unlink(missing_ok=True)
                self._lines, self._file = len(kept), open(folder.progress_file, "ab" if kept else "xb")
            except OSError as error:
                raise self._unwritten(error) from error
        experiment = {} if folder is None else folder.experiment
        place = None if folder is None else folder.path
        run = LoggedRun(place, experiment, self._manifest.content, self._steps)
        self._loggers.tell(lambda logger: logger.start(run))

    def hear(
        self, phase: Phase, tick: Tick, decided: Mapping[str, np.ndarray], learned: Mapping[str, float], ended: bool
    ) -> None:
        """Take a tick, the columns of its decision, what learning reported, and whether an episode was completed."""
        news: dict[str, float] = {}
        if phase != self._phase:
            news |= self._turned(phase)
        self._steps += int(np.count_nonzero(tick.valid))
        self._keep(tick, decided)
        for name, value in learned.items():
            report = self._reports.setdefault(name, [0.0, 0])
            report[0], report[1] = report[0] + float(value), report[1] + 1
        if ended:
            news |= self._completed(tick)
        if self._reports and self._steps - self._reported >= EVERY:
            news |= self._reported_on()
        if news and self._loggers.there:
            self._loggers.tell(lambda logger: logger.log(self._steps, dict(news)))

    def finish(self, status: str) -> None:
        """Close the file, and let the loggers end; what learning reported last is written before."""
        try:
            if self._reports and (news := self._reported_on()):
                self._loggers.tell(lambda logger: logger.log(self._steps, dict(news)))
        finally:
            self._loggers.tell(lambda logger: logger.finish(status))
            if self._file is not None:
                self._file.close()

    def forget(self) -> None:
        """Leave out what was added up of episodes that do not go on."""
        self._sums, self._pending = {}, []

    def get_state(self) -> dict[str, Any]:
        """The number of lines, and what is added up."""
        self._add_up()
        counts, sums = (self._lines, self._steps, self._reported), [[list(key), *self._sums[key]] for key in self._sums]
        return {"counts": counts, "phase": self._phase, "sums": sums, "reports": self._reports}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from there. Raises ValueError where that is no state of a journal of as many rows."""
        counts, self._phase, sums = state["counts"], PHASES[PHASES.index(state["phase"])], state["sums"]
        if not all(type(count) is int and 0 <= count < 2**63 for count in counts):
            raise ValueError(f"{counts!r} are no numbers of lines and steps")
        if any(a.shape != (len(names), self._batch) or b.shape != (self._batch,) for names, a, b in sums):
            raise ValueError(f"what is added up is not of {self._batch} rows")
        self._lines, self._steps, self._reported = counts
        self._sums = {tuple(map(str, names)): [total, count] for names, total, count in sums}
        self._reports = {str(name): [float(total), int(count)] for name, (total, count) in state["reports"].items()}
        self._pending = []

    def _turned(self, phase: Phase) -> dict[str, float]:
        """Begin a phase: episodes do not go on, and what was reported last is told."""
        news = self._reported_on() if self._reports else {}
        self.forget()
        self._phase = phase
        return news

    def _keep(self, tick: Tick, decided: Mapping[str, np.ndarray]) -> None:
        """Keep a tick with those before it that have the same energies, to be added up together."""
        names = ("return", *(name for name in decided if name.startswith("energy.")))
        if names != self._names or (1 + len(self._pending)) * self._batch > PENDING:
            self._add_up()
            self._names = names
        self._pending.append((tick.valid, [tick.reward, *(decided[name] for name in names[1:])]))

    def _add_up(self) -> None:
        """Add the ticks that are kept to their episodes, in order, so that it does not matter when this is done."""
        if not self._pending:
            return
        ticks, names = len(self._pending), len(self._names)
        there = np.concatenate([valid for valid, _ in self._pending]).reshape(ticks, self._batch)
        values = np.concatenate([part for _, parts in self._pending for part in parts])
        values = values.reshape(ticks, names, self._batch)
        if not there.all():
            values = np.where(there[:, None], values, 0.0)
        none = [np.zeros((names, self._batch)), np.zeros(self._batch)]
        total, count = self._sums.get(self._names, none)
        with np.errstate(all="ignore"):  # infinite energies, and sums beyond floats
            total = np.add.accumulate(np.concatenate([total[None], values]), 0)[-1]
        self._sums[self._names], self._pending = [total, count + there.sum(0)], []

    def _completed(self, tick: Tick) -> dict[str, float]:
        """Write a line for each episode that was completed; their means, where somebody is told of them."""
        self._add_up()
        rows = ((tick.terminated | tick.truncated) & tick.valid).nonzero()[0]
        found: list[dict[str, Any]] = []
        for row in rows.tolist():
            line = {"return": 0.0, "length": int(tick.t[row]) + 1, **self._means(row)}
            self._write({"row": row, "episode": int(tick.episode[row]), **line})
            found.append(line)
        for total, count in self._sums.values():
            total[:, rows] = count[rows] = 0
        if not self._loggers.there:
            return {}
        names = dict.fromkeys(name for line in found for name in line)
        with np.errstate(all="ignore"):
            return {f"{self._phase}.{name}": _mean([line[name] for line in found if name in line]) for name in names}

    def _means(self, row: int) -> dict[str, float]:
        """The return of a row's episode, and the mean of each energy over the steps that have it."""
        totals: dict[str, list[float]] = {}
        for names, (total, count) in self._sums.items():
            if count[row]:
                for name, value in zip(names, total[:, row].tolist(), strict=True):
                    known = totals.setdefault(name, [0.0, 0.0])
                    known[0], known[1] = known[0] + value, known[1] + float(count[row])
        return {name: total if name == "return" else total / count for name, (total, count) in totals.items()}

    def _reported_on(self) -> dict[str, float]:
        """Write a line of what learning reported since the last, the mean of each."""
        line = {f"learned.{name}": total / count for name, (total, count) in self._reports.items()}
        self._reports, self._reported = {}, self._steps
        self._write(line)
        return line

    def _write(self, line: Mapping[str, Any]) -> None:
        """Write one line that a `kill -9` leaves, numbers that are not finite as null."""
        self._lines += 1
        if self._file is None:
            return
        plain = {name: value if isfinite(value) else None for name, value in line.items()}
        whole_line = {"step": self._steps, "phase": self._phase, **plain, "seconds": round(self._manifest.seconds, 3)}
        try:
            self._file.write(json.dumps(whole_line).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> RunError:
        folder = self._manifest.folder
        return RunError(f"the progress in {folder and folder.path} cannot be written: {error.strerror}")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
