"""Fit and recover, in short: the benchmark group does it with 50 subjects."""

import pytest

from benchmarks.recovery import recover, summary


@pytest.mark.slow
def test_known_parameters_are_recovered() -> None:
    for each in summary([recover(77, subject) for subject in range(8)], 0.0):
        assert each.inside >= 6, each
        assert each.width < 0.6, each
        assert each.correlation > 0.6, each
