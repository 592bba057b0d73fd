"""Runs, benches and files carried out again in a folder of their own, and compared with what there is of them."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import numpy as np

import agentic
from agentic import Experiment, Measurement, Metric, Profile, Record, RunError, UserError, build
from agentic.cli import check_trusted, example_names, find_nearby, run_progress
from agentic.errors import attempt, listed, suggest
from agentic.experiments import Built, example, limited, read
from agentic.metrics import Result
from agentic.plugins import Registry, load
from agentic.runs import Progress, RunFolder, describe, is_own, unsealed
from agentic_life.benches import bench_again, is_bench
from agentic_life.comparing import compare_candidates, compare_measurements, compare_records
from agentic_life.differences import differences, unknown_code
from agentic_life.reproduction import Reproduction

UNKNOWN_CODE = "there were uncommitted changes then and there are now: whether these are the same is not known"


def reproduce(
    what: str | Path, *, plugins: Iterable[str | Path] = (), trust: bool = False, quiet: bool = True
) -> Reproduction:
    """Run a run, a bench or a file again, and compare every number with those of the first time.

    `what` is the folder of a run or a bench, which is read and never written to; or an experiment or bench file, or
    the name of an example, which is run twice. `plugins` are by path; what only a folder names is run where it is given
    `trust`. Progress is shown on standard error unless it is `quiet`.

    Raises UserError for what cannot be run again, RunError for what fails before there is anything to compare.

    >>> import agentic, agentic_life, tempfile
    >>> record = agentic.run("random", "CartPole-v1", episodes=2, out=tempfile.mkdtemp())
    >>> agentic_life.reproduce(record.folder).same
    True
    """
    return Again(load(plugins), trust, quiet).of(str(what))


@final
@dataclass(frozen=True)
class Again:
    """The way things are run again: with the components of a `registry`, and with or without progress shown."""

    registry: Registry
    trust: bool
    quiet: bool

    def of(self, what: str) -> Reproduction:
        """The reproduction of a folder, a file or an example; see `reproduce`."""
        with TemporaryDirectory(prefix="agentic-", ignore_cleanup_errors=True) as temporary:
            again = self
            folder, place = Path(what), Path(temporary)
            if not folder.is_dir():
                again, folder = Again(self.registry, True, self.quiet), self._first(_file(what), place / "first")
            if is_bench(folder):
                return bench_again(what, folder, place / "again", again.registry, trust=again.trust, quiet=again.quiet)
            return again.run(what, folder, place / "again")

    def run(self, name: str, folder: Path, place: Path) -> Reproduction:
        """The reproduction of the run in a folder, run again in `place`."""
        then, run = Record.salvage(folder), RunFolder(folder)
        rows = len(then.table(["phase"])) if then.columns else 0
        experiment, manifest = self._experiment(run), then.manifest
        if not rows:
            raise UserError(f"{folder} holds no tick that could be compared with those of another run")
        finished = manifest.get("status") == "finished"
        notes = [f"{problem}; what is sound is compared" for problem in then.problems]
        if not finished:
            notes.append(f"the run did not finish ({run.status}): its {rows:,} ticks are compared with as many")
        try:
            built = build(limited(experiment, self.registry), self.registry)
            failure = self._lived(built, place, None if finished or then.problems else rows)
        except (UserError, RunError) as error:
            kind = UserError if isinstance(error, UserError) else RunError
            raise kind(f"{error}{self._lacking(run)}{_since(manifest)}") from error
        notes += [f"run again, it failed: {failure}"] * bool(failure)
        now = Record.open(place)
        compared = [*compare_records(then, now, whole=finished)]
        compared += [] if then.problems else compare_candidates(then, now, whole=finished)
        result = Result.read(folder)
        if result is not None and result.key:
            notes.append("its measurements are of a bench, whose folder is to be reproduced as a whole")
        elif result is not None:
            again = dict(_measured(result.measurements, place, self.registry))
            compared += compare_measurements(result.measurements, again)
        notes += [UNKNOWN_CODE] * unknown_code(manifest, now.manifest)
        notes += [] if manifest.get("versions") else [f"{run.manifest_file} does not say what it was run with"]
        own = sha256(run.experiment_file.read_bytes()).hexdigest()
        apart = differences(manifest, {**now.manifest, "experiment": own})
        return Reproduction(name, tuple(apart), tuple(compared), tuple(notes))

    def _experiment(self, run: RunFolder) -> Experiment:
        """The experiment in the folder of a run, on seed and threads of the manifest where that is sound."""
        file = run.experiment_file
        if not is_own(file):
            raise UserError(
                f"{run.path} cannot be run again: it has no {file.name} of its own, as runs of objects made in "
                "Python, which no file describes; call agentic.run with names or files"
            )
        tables, known = Experiment.load(file).tables(), unsealed(run.manifest) or {}
        tables["run"] |= {key: known[key] for key in ("seed", "threads", "dtype") if key in known}
        experiment = Experiment.of(tables, source=f"{run.manifest_file}: ")
        check_trusted(experiment, self.registry, str(file), trust=self.trust)
        find_nearby(experiment.env.names)
        return experiment

    def _lived(self, built: Built, place: Path, rows: int | None) -> RunError | None:
        """Run in `place`, up to so many ticks, None for all; returns why it failed once there was something."""
        done = 0

        with run_progress(built.experiment, quiet=self.quiet) as shown:

            def observe(progress: Progress) -> None:
                nonlocal done
                done += int(np.count_nonzero(progress.tick.valid))
                if shown is not None:
                    shown(progress)
                if rows is not None and done >= rows:
                    raise _Enough

            try:
                with suppress(_Enough):
                    built.run(place, observe)
            except RunError as error:
                if not RunFolder(place).chunks():
                    raise
                return error
        return None

    def _first(self, file: Path, place: Path) -> Path:
        """The folder of a first run of an experiment or bench file, in a process of its own."""
        tables = read(file)
        if "worlds" in tables and "agents" in tables:
            agentic.bench(str(file), place, files=self.registry.files)
            return place
        Experiment.load(file)
        given = [str(file), "--out", str(place), *(part for each in self.registry.files for part in ("--plugin", each))]
        # -P: the current folder is searched last, as for the command itself.
        command = [sys.executable, "-P", "-m", "agentic", "run", *given, *(["--quiet"] * self.quiet)]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        found = list(place.glob("*"))
        if code or not found:
            raise (UserError if code == 2 else RunError)(f"the first of the two runs ended with exit code {code}")
        return found[0]

    def _lacking(self, run: RunFolder) -> str:
        """The plugin files that a run had, where none is given now."""
        return f"; then it had{run.plugin_options}" if run.plugin_options and not self.registry.files else ""


class _Enough(KeyboardInterrupt):
    """The stop of a run that has as many ticks as are compared, on the way of Ctrl-C: what there is, is written."""


def _file(what: str) -> Path:
    """The file that is meant by its path or by the name of an example. Raises UserError."""
    if what in example_names() and not Path(what).exists():
        return example(what)
    if not what.endswith(".toml"):
        near = suggest(what, example_names())
        raise UserError(f"{what} is no folder of a run or a bench, no experiment or bench file and no example{near}")
    return Path(what)


def _since(then: Mapping[str, Any]) -> str:
    """What is known to be another than then, before anything was made."""
    found = [f"{each.what} (then {each.then}, now {each.now})" for each in differences(then, describe())]
    return f"; since then differ: {listed(found)}" if found else ""


def _measured(
    then: Mapping[str, Measurement], folder: Path, registry: Registry
) -> Iterator[tuple[str, Measurement | Exception]]:
    """The same metrics with the same parameters, measured of the run in a folder."""
    batches: list[tuple[int, dict[str, tuple[str, Metric]]]] = []  # of one seed, by class, which a profile goes by
    for name, each in then.items():
        made = attempt(partial(_metric, registry, name, each.parameters))
        if not isinstance(made, Metric):
            yield name, made
            continue
        seed, kind = each.seed or 0, type(made).__name__
        batch = next((found for own, found in batches if own == seed and kind not in found), None)
        if batch is None:
            batches.append((seed, batch := {}))
        batch[kind] = name, made
    for seed, batch in batches:
        metrics: Sequence[Metric] = [metric for _, metric in batch.values()]
        found = attempt(partial(_profile, metrics, folder, seed, registry.files))
        for kind, (name, _) in batch.items():
            if isinstance(found, Exception):
                yield name, found
            else:
                yield name, found[kind] if kind in found else found.left_out[kind]


def _profile(metrics: Sequence[Metric], folder: Path, seed: int, plugins: Sequence[str]) -> Profile:
    return agentic.measure(metrics, str(folder), seed=seed, plugins=plugins, trust=True)


def _metric(registry: Registry, name: str, parameters: Mapping[str, Any]) -> Metric:
    """The metric with the parameters that its measurement tells, as far as it takes them."""
    given = {key: value for key, value in parameters.items() if value is not None}
    made = attempt(partial(registry.make, Metric, {"name": name, **given}, "metric"))
    metric: Metric = made if isinstance(made, Metric) else registry.make(Metric, {"name": name}, "metric")
    return metric
