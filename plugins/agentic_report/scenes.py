"""Pictures of the world for a replay, made from a run's folder.

A world that can draw itself, or that shows texts, is made again, from the run's seed and its recorded actions, and
believed only as long as it shows the recorded observations; only installed worlds are, whatever the folder names. Else
the observations are what can be drawn.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from agentic import Environment, Experiment, Record
from agentic.environments import without_text
from agentic.errors import BREAKS, UserError, listed, said
from agentic.experiments import untrusted
from agentic.plugins import Registry, load
from agentic.runs import EpisodeRecord, RunFolder, is_own
from agentic_report.again import Lived, Look, lived, world_drawn
from agentic_report.pictures import Album, drawn, shrunk

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

    `kind` is "text" (of `frames`), "frames" (of the `album` that the world drew), the name of a drawing, or "bars" of
    the observation; `note` says why not more. Each episode has one of the `places` in frames or album for each
    observation, the last one included, and as many values of each of the `texts` that are seen and not recorded.
    `sizes` are those of the true latent factors, empty where the world does not tell.
    """

    kind: str
    words: Words = Words()
    frames: tuple[Frame, ...] = ()
    places: tuple[tuple[int, ...], ...] = ()
    sizes: tuple[int, ...] = ()
    note: str | None = field(default=None, compare=False)
    album: Album = field(default_factory=Album)
    texts: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)


def scene(record: Record, episodes: Sequence[EpisodeRecord], room: int = 0, *, trust: bool = False) -> Scene:
    """The scene for the first evaluation `episodes` of one row, from episode 0 on, of a run in a folder.

    `room` is how many characters the pictures that a world draws may take; without any none are drawn.
    What is not installed is made where there is `trust`.
    """
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
        registry = load()
        if not trust:
            _check_installed(experiment, registry)
        return _made_again(experiment, registry, words, int(record.manifest["seed"]), episodes, room)
    except BREAKS as error:  # whatever a third party's world raises, the record can still be shown
        return Scene("bars", words, note=f"the world could not be made again here: {said(error)}")


def _made_again(
    experiment: Experiment,
    registry: Registry,
    words: Words,
    seed: int,
    episodes: Sequence[EpisodeRecord],
    room: int,
) -> Scene:
    with world_drawn(experiment, registry) as world:
        sizes, env = _sizes(world), world.layers[0]
        if message := env.unwrapped.metadata.get("words"):
            actions, observations, factors = (
                tuple(message.get(name, ())) for name in ("actions", "observations", "factors")
            )
            words = _unless_remapped(Words(actions, observations, factors), experiment)
        names = without_text(env.observation_space)[1]
        modes = _modes(world, room)
    bare, note = Scene("bars", words, sizes=sizes), None
    for mode in [*modes, *([None] if names else [])]:
        try:
            found = _lived(experiment, registry, seed, episodes, names, mode)
        except BREAKS as error:
            note = note or said(error)
            continue
        return replace(_drawn(bare, found, experiment, mode, room), note=note)
    return replace(bare, note=note)


def _check_installed(experiment: Experiment, registry: Registry) -> None:
    """Raises UserError for a world that is not installed, or told of a file."""
    if unknown := [*untrusted({"env": experiment.env.model_dump()}, registry)]:
        named = f"a report runs installed worlds only, told of no files, and this is {listed(unknown)}"
        raise UserError(f"{named}; where you trust it give --trust")


def _lived(
    experiment: Experiment,
    registry: Registry,
    seed: int,
    episodes: Sequence[EpisodeRecord],
    names: Sequence[str],
    mode: str | None,
) -> list[Lived]:
    look: Look = shrunk if mode == "rgb_array" else str
    with world_drawn(experiment, registry, mode) as world:
        return [lived(world, seed, episode, names, look) for episode in episodes]


def _modes(world: Environment, room: int) -> list[str]:
    """How the world can draw itself, the best first: in text where what is seen are places, else in pictures."""
    known = world.layers[0].metadata.get("render_modes") or ()
    places = all(leaf.discrete for leaf in world.observation_layout.leaves)
    wanted = ("ansi", "rgb_array") if places else ("rgb_array", "ansi")
    return [mode for mode in wanted if mode in known and (room or mode == "ansi")]


def _drawn(bare: Scene, found: Sequence[Lived], experiment: Experiment, mode: str | None, room: int) -> Scene:
    texts = {name: [each.texts[name] for each in found] for name in (found[0].texts if found else ())}
    if mode == "rgb_array":
        album = drawn([each.drawn for each in found], room)
        return replace(bare, kind="frames", album=album, places=album.places, texts=texts)
    if mode is None:
        return replace(bare, texts=texts)
    known: dict[str, int] = {}
    places = tuple(tuple(known.setdefault(text, len(known)) for text in each.drawn) for each in found)
    mark = "x" if experiment.env.id.startswith("CliffWalking") else "@"
    frames = tuple(styled(text, mark) for text in known)
    return replace(bare, kind="text", frames=frames, places=places, texts=texts)


def _unless_remapped(words: Words, experiment: Experiment) -> Words:
    """Without names for actions that mean something else here."""
    remapped = any("order" in each.parameters for each in experiment.env.changes)
    return replace(words, actions=()) if remapped else words


def _sizes(world: Environment) -> tuple[int, ...]:
    try:
        return tuple(len(moves) for moves in world.truth()["B"])
    except UserError:
        return ()


def styled(text: str, mark: str = "@") -> Frame:
    """A picture in text as pieces of one style: its ANSI codes ("41", "33;1"), else the agent's `mark` stands out."""
    pieces = re.split(r"\x1b\[([0-9;]*)m", text.rstrip("\n"))
    if len(pieces) == 1:
        parts = re.split(f"({re.escape(mark)})", pieces[0])
        return [(part, "agent" if part == mark else "") for part in parts if part]
    styles = ["", *pieces[1::2]]
    return [(part, "" if style == "0" else style) for part, style in zip(pieces[::2], styles, strict=True) if part]
