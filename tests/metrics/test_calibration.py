"""On up to 400 fixed seeds: do intervals cover what they say, and do nulls that are true alarm as often as they say?"""

import pytest
from click.testing import CliRunner

from calibration.__main__ import main
from calibration.case import LOOKS, Case, alarms
from calibration.lives import survived
from calibration.tally import TOPICS, cases, judged, tallies

REJECTED = 0.001
QUICK = {"goals", "flow", "returns"}
TIERS = [pytest.param(topic, marks=pytest.mark.slow if topic in QUICK else pytest.mark.soak) for topic in TOPICS]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("topic", TIERS)
def test_rates_are_what_they_are_said_to_be(topic: str) -> None:
    """No exact binomial test is rejected at .001 after Holm's correction."""
    found = judged(list(tallies([topic])))
    off = {each.case.name: f"{each.rate} of {each.case.nominal:.4f}" for each in found if each.adjusted < REJECTED}
    assert not off


def test_a_verdict_of_few_surrogates_has_a_level_of_its_own() -> None:
    levels = {draws: alarms("", survived(1.0, 1.0), surrogates=draws).nominal for draws in (0, 19, 20, 39, 99, 999)}
    assert levels == {0: 0.05, 19: 0.0, 20: 1 / 21, 39: 1 / 40, 99: 4 / 100, 999: 49 / 1000}


def test_names_of_cases_are_unique_within_a_topic() -> None:
    for topic in TOPICS:
        found = [(case.name, case.stated) for case in cases(topic)]
        assert len(set(found)) == len(found)


def test_a_bound_may_alarm_less_and_a_level_may_not() -> None:
    exact, bound = (alarms("", survived(1.0, 1.0), at_most=at_most) for at_most in (False, True))
    assert exact.p_value(0, 400) < REJECTED < bound.p_value(0, 400)
    assert bound.p_value(400, 400) < REJECTED


def test_a_case_is_tried_until_it_is_decided() -> None:
    def tried(rate: float) -> tuple[int, int]:
        """Seeds, and hits of the last of them, of a null that is said to alarm in 5 %."""
        case = Case("", "", 0.05, lambda seed: seed % 100 < 100 * rate)
        hits = 0
        for look in LOOKS:
            hits = case.hits(range(look))
            if case.decided(hits, look):
                return look, hits
        return LOOKS[-1], hits

    assert tried(0.03) == (100, 3), "a rate of .1 is excluded"
    assert tried(0.05) == (200, 10)
    assert tried(0.08) == (400, 32), "neither"
    assert tried(0.3) == (100, 30), "so is the one that is stated"


def test_fresh_seeds_follow_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calibration.tally.cases", lambda _: (Case("", "", 0.5, lambda seed: seed >= 1000),))
    (old,), (new,) = (list(tallies(["flow"], first=first)) for first in (0, 1000))
    assert (old.hits, new.hits) == (0, new.tried)


def test_a_topic_that_is_not_there_is_refused() -> None:
    found = CliRunner().invoke(main, ["weather"])
    assert found.exit_code == 2
    assert "transfer" in found.output
