"""The catalog: every component with its parameters and an example table, and the example files that come along."""

from agentic_catalog.entries import Catalog, Entry, Parameter
from agentic_catalog.samples import Samples

__all__ = ["Catalog", "Entry", "Parameter", "Samples"]
