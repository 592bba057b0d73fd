"""Verdicts come from p-values and from what metrics say in fields, never from the words of a warning."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agentic import Access, Frame, Measurement, Null, UserError, Verdict
from agentic.metrics import Row, holm, verdicts

ROOT = Path(__file__).parents[3]
HOME = ROOT / "agentic" / "metrics" / "verdict.py"
TRAPS = (
    "two of the few absorbing states are merged",
    "not enough episodes: 3 seen",
    "9 samples are too few: record at least 10",
    "at least one state is never left",
    "record more, or use the gaussian estimator",
    "too little data",
    "",
)
FRAME = Frame(("action",), "the agent acts", 1, "none", "resets", ())


def row(name: str = "m", p: float | None = 0.001, warnings: tuple[str, ...] = (), enough: bool = True) -> Row:
    null = None if p is None else Null("shuffled", 0.0, 1.0, 999, p)
    measured = Measurement(
        metric=name,
        value=1.0,
        unit="bits",
        access=Access.RECORDS,
        frame=FRAME,
        estimator="known",
        null=null,
        episodes=500,
        samples=5000,
        warnings=warnings,
        enough=enough,
    )
    return Row(name, [measured])


WARNINGS = st.lists(st.sampled_from(TRAPS) | st.text(), max_size=4).map(tuple)


@given(WARNINGS)
def test_no_warning_changes_a_verdict(warnings: tuple[str, ...]) -> None:
    assert verdicts([row(warnings=warnings)]) == [Verdict.OUTSIDE]
    assert verdicts([row(p=0.4, warnings=warnings)]) == [Verdict.INSIDE]
    assert verdicts([row(p=None, warnings=warnings)]) == [Verdict.NO_NULL]


@given(WARNINGS, st.none() | st.floats(0.0, 1.0))
def test_too_little_data_is_said_by_the_field_alone(warnings: tuple[str, ...], p: float | None) -> None:
    assert verdicts([row(p=p, warnings=warnings, enough=False)]) == [Verdict.TOO_LITTLE_DATA]


def test_one_seed_with_too_little_data_is_enough_to_say_so() -> None:
    seeds = [*row().found, *row(enough=False).found]
    assert verdicts([Row("m", seeds), row("other")]) == [Verdict.TOO_LITTLE_DATA, Verdict.OUTSIDE]


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_read_from_its_word(verdict: Verdict) -> None:
    assert Verdict.of(verdict.value) is verdict


def test_the_words_of_files_stay() -> None:
    words = ["outside the null", "inside the null", "too little data", "too few surrogates", "no null", "undefined"]
    assert [verdict.value for verdict in Verdict] == words
    assert [verdict.value for verdict in Verdict if verdict.inconclusive] == words[1:4]


@given(st.text().filter(lambda word: word not in [verdict.value for verdict in Verdict]))
def test_a_word_that_is_no_verdict_is_refused(word: str) -> None:
    with pytest.raises(UserError, match="is no verdict"):
        Verdict.of(word)


def test_a_near_word_is_suggested() -> None:
    with pytest.raises(
        UserError, match=r"^'outside of null' is no verdict, did you mean 'outside the null'\?; known: "
    ):
        Verdict.of("outside of null")


def test_the_words_stand_in_one_place() -> None:
    words = {verdict.value for verdict in Verdict} - {"undefined"}  # a plain word, with other uses
    sources = (path for room in ("agentic", "plugins", "pictures") for path in (ROOT / room).rglob("*.py"))
    for path in sources:
        texts = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant))
        found = [node.value for node in texts if isinstance(node.value, str) and node.value in words]
        assert not found or path == HOME, f"{path} spells out {found}: use agentic.Verdict"


def test_holm_adjusts_for_the_number_of_p_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("value", "enough", "null", "verdict", "outside"),
    [
        (1.0, True, Null("k", 0.0, 1.0, 99, 0.01), Verdict.OUTSIDE, True),
        (1.0, True, Null("k", 0.0, 1.0, 99, 0.5), Verdict.INSIDE, False),
        (1.0, False, Null("k", 0.0, 1.0, 99, 0.01), Verdict.TOO_LITTLE_DATA, None),
        (1.0, True, Null("k", 0.0, 1.0, 9, 0.1), Verdict.TOO_FEW_SURROGATES, None),
        (float("nan"), True, Null("k", 0.0, 1.0, 99, 0.01), Verdict.UNDEFINED, None),
        (1.0, True, None, Verdict.NO_NULL, None),
    ],
)
def test_outside_null_is_the_verdict_on_one_measurement(
    value: float, enough: bool, null: Null | None, verdict: Verdict, outside: bool | None
) -> None:
    found = Measurement(
        metric="m",
        value=value,
        unit="bits",
        access=Access.RECORDS,
        frame=Frame(("x",), "b", None, "none", "s", ()),
        estimator="e",
        samples=9,
        enough=enough,
        null=null,
    )
    assert (verdicts([Row("m", [found])]), found.outside_null) == ([verdict], outside)
