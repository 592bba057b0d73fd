"""Modules of the working folder, which are found where the words of whoever types name one, and nowhere before."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import find_spec

from agentic.errors import UserError


def find_nearby(names: Iterable[str]) -> None:
    """Let modules that `names` ask for ("module:Id") be found in the working folder, where they are nowhere else.

    Names are ids of environments, and wrappers. The folder is searched last, so that nothing there stands in for what
    is installed. What only a received folder names is not given here. Raises UserError for the path of a file.
    """
    for name in names:
        module, colon, wanted = name.partition(":")
        if module.endswith(".py"):
            there = os.path.splitext(os.path.basename(module))[0]
            wanted = wanted or "Name (its class, or an id that it registers)"
            raise UserError(f"{name} is a file: from its folder, write {there}:{wanted}")
        top, here = module.partition(".")[0], os.getcwd()
        if colon and top and here not in sys.path and not _there(top) and PathFinder.find_spec(top, [here]):
            sys.path.append(here)


def _there(module: str) -> bool:
    with suppress(ImportError, ValueError):  # what is loaded without a spec of its own
        return find_spec(module) is not None
    return module in sys.modules
