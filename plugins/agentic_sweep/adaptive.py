"""Searches that learn from what was tried: optuna asked for one batch after the other.

Batches have a fixed size and are told in their order, whoever ends first, so that no number depends on how many runs go
on at once, and a sweep that was killed asks the same questions again.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from math import isfinite
from types import ModuleType
from typing import Any

from agentic.errors import UserError
from agentic.runs import stream
from agentic_sweep.tables import Range, SweepTable

FIRST = 10  # trials that are drawn at random before any is proposed


def batches(table: SweepTable, worth: Callable[[dict[str, Any]], float | None]) -> Iterator[list[dict[str, Any]]]:
    """The values to try, batch after batch; once a batch is done, `worth` is the mean return of each.

    One that has none is told to have failed. Raises UserError without optuna.
    """
    optuna = _optuna()
    seed = int(stream(table.seed, "sweep").generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=max(FIRST, table.batch))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    space = {name: _distribution(optuna, values) for name, values in table.values.items()}
    for begin in range(0, table.trials, table.batch):
        trials = [study.ask(space) for _ in range(min(table.batch, table.trials - begin))]
        chosen = [{name: _value(table.values[name], trial.params[name]) for name in space} for trial in trials]
        yield chosen
        for trial, values in zip(trials, chosen, strict=True):
            value = worth(values)
            if value is not None and isfinite(value):
                study.tell(trial, value)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _distribution(optuna: ModuleType, values: Any) -> Any:
    kinds = optuna.distributions
    if not isinstance(values, Range):
        return kinds.CategoricalDistribution(list(range(len(values))))  # by place: values may be tables
    if values.integer:
        return kinds.IntDistribution(int(values.low), int(values.high), log=values.log)
    return kinds.FloatDistribution(values.low, values.high, log=values.log)


def _value(values: Any, found: Any) -> Any:
    return found if isinstance(values, Range) else values[found]


def _optuna() -> ModuleType:
    try:
        optuna = import_module("optuna")
    except ImportError as error:
        raise UserError(f"search = \"optuna\" needs it installed ({error}): pip install 'agentic[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
