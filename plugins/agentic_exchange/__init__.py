"""Records as others read them: data sets of Minari. The command `export`."""

from agentic_exchange.minari_export import Exported, to_minari

__all__ = ["Exported", "to_minari"]
