"""Plugins found, checked and named: `installed()` reads metadata only, `load()` imports and returns a Registry.

One broken plugin costs one plugin and is told in one line; nothing is ever overridden silently; there is no global
manager. Built-ins come through the same entry points as third parties.
"""

from agentic.plugins.contracts import asked, contract_of, contracts_of, fits, only, several
from agentic.plugins.discover import PluginError, PluginRow, Problem, installed
from agentic.plugins.hookspecs import KINDS
from agentic.plugins.loading import PRIVATE, load
from agentic.plugins.parameters import accepted, reader
from agentic.plugins.registry import Component, Registry

__all__ = [
    "KINDS",
    "PRIVATE",
    "Component",
    "PluginError",
    "PluginRow",
    "Problem",
    "Registry",
    "accepted",
    "asked",
    "contract_of",
    "contracts_of",
    "fits",
    "installed",
    "load",
    "only",
    "reader",
    "several",
]
