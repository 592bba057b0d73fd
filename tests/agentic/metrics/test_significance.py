"""Corrections for asking more than once."""

import pytest

from agentic import holm


def test_holm_adjusts_for_the_number_of_p_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
