"""Random streams: one independent stream for every (seed, name, row).

Names are hashed, so that adding a component never shifts another's stream, and seed 0 row 1 is not seed 1 row 0.
Environments have one stream per row; an agent, a learner and a metric have one generator per run.
"""

import random
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.random import SeedSequence

Phase = Literal["learn", "evaluate"]


def stream(seed: int, name: str, row: int = 0) -> SeedSequence:
    """The stream of `name` in `row`: its entropy is the SHA-256 of "seed/name/row" read as one integer.

    The names in use are env, action_space, agent, planner, learner and metric.
    """
    return SeedSequence(int.from_bytes(sha256(f"{seed}/{name}/{row}".encode()).digest(), "big"))


def phase_stream(seed: int, name: str, row: int = 0, *, phase: Phase = "learn") -> SeedSequence:
    """The stream of a phase: `stream` while learning, its first spawned child in evaluation, so no draw is shared.

    Evaluation therefore meets episodes that experience never saw, and the same ones however long learning took.
    """
    own = stream(seed, name, row)
    return own.spawn(1)[0] if phase == "evaluate" else own


def generator(seed: int, name: str, row: int = 0, *, phase: Phase = "learn") -> torch.Generator:
    """A CPU generator started from the stream."""
    word = phase_stream(seed, name, row, phase=phase).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(word))


def environment_seed(seed: int, row: int = 0, *, phase: Phase = "learn") -> int:
    """The uint32 given to the first reset of `row`; its later resets continue that environment's own generator."""
    return int(phase_stream(seed, "env", row, phase=phase).generate_state(1, np.uint32)[0])


@final
class Chance:
    """The sources of chance that belong to nobody, which third parties may draw from."""

    def get_state(self) -> dict[str, Any]:
        """Where they stand."""
        return {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}  # noqa: NPY002

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Put them back."""
        random.setstate(state["python"])
        np.random.set_state(state["numpy"])  # noqa: NPY002
        torch.set_rng_state(state["torch"])
