"""Runs found in a folder: those for which conditions hold, in the order of a column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final, overload

from agentic.errors import UserError
from agentic.showing import html_table, pandas, text_table
from agentic_report.listing.conditions import check_known, conditions, text_of
from agentic_report.listing.listed import COLUMNS, Listed, plain_value
from agentic_report.listing.places import is_bench, is_run, is_sweep, run_folders, subfolders
from agentic_report.wording import enumerated, plain, plain_span

if TYPE_CHECKING:
    from pandas import DataFrame

SAID = {  # the columns of the list, on a terminal and on a page, and what each is
    "run": "the folder, with the number it got when it was made",
    "when": "when it began, in UTC",
    "agent": "who acted; of a bench how many agents there are",
    "env": "the environment by its id",
    "seed": "that of every random stream",
    "steps": "steps of experience, in which the agent could learn",
    "episodes": "episodes of evaluation that were completed, with learning off",
    "return": "the mean over these episodes of the sum of rewards",
    "95 % interval": "of that mean, over these episodes",
    "status": "running, finished, interrupted, failed or broken, and why",
}
HEAD = (*SAID,)
PLACE = 4  # of settings in it: after who did it where


@final
@dataclass(frozen=True, repr=False)
class Listing(Sequence[Listed]):
    """What was found in a folder, which is a table where it is shown.

    `columns` are settings that it shows beside what every line has; `note` says what was not looked into.
    """

    folder: Path
    rows: tuple[Listed, ...]
    columns: tuple[str, ...] = ()
    note: str = ""

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
        return [_words(row, self.columns) for row in self.rows]

    @property
    def head(self) -> tuple[str, ...]:
        """The heads of the columns of the table."""
        return (*HEAD[:PLACE], *self.columns, *HEAD[PLACE:])

    def to_dicts(self) -> list[dict[str, Any]]:
        """A line for each run as plain values for strict JSON, with the settings in `columns` by their dotted keys."""
        return [row.to_dict() | {key: plain_value(row.value(key)) for key in self.columns} for row in self.rows]

    def to_pandas(self) -> "DataFrame":
        """The table with numbers in it, a line for each run. Raises UserError without pandas."""
        return pandas().DataFrame(self.to_dicts())

    def __repr__(self) -> str:
        return "\n".join([text_table([[*self.head], *self.lines()]), *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        caption = f"Runs in {self.folder}"
        return html_table(self.lines(), f"{caption}; {self.note}" if self.note else caption, self.head)


def find_runs(
    folder: str | Path = "runs",
    *,
    where: Iterable[str] | Mapping[str, Any] = (),
    sort: str = "-number",
    limit: int | None = None,
    columns: Iterable[str] = (),
    deep: bool = False,
) -> Listing:
    """The runs, benches and sweeps in a folder, the newest first; those in it, where it is itself a bench or a sweep.

    `deep` goes into benches and sweeps: every run has a row, in place of one for the whole. `columns` are settings to
    show beside the others, as "planner.horizon"; of a sweep those that vary, if none are given.

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
    if isinstance(columns, str):
        raise UserError(f"columns takes several keys, got the text {columns!r}: put it into a list")
    rows = [found for path, name in _places(home, deep) if (found := Listed.of(path, name))]
    shown = dict.fromkeys(columns)
    note = _unopened(rows)
    check_known([*(each.key for each in wanted), key, *shown], rows, note)
    if not shown and is_sweep(home) and not is_bench(home):
        shown = dict.fromkeys(_varying(rows))
    own = tuple(name for name in shown if name not in COLUMNS)
    rows = [row for row in rows if all(each.holds(row.value(each.key)) for each in wanted)]
    known = sorted((row for row in rows if row.value(key) is not None), key=lambda row: _rank(row.value(key)))
    known = known[::-1] if sort != key else known
    rest = [row for row in rows if row.value(key) is None]
    return Listing(home, tuple([*known, *rest][:limit]), own, note if wanted else "")


def _places(home: Path, deep: bool) -> list[tuple[Path, str]]:
    """The folders to list, and their names."""
    if is_run(home):
        return [(home, home.resolve().name)]
    found = run_folders(home) if deep or is_sweep(home) else subfolders(home, home)
    return [(path, path.relative_to(home).as_posix()) for path in found]


def _unopened(rows: Sequence[Listed]) -> str:
    """That there are folders of many runs among what was found, and how to look into them."""
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("sweep", "bench")}
    words = {
        kind: f"{n} {kind}{('s' if kind == 'sweep' else 'es') if n > 1 else ''}" for kind, n in counts.items() if n
    }
    verb = "were" if sum(counts.values()) > 1 else "was"
    said = f"{enumerated([*words.values()])} {verb} not looked into: --all (in Python deep=True) lists their runs"
    return said if words else ""


def _varying(rows: Sequence[Listed]) -> list[str]:
    """The settings in which runs differ, apart from the seed."""
    keys = dict.fromkeys(key for row in rows for key in row.settings if key != "run.seed")
    return [key for key in keys if len({repr(row.settings.get(key)) for row in rows}) > 1]


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers come before texts."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), "") if number else (1, 0.0, text_of(value))


def _words(row: Listed, columns: Sequence[str] = ()) -> list[str]:
    counts = ["" if each is None else f"{each:,}" for each in (row.steps, row.episodes)]
    earned = [plain(row.mean) if row.mean is not None else "", plain_span(row.low, row.high)]
    ended = ": ".join(filter(None, (row.status, row.note)))
    seed = "" if row.seed is None else str(row.seed)
    settings = ["" if (value := row.value(key)) is None else _word(value) for key in columns]
    return [row.name, row.when.removesuffix(" UTC"), row.agent, row.env, *settings, seed, *counts, *earned, ended]


def _word(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else text_of(value)
