"""Runs found in a folder: those for which conditions hold, in the order of a column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final, overload

from agentic.errors import UserError
from agentic.showing import html_table, pandas, text_table
from agentic_report.listing.conditions import check_known, conditions, text_of
from agentic_report.listing.listed import Listed
from agentic_report.listing.places import is_run, is_sweep, run_folders, subfolders
from agentic_report.wording import plain, plain_span

if TYPE_CHECKING:
    from pandas import DataFrame

SAID = {  # the columns of the list, on a terminal and on a page, and what each is
    "run": "the folder, with the number it got when it was made",
    "when": "when it began, in UTC",
    "agent": "who acted; of a bench or a sweep how many agents or runs there are",
    "env": "the environment by its id",
    "seed": "that of every random stream",
    "steps": "steps of experience, in which the agent could learn",
    "episodes": "episodes of evaluation that were completed, with learning off",
    "return": "the mean over these episodes of the sum of rewards",
    "95 % interval": "of that mean, over these episodes",
    "status": "running, finished, interrupted, failed or broken, and why",
}
HEAD = (*SAID,)


@final
@dataclass(frozen=True, repr=False)
class Listing(Sequence[Listed]):
    """What was found in a folder, which is a table where it is shown."""

    folder: Path
    rows: tuple[Listed, ...]

    @overload
    def __getitem__(self, place: int) -> Listed: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Listed]: ...
    def __getitem__(self, place: int | slice) -> Listed | Sequence[Listed]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Listed]:
        return iter(self.rows)

    def lines(self) -> list[list[str]]:
        """The lines of the table, in words."""
        return [_words(row) for row in self.rows]

    def to_pandas(self) -> "DataFrame":
        """The table with numbers in it, a line for each run. Raises UserError without pandas."""
        return pandas().DataFrame([row.to_dict() for row in self.rows])

    def __repr__(self) -> str:
        return text_table([[*HEAD], *self.lines()])

    def _repr_html_(self) -> str:
        return html_table(self.lines(), f"Runs in {self.folder}", HEAD)


def find_runs(
    folder: str | Path = "runs",
    *,
    where: Iterable[str] | Mapping[str, Any] = (),
    sort: str = "-number",
    limit: int | None = None,
) -> Listing:
    """The runs, benches and sweeps in a folder, the newest first; those in it, where it is itself a bench or a sweep.

    `where` holds conditions, as "env=CartPole-v1" and "planner.horizon>=3", or values by key; keys are columns
    (number, name, kind, when, agent, env, seed, steps, episodes, return, low, high, status, note) and those of
    experiments. `sort` is such a key, with a minus for the largest first; rows without a value come last. `limit` is
    the most rows. Damaged folders have a row that says so. Raises UserError for a folder that is not there, a key that
    no row has, and what is no condition.

    >>> import agentic, tempfile
    >>> from agentic_report import find_runs
    >>> out = tempfile.mkdtemp()
    >>> for seed in range(3):
    ...     _ = agentic.run("random", "CartPole-v1", episodes=2, seed=seed, out=out)
    >>> [row.seed for row in find_runs(out, where=["seed>0"], sort="seed")]
    [1, 2]
    """
    home = Path(folder)
    if not home.is_dir():
        raise UserError(f"there is no folder {home}: expected one of runs, of a bench or of a sweep")
    wanted, key = conditions(where), sort.removeprefix("-")
    if limit is not None and limit < 0:
        raise UserError(f"limit must be at least 0, got {limit}")
    rows = [found for path, name in _places(home) if (found := Listed.of(path, name))]
    check_known([*(each.key for each in wanted), key], rows)
    rows = [row for row in rows if all(each.holds(row.value(each.key)) for each in wanted)]
    known = sorted((row for row in rows if row.value(key) is not None), key=lambda row: _rank(row.value(key)))
    known = known[::-1] if sort != key else known
    rest = [row for row in rows if row.value(key) is None]
    return Listing(home, tuple([*known, *rest][:limit]))


def _places(home: Path) -> list[tuple[Path, str]]:
    """The folders to list, and their names."""
    if is_run(home):
        return [(home, home.resolve().name)]
    found = run_folders(home) if is_sweep(home) else subfolders(home, home)
    return [(path, path.relative_to(home).as_posix()) for path in found]


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers come before texts."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), "") if number else (1, 0.0, text_of(value))


def _words(row: Listed) -> list[str]:
    counts = ["" if each is None else f"{each:,}" for each in (row.steps, row.episodes)]
    earned = [plain(row.mean) if row.mean is not None else "", plain_span(row.low, row.high)]
    ended = f"{row.status}: {row.note}" if row.note else row.status
    seed = "" if row.seed is None else str(row.seed)
    return [row.name, row.when.removesuffix(" UTC"), row.agent, row.env, seed, *counts, *earned, ended]
