"""Ids of environments: packages that bring families of them, and one sentence about an id that is unknown."""

from difflib import get_close_matches
from importlib import import_module
from inspect import getmodule
from re import sub

import gymnasium
from gymnasium.envs.registration import EnvSpec

from agentic.errors import BREAKS, UserError, described, listed

FAMILIES = {  # how ids begin: the package that registers them when it is imported, and our extra for it
    "ALE/": ("ale_py", "atari"),
    "MiniGrid-": ("minigrid", "minigrid"),
    "BabyAI-": ("minigrid", "minigrid"),
}


def bring(id: str) -> None:
    """Import the package of a family's id, once. Raises UserError, with what to install, where it is not there."""
    for start, (package, extra) in FAMILIES.items():
        if id.casefold().startswith(start.casefold()) and not any(
            known.startswith(start) for known in gymnasium.registry
        ):
            try:
                gymnasium.register_envs(import_module(package))
            except BREAKS as error:
                remedy = f"pip install 'agentic[{extra}]'"
                raise UserError(
                    f"{id} comes with {package}, which does not load, {described(error)}: {remedy}"
                ) from error


def unknown(id: str) -> str:
    """What to say of an id that nobody has registered: near ones, those of its module, and where others come from."""
    module, _, name = id.rpartition(":")
    homes = {known: _home(spec) for known, spec in gymnasium.registry.items()}
    theirs = [known for known, home in homes.items() if module and home.startswith(module)]
    words = {_word(known): known for known in sorted(theirs or homes, key=lambda each: ("/" not in each, each))}
    near = [words[each] for each in get_close_matches(_word(name), words, n=3)]  # of one word the plain, newest id
    places = [f"{module}:{each}" if theirs else each for each in near or theirs]
    hint = f"did you mean {' or '.join(places)}?" if places else "see `agentic envs`."
    packages = listed(sorted({home.partition(".")[0] for home in homes.values()}))
    others = f"others as 'module:Class' or 'module:Id-v0', and those that begin with {listed(FAMILIES)}"
    return f"unknown environment {id!r}; {hint} Environments come from {packages}; {others}"


def _word(id: str) -> str:
    """The id without namespace and version, in small letters."""
    return sub(r"-v\d+$", "", id.rpartition("/")[2]).casefold()


def _home(spec: EnvSpec) -> str:
    """The module of the class or function that makes an environment."""
    target = spec.entry_point
    if isinstance(target, str):
        return target.partition(":")[0]
    module = getmodule(target)
    return "" if module is None else module.__name__
