"""An episode that one can walk through: with the slider, buttons and keys, or left to play."""

import re

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.chromium import PHONE, Page
from tests.browser.pages import Pages
from tests.report.folders import AGENTS, WORLDS

SHOWN = ".replay-slot:not([hidden]) "


def part(name: str) -> str:
    return f"{SHOWN}[data-part='{name}']"


def step(page: Page) -> int:
    """Where the replay that is shown says it is."""
    found = re.fullmatch(r"step (\d+) of \d+", page.find(part("time")).text)
    assert found, page.find(part("time")).text
    return int(found[1])


def last(page: Page) -> int:
    return int(page.find(part("slider")).get_attribute("max") or 0)


def shown(page: Page) -> dict[str, str]:
    """What stands in every part of the replay."""
    names = ("world", "now", "belief", "plans")
    return {name: page.ask("document.querySelector(arguments[0]).innerHTML", part(name)) for name in names}


def press(page: Page, key: str) -> None:
    page.find(SHOWN + "section.replay").send_keys(key)


def test_the_slider_scrubs(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    start = shown(page)
    assert step(page) == 0
    assert last(page) == 4  # a T-maze takes four steps
    page.find(part("slider")).send_keys(Keys.ARROW_RIGHT)
    assert step(page) == 1
    later = shown(page)
    assert [name for name in later if later[name] == start[name]] == []
    page.find(part("slider")).send_keys(Keys.HOME)
    assert step(page) == 0
    assert shown(page) == start


def test_keys_and_buttons_step_and_stop_at_the_ends(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    keys = {"right": Keys.ARROW_RIGHT, "left": Keys.ARROW_LEFT, "home": Keys.HOME, "end": Keys.END}
    walk = "right 1 next 2 back 1 left 0 left 0 back 0 end 4 right 4 next 4 home 0".split()
    for control, reached in zip(walk[::2], map(int, walk[1::2]), strict=True):
        if control in keys:
            press(page, keys[control])
        else:
            page.find(part(control)).click()
        assert step(page) == reached
        assert page.find(part("slider")).get_attribute("value") == str(reached)


@pytest.mark.usefixtures("clock")
def test_it_plays_to_the_end_and_can_be_paused(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    play = page.find(part("play"))
    seen = []
    for act in ("tick", "play", "tick", "tick", "pause", "tick", "play", "tick", "tick", "tick", "play"):
        if act == "tick":
            page.ask("tick()")
        else:
            play.click()
        seen.append((play.get_attribute("aria-label"), step(page)))
    assert seen == [
        *[("Play", 0), ("Pause", 0), ("Pause", 1), ("Pause", 2), ("Play", 2), ("Play", 2)],
        *[("Pause", 2), ("Pause", 3), ("Play", 4), ("Play", 4), ("Pause", 0)],  # at the end it begins anew
    ]
    press(page, Keys.SPACE)
    assert play.get_attribute("aria-label") == "Play"


def test_another_agent_and_another_episode_are_shown(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    chooser = Select(page.find("#replay"))
    assert len(chooser.options) == len(AGENTS) * len(WORLDS)
    assert [slot.text for slot in page.all(SHOWN + "h3")] == ["planner-40 in maze"]
    chooser.select_by_value("pole & cart/clone")
    assert [slot.text for slot in page.all(SHOWN + "h3")] == ["clone in pole & cart"]
    assert page.find(part("world") + " svg").size["height"] > 50
    first = shown(page)
    Select(page.find(part("episode"))).select_by_index(1)
    assert step(page) == 0
    assert shown(page)["now"] != first["now"]
    chooser.select_by_value("maze/planner-40")
    press(page, Keys.ARROW_RIGHT)
    assert step(page) == 1, "each replay has a place of its own"


def test_plans_are_listed_by_their_probability_and_the_one_begun_is_marked(page: Page, pages: Pages) -> None:
    page.open(pages.plans)
    for at in range(4):
        chances = [float(cell.text) for cell in page.all(part("plans") + " .replay-plan em")]
        assert len(chances) > 1
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) <= 1.01
        chosen = page.find(part("plans") + " .chosen .name").text.removeprefix("▸ ")
        assert chosen.split(" → ")[0] in page.find(part("now")).text.splitlines()
        assert step(page) == at
        press(page, Keys.ARROW_RIGHT)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_replay_can_be_read_at_every_step_on_a_telephone(page: Page, pages: Pages, scheme: str) -> None:
    page.open(pages.bench, PHONE, "dark" if scheme == "dark" else "light")
    for option in Select(page.find("#replay")).options:
        option.click()
        for _ in range(last(page)):
            press(page, Keys.ARROW_RIGHT)
            assert page.faults("faint", 4.5) == []
            assert page.faults("wide") == []
            assert page.faults("spilt") == []


@pytest.mark.slow
def test_no_replay_shows_what_is_not_a_number(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    for option in Select(page.find("#replay")).options:
        option.click()
        for at in range(last(page) + 1):
            assert step(page) == at
            words = page.find(SHOWN).text
            assert not re.search(r"NaN|undefined|null|Infinity|\[object", words), words
            press(page, Keys.ARROW_RIGHT)
