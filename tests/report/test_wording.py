"""How values read."""

from math import inf, nan

import pytest

from agentic_report.meanings import SOURCE, first_sentence
from agentic_report.wording import breakable, chance, duration, enumerated, moment, number, quoted, settings, span


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (nan, "–"),
        (inf, "∞"),
        (-inf, "−∞"),
        (0.0, "0"),
        (-0.0, "0"),
        (3e-17, "0"),
        (0.65712, "0.657"),
        (-0.4, "−0.4"),
        (12345.6, "12,346"),
        (999.6, "1e+03"),
    ],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_intervals_and_p_values() -> None:
    assert span(-0.5, 1.25) == "[−0.5, 1.25]"
    assert span(0.5, None) == span(nan, 1.0) == ""
    assert [chance(p) for p in (None, 0.0002, 0.04)] == ["", "p < 0.001", "p = 0.04"]


def test_lists_of_words() -> None:
    assert [enumerated(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert enumerated([*"abcdefgh"], 4) == "a, b, c and 5 more"


def test_labels_of_several_words_are_quoted() -> None:
    assert [quoted(label) for label in ("t-maze_2", "grid, sampled")] == ["t-maze_2", "“grid, sampled”"]


def test_names_break_and_are_escaped() -> None:
    assert breakable("a_b <c>") == "a_<wbr>b &lt;c&gt;"


@pytest.mark.parametrize("wrong", [None, "yesterday", True, nan, 1e30])
def test_times_that_are_none(wrong: object) -> None:
    assert moment(wrong) == ""


def test_times() -> None:
    assert moment(0) == "1970-01-01 00:00 UTC"
    assert [duration(each) for each in (12.5, 600, 7200, None)] == ["12.5 s", "10 min", "2.0 h", ""]


def test_parameters() -> None:
    assert settings({"name": "tree", "horizon": 3, "backup": {"name": "max"}}) == "tree(horizon = 3, backup = max)"
    assert settings({"weights": [1.0, 2.0]}) == "(weights = [1.0, 2.0])"
    assert settings({}) == ""


def test_first_sentences() -> None:
    assert first_sentence("A value of 0.5 bits,\nno more. It is small.\n\nMore.") == "A value of 0.5 bits, no more."


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("policies (Lai and Gershman 2021). 0 for", "Lai and Gershman 2021"),
        ("After van Opheusden et al. (2023).", "van Opheusden et al. (2023"),
        ("extinction (Adams and Dickinson 1981; Hammond 1980). A", "Adams and Dickinson 1981; Hammond 1980"),
        ("(Klyubin, Polani and Nehaniv 2005.)", "Klyubin, Polani and Nehaniv 2005"),
    ],
)
def test_sources_are_found(text: str, source: str) -> None:
    found = SOURCE.search(text)
    assert found is not None
    assert found.group() == source
