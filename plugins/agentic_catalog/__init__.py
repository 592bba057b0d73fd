"""The catalog: every component with its parameters and an example table, and the example files that come along."""

from agentic_catalog.entries import Catalog, Entry, Parameter
from agentic_catalog.files import copy_example
from agentic_catalog.samples import Sample, Samples

__all__ = ["Catalog", "Entry", "Parameter", "Sample", "Samples", "copy_example"]
