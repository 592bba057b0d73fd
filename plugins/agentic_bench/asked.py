"""Benches asked for from Python: agents by label, each a name, a file or an object, in worlds by their ids."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cloudpickle

from agentic import Agent, Experiment
from agentic.errors import BREAKS, UserError, described, listed, shown, suggest
from agentic.experiments import TOP, agent_path, example
from agentic.jobs import Executor, Observer
from agentic.plugins import Registry, load
from agentic_bench.bench_file import Battery
from agentic_bench.cells import Scores
from agentic_bench.running import bench_folder, carried_out_bench

ASKED = ("env", "metrics", "interventions", "episodes", "name")
KNOWN = (*ASKED, "agents", "seeds", "workers", "executor", "plugins", "files", "observer", "out", "fresh")
SAVED, PICKLED = "sb3", "pickled"  # the agents that read what objects are written to


def bench(
    battery: Any = None,
    folder: str | Path | None = None,
    *,
    workers: int | None = None,
    files: Iterable[str | Path] = (),
    observer: Observer | None = None,
    executor: str | Executor = "processes",
    out: str | Path = "runs",
    fresh: bool = False,
    **asked: Any,
) -> Scores:
    """The scores of every agent of a battery in its worlds, measured in `workers` processes and written to `folder`.

    `battery` is a `Battery`, a bench file, or the agents by label: the name of an agent or of an example, an experiment
    file, a saved policy "ppo.zip", a class in "rule.py", tables, an `Agent`, a policy or a function. Those live in
    `env`, an id or several, by default the world of the only example among them. `metrics` are names or tables, by
    default the return; `interventions` tables; `episodes` and `seeds` numbers. Of a battery that is there already
    `agents` and `seeds` choose. Without `folder` the bench has one of its own in `out`, and goes on in the newest of
    the same battery unless it is `fresh`; objects are written to `out`/agents. `files`, or `plugins`, are plugins by
    path; there is a worker for each core by default, and the `executor` may be another one. See `carried_out_bench`.
    """
    plugins = [str(file) for file in (*files, *asked.pop("plugins", ()))]
    registry = load(plugins)
    only = {key: asked.pop(key) for key in ("agents", "seeds") if key in asked}
    if isinstance(battery, Battery) or not isinstance(battery, Mapping) or "worlds" in battery:
        chosen = _battery(battery)
        if asked:
            raise UserError(f"a battery says {listed(asked)} itself: leave that out, or give agents by label instead")
    else:
        chosen = battery_of(battery, Path(out), registry, **asked)
    chosen = chosen.only(**only)
    place = bench_folder(chosen, out, fresh=fresh) if folder is None else folder
    return carried_out_bench(chosen, place, workers=workers, files=plugins, observer=observer, executor=executor)


def _battery(given: Any) -> Battery:
    """The battery that is given, in a file or as tables; that which comes with agentic where nothing is."""
    if isinstance(given, Battery):
        return given
    if isinstance(given, Mapping):
        return Battery.of(given)
    if given is None or isinstance(given, str | Path):
        name = "battery" if given is None else str(given)
        there = example(f"bench/{name}")
        return Battery.load(there if Path(name).name == name and there.is_file() else name)
    raise UserError(f"expected a battery, a bench file or agents by label, got {shown(given)}")


def battery_of(agents: Mapping[str, Any], out: Path, registry: Registry, **asked: Any) -> Battery:
    """The battery of agents by label; see `bench`. Raises UserError for what is none."""
    for name in asked:
        if name not in ASKED:
            raise UserError(f"agentic.bench has no option {name!r}{suggest(name, KNOWN)}; known: {listed(KNOWN)}")
    if not agents:
        raise UserError('a bench needs agents by label, as in {"mine": my_policy, "random": "random"}')
    worlds = _worlds(asked.get("env"), agents, registry)
    tables = [
        {"label": label, "worlds": [world["name"]], **_agent(who, world["id"], out, registry, label)}
        for world in worlds
        for label, who in agents.items()
    ]
    metrics, changes = asked.get("metrics", ["episode_return"]), asked.get("interventions", [])
    metrics = [metrics] if isinstance(metrics, str | Mapping) else metrics
    return Battery.of(
        {
            "bench": {"name": asked.get("name", "python")},
            "worlds": [{**world, "episodes": asked.get("episodes", 20)} for world in worlds],
            "agents": tables,
            "metrics": [{"name": each} if isinstance(each, str) else each for each in metrics],
            "interventions": [{"name": each} if isinstance(each, str) else each for each in changes],
        }
    )


def _worlds(env: Any, agents: Mapping[str, Any], registry: Registry) -> list[dict[str, Any]]:
    """The tables of the worlds: those named, or that of the example among the agents."""
    if env is None:
        from agentic.front import experiment_file, experiment_of

        own = [each for each in agents.values() if isinstance(each, Experiment) or experiment_file(each)]
        found = [experiment_of(each, None, None, registry, []).env.model_dump() for each in own]
        if not found or any(each != found[0] for each in found):
            raise UserError("a bench of agents needs their world: name it, as in env='CartPole-v1'")
        return [{"name": found[0]["id"], **found[0]}]
    every = [env] if isinstance(env, str | Mapping) else env
    if not isinstance(every, Sequence) or not all(isinstance(each, str | Mapping) for each in every):
        raise UserError(
            f"a bench runs in processes of its own and makes each world by its id, such as 'CartPole-v1' or "
            f"'my_module:MyEnv-v0', got {shown(env)}"
        )
    return [{"name": each, "id": each} if isinstance(each, str) else {"name": each.get("id"), **each} for each in every]


def _agent(who: Any, env: str, out: Path, registry: Registry, label: str) -> dict[str, Any]:
    """The table of an agent in a bench file, with those of its parts."""
    if isinstance(who, str | Path) and str(who).endswith(".zip"):
        return {"name": SAVED, "path": str(who)}
    if isinstance(who, str) and agent_path(who):
        return {"name": who}
    if isinstance(who, Mapping) and ("name" in who or "from" in who):
        return dict(who)
    if isinstance(who, str | Path | Experiment | Mapping):
        from agentic.front import experiment_of

        found = experiment_of(who, env, None, registry, []).tables()
        return {**found["agent"], **{key: found[key] for key in (*TOP, "learn") if key in found}}
    return _written(who, out / "agents", label)


def _written(who: Any, folder: Path, label: str) -> dict[str, Any]:
    """The table of an agent that is an object, once it is in a file that processes can read."""
    if isinstance(who, type) or not (isinstance(who, Agent) or callable(who) or hasattr(who, "predict")):
        raise UserError(
            f"agent {label}: expected a name, a file, an agent, something with predict(obs) or a function from "
            f"observation to action, got {shown(who)}"
        )
    try:
        if type(who).__module__.partition(".")[0] == "stable_baselines3":
            said = hashlib.sha256(cloudpickle.dumps({k: v.numpy() for k, v in who.policy.state_dict().items()}))
            path = _file(folder, said.hexdigest(), ".zip", who.save)
            return {"name": SAVED, "path": path, "algorithm": type(who).__name__}
        content = cloudpickle.dumps(who)
    except BREAKS as error:
        raise UserError(
            f"agent {label} cannot be handed to the processes of a bench, {described(error)}: write it as a class in a "
            "file, and name that"
        ) from error
    path = _file(folder, hashlib.sha256(content).hexdigest(), ".pkl", lambda file: file.write_bytes(content))
    return {"name": PICKLED, "pickle": path}


def _file(folder: Path, name: str, suffix: str, write: Callable[[Path], Any]) -> str:
    """The path of a file named by its content, written whole where it is not there. Raises UserError."""
    path = folder / f"{name[:16]}{suffix}"
    draft = folder / f".{name[:16]}-{os.getpid()}{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(draft)
        os.replace(draft, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; give another folder as out") from error
    return str(path)
