"""Saving: all that a tree of objects holds as plain text and tensors, and such trees put back into objects made anew.

Nothing that is saved is code, and nothing that was saved is run when it is put back.
"""

from agentic.saving.beside import Beside
from agentic.saving.capture import Fixtures, Tree, capture, offers_state
from agentic.saving.leaves import Unsavable
from agentic.saving.restore import Unfit, restore

__all__ = ["Beside", "Fixtures", "Tree", "Unfit", "Unsavable", "capture", "offers_state", "restore"]
