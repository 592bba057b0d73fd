"""Random streams: their definition, and that they never meet."""

from hashlib import sha256

import numpy as np
import torch

from agentic.runs import stream
from agentic.runs.seeds import Phase, environment_seed, generator

PHASES: tuple[Phase, ...] = ("learn", "evaluate")


def test_a_stream_is_a_hash_of_its_name() -> None:
    entropy = int.from_bytes(sha256(b"3/env/1").digest(), "big")
    assert stream(3, "env", 1).entropy == entropy
    expected = np.random.SeedSequence(entropy).generate_state(4)
    np.testing.assert_array_equal(stream(3, "env", 1).generate_state(4), expected)


def test_streams_differ_by_seed_name_row_and_phase() -> None:
    words = {
        environment_seed(seed, row, phase=phase) for seed in range(20) for row in range(20) for phase in PHASES
    } | {int(stream(seed, name).generate_state(1)[0]) for seed in range(20) for name in ("agent", "learner", "metric")}
    assert len(words) == 20 * 20 * 2 + 60


def test_evaluation_uses_the_spawned_child() -> None:
    child = stream(5, "env", 2).spawn(1)[0]
    assert environment_seed(5, 2, phase="evaluate") == child.generate_state(1, np.uint32)[0]


def test_a_generator_repeats_and_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    first, again = (torch.rand(5, generator=generator(1, "agent")) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, torch.rand(5, generator=generator(1, "agent", phase="evaluate")))
    assert torch.equal(before, torch.get_rng_state())
