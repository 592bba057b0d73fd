"""Runs that are used again, in one call from Python: `agentic.resume` and `agentic.load_agent`."""

from collections.abc import Iterable
from pathlib import Path

from agentic.agents.agent import Agent
from agentic.environments.environment import EnvironmentLike, make
from agentic.experiments.build import Observer
from agentic.experiments.experiment import Experiment
from agentic.plugins import Registry
from agentic.runs.record import Record


def resume(
    folder: str | Path,
    *,
    steps: int = 0,
    plugins: str | Path | Iterable[str | Path] = (),
    trust: bool = False,
    observer: Observer | None = None,
) -> Record:
    """Let the run in a folder go on where it stopped, as `agentic run --resume` does: bit for bit, as if it had not.

    With `steps` it learns for so many more, a finished one too, and is evaluated anew. What only the folder names is
    run where it is given `trust`. Raises UserError, with the folder as it was, for a finished run, one that is running,
    and one that cannot be put back.

    >>> import agentic, tempfile
    >>> out = tempfile.mkdtemp()
    >>> record = agentic.run("cartpole", episodes=2, out=out)
    >>> len(agentic.resume(record.folder, steps=10).table()) - len(record.table())
    10
    """
    from agentic.experiments.again import Resumption

    experiment, registry = _trusted(folder, plugins, trust)
    return Resumption.of(folder, experiment, registry, steps).run(observer)


def load_agent(
    folder: str | Path,
    env: EnvironmentLike | None = None,
    *,
    plugins: str | Path | Iterable[str | Path] = (),
    trust: bool = False,
    device: str = "cpu",
) -> Agent:
    """The agent of the run in a folder as it was when learning ended, or at its latest checkpoint; see `resume`.

    It is made for the run's world, or for `env`, whatever `make` takes, on a `device`, wherever it learned. Statistics
    of wrappers stay in the run's own world. Raises UserError where nothing was learned yet, and for what cannot be
    loaded: other code, other versions.

    >>> import agentic, tempfile
    >>> record = agentic.run("cartpole", episodes=2, out=tempfile.mkdtemp())
    >>> agent = agentic.load_agent(record.folder)
    >>> agentic.run(agent, "CartPole-v1", episodes=2, out=None).returns()
    array([500., 500.])
    """
    from agentic.experiments.again import learned

    experiment, registry = _trusted(folder, plugins, trust)
    return learned(folder, experiment.on(device), registry, None if env is None else make(env)).agent


def _trusted(
    folder: str | Path, plugins: str | Path | Iterable[str | Path], trust: bool
) -> tuple[Experiment, Registry]:
    """The experiment in a run's folder, and what is installed. Raises UserError for what nobody said may run."""
    from agentic.cli.nearby import find_nearby
    from agentic.cli.subjects import trusted
    from agentic.front.request import paths
    from agentic.plugins import load

    registry = load(paths(plugins))
    experiment = trusted(folder, registry, trust=trust)
    find_nearby(experiment.env.names)
    return experiment, registry
