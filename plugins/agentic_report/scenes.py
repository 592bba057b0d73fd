"""Pictures of the world for a replay, made from a run's folder.

A world that can draw itself in text is made again, from the run's seed and its recorded actions, and believed only as
long as it shows the recorded observations; only installed worlds are, whatever the folder names. Else the observations
are what can be drawn.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from agentic import Experiment, Record, make
from agentic.environments import Layout, layout
from agentic.errors import BREAKS, RunError, UserError, listed, said
from agentic.experiments import change, gymnasium_id, untrusted
from agentic.plugins import Registry, load
from agentic.runs import EpisodeRecord, RunFolder, environment_seed, is_own

Frame = list[tuple[str, str]]  # pieces of text, each with its style: ANSI codes, "agent" or nothing


@dataclass(frozen=True)
class Words:
    """The names of the actions, the numbers of an observation and the hidden factors of a world.

    An environment says so in its `metadata["words"]`, a table of lists with these names.
    `drawing` is the scene that the page draws from the observation, None where it has none.
    """

    actions: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    drawing: str | None = None


_CAR = ("position", "velocity")
_LINKS = ("cos of first angle", "sin of first angle", "cos of second angle", "sin of second angle")
WORDS = {  # of Gymnasium's own worlds, by id, its version left out
    "CartPole": Words(
        ("push left", "push right"),
        ("cart position", "cart velocity", "pole angle", "pole velocity"),
        drawing="cartpole",
    ),
    "Pendulum": Words((), ("cos of angle", "sin of angle", "angular velocity"), drawing="pendulum"),
    "MountainCar": Words(("left", "coast", "right"), _CAR, drawing="mountaincar"),
    "MountainCarContinuous": Words((), _CAR, drawing="mountaincar"),
    "Acrobot": Words(
        ("torque -1", "no torque", "torque 1"), (*_LINKS, "first velocity", "second velocity"), drawing="acrobot"
    ),
    "FrozenLake": Words(("left", "down", "right", "up"), ("cell",)),
    "CliffWalking": Words(("up", "right", "down", "left"), ("cell",)),
    "Taxi": Words(("south", "north", "east", "west", "pick up", "drop off"), ("state",)),
}


@dataclass(frozen=True)
class Scene:
    """The way a replay shows the world.

    `kind` is "text" (of `frames`, with one place in them per observation of each episode, the last one included), the
    name of a drawing, or "bars" of the observation; `note` says why not more. `sizes` are those of the true latent
    factors, empty where the world does not tell.
    """

    kind: str
    words: Words = Words()
    frames: tuple[Frame, ...] = ()
    places: tuple[tuple[int, ...], ...] = ()
    sizes: tuple[int, ...] = ()
    note: str | None = field(default=None, compare=False)


def scene(record: Record, episodes: Sequence[EpisodeRecord]) -> Scene:
    """The scene for the first evaluation `episodes` of one row, from episode 0 on, of a run in a folder."""
    file = RunFolder(record.folder or Path()).experiment_file
    if file.exists() and not is_own(file):
        return Scene("bars", note=f"{file.name} is no file of this folder")
    try:
        experiment = Experiment.load(file)
    except UserError as error:
        return Scene("bars", note=str(error))
    name = re.sub(r"-v\d+$", "", experiment.env.id)
    words = _unless_remapped(WORDS.get(name, Words()), experiment)
    seen = episodes[0].arrays.get("obs", np.empty(0))
    if words.drawing is not None and seen.shape[1:] == (len(words.observations),):
        return Scene(words.drawing, words)
    try:
        return _made_again(experiment, words, int(record.manifest["seed"]), episodes)
    except BREAKS as error:  # whatever a third party's world raises, the record can still be shown
        return Scene("bars", words, note=f"the world could not be made again here: {said(error)}")


def _made_again(experiment: Experiment, words: Words, seed: int, episodes: Sequence[EpisodeRecord]) -> Scene:
    registry = load()
    if unknown := [*untrusted({"env": experiment.env.model_dump()}, registry)]:
        raise UserError(f"a report runs installed worlds only, told of no files, and this is {listed(unknown)}")
    env = _make(experiment, registry)
    sizes = _sizes(env)
    if message := env.unwrapped.metadata.get("words"):
        actions, observations, factors = (
            tuple(message.get(name, ())) for name in ("actions", "observations", "factors")
        )
        words = _unless_remapped(Words(actions, observations, factors), experiment)
    modes = env.metadata.get("render_modes") or ()
    env.close()
    if "ansi" not in modes:
        return Scene("bars", words, sizes=sizes)
    env = _make(experiment, registry, render_mode="ansi")
    try:
        texts = [list(_texts(env, seed, episode)) for episode in episodes]
    except RunError as error:
        return Scene("bars", words, sizes=sizes, note=str(error))
    finally:
        env.close()
    known: dict[str, int] = {}
    places = tuple(tuple(known.setdefault(text, len(known)) for text in episode) for episode in texts)
    mark = "x" if experiment.env.id.startswith("CliffWalking") else "@"
    return Scene("text", words, tuple(styled(text, mark) for text in known), places, sizes)


def _unless_remapped(words: Words, experiment: Experiment) -> Words:
    """Without names for actions that mean something else here."""
    remapped = any("order" in each.parameters for each in experiment.env.changes)
    return replace(words, actions=()) if remapped else words


def _make(experiment: Experiment, registry: Registry, **more: str) -> gymnasium.Env[Any, Any]:
    table = experiment.env
    env: gymnasium.Env[Any, Any] = gymnasium.make(gymnasium_id(table.id, registry), **{**table.kwargs, **more})
    for each in table.changes:
        env = change(registry, each, f"[env.changes] {each.name}")(env)
    return env


def _sizes(env: gymnasium.Env[Any, Any]) -> tuple[int, ...]:
    try:
        return tuple(len(moves) for moves in make(env).truth()["B"])
    except UserError:
        return ()


def _texts(env: gymnasium.Env[Any, Any], seed: int, episode: EpisodeRecord) -> Iterator[str]:
    """What the world draws at every observation. Raises RunError where it is not the recorded one."""
    shown, actions = layout(env.observation_space, "observation"), layout(env.action_space, "action")
    first = environment_seed(seed, episode.row, phase="evaluate") if episode.episode == 0 else None
    obs, _ = env.reset(seed=first)
    _check(shown, obs, episode, "obs", 0)
    yield str(env.render())
    for t in range(episode.length):
        native = tuple(_column(episode, "action", leaf.name)[t : t + 1] for leaf in actions.leaves)
        obs, *_ = env.step(actions.row(native, 0))
        _check(shown, obs, episode, "next_obs", t)
        yield str(env.render())


def _check(shown: Layout, obs: Any, episode: EpisodeRecord, name: str, t: int) -> None:
    for leaf in shown.leaves:
        recorded = _column(episode, name, leaf.name)[t]
        if not np.allclose(np.asarray(leaf.part(obs), np.float64), recorded, rtol=1e-5, atol=1e-6):
            raise RunError(f"the world, made again, is another one from episode {episode.episode}, step {t} on")


def _column(episode: EpisodeRecord, name: str, leaf: str) -> np.ndarray:
    return episode.arrays[f"{name}.{leaf}" if leaf else name]


def styled(text: str, mark: str = "@") -> Frame:
    """A picture in text as pieces of one style: its ANSI codes ("41", "33;1"), else the agent's `mark` stands out."""
    pieces = re.split(r"\x1b\[([0-9;]*)m", text.rstrip("\n"))
    if len(pieces) == 1:
        parts = re.split(f"({re.escape(mark)})", pieces[0])
        return [(part, "agent" if part == mark else "") for part in parts if part]
    styles = ["", *pieces[1::2]]
    return [(part, "" if style == "0" else style) for part, style in zip(pieces[::2], styles, strict=True) if part]
