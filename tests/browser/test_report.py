"""The pages as readers meet them: on a desk and on a telephone, by day and by night, with a mouse or with keys."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from agentic import report
from tests.browser.chromium import DESKTOP, PHONE, Page, Scheme, until
from tests.browser.pages import Pages
from tests.report.folders import AGENTS, STRANGE, WORLDS
from tests.report.made_runs import made_run

KINDS = ("bench", "run", "index")
READERS = (("light", DESKTOP), ("dark", PHONE), ("light", PHONE), ("dark", DESKTOP))
QUICK = {("bench", *READERS[0]), ("bench", *READERS[1]), ("run", *READERS[1]), ("index", *READERS[1])}
CASES = [
    pytest.param(kind, *reader, marks=() if (kind, *reader) in QUICK else pytest.mark.slow)
    for kind in KINDS
    for reader in READERS
]


@pytest.mark.parametrize(("kind", "scheme", "size"), CASES)
def test_everything_can_be_read(page: Page, pages: Pages, kind: str, scheme: Scheme, size: tuple[int, int]) -> None:
    page.open(getattr(pages, kind), size, scheme)
    page.unfold()
    assert page.faults("faint", 4.5) == []
    assert page.faults("wide") == []
    assert page.faults("spilt") == []
    assert page.faults("crowded") == []
    assert page.faults("headings") == []
    assert page.faults("nameless") == []
    assert page.ask("document.documentElement.lang") == "en"
    assert page.browser.title.endswith(" · agentic")


@pytest.mark.parametrize("kind", ["bench", pytest.param("run", marks=pytest.mark.slow)])
def test_every_view_of_every_chart_draws(page: Page, pages: Pages, kind: str) -> None:
    page.open(getattr(pages, kind))
    figures = page.all("figure.chart")
    assert len(page.all(".js-plotly-plot")) == len(figures) > 0
    assert page.faults("undrawn") == []
    for figure in figures:
        drawing = figure.find_element(By.CSS_SELECTOR, ".drawing")
        said = {drawing.get_attribute("aria-label")}
        options = figure.find_elements(By.CSS_SELECTOR, "select option")
        for option in options[1:]:
            option.click()
            assert page.faults("undrawn") == []
            said.add(drawing.get_attribute("aria-label"))
        assert len(said) == max(1, len(options)), "each view has a description of its own"


def test_the_theme_is_the_systems_until_the_button_is_used(page: Page, pages: Pages) -> None:
    page.open(pages.bench, scheme="dark")
    button = page.find("#theme")
    assert button.text == "Light"
    night = colors(page)
    button.click()
    assert button.text == "Dark"
    day = colors(page)
    assert all(by_day != by_night for by_day, by_night in zip(day, night, strict=True))
    assert page.faults("faint", 4.5) == []
    page.prefer("light")
    assert colors(page) == day
    button.click()
    assert colors(page) == night
    assert page.faults("faint", 4.5) == []


def colors(page: Page) -> list[str]:
    """Of the page, its text, a chart's words and a chart's first line."""
    found = page.ask("""[
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.body).color,
        getComputedStyle(document.querySelector(".js-plotly-plot .ytick text")).fill,
        getComputedStyle(document.querySelector(".js-plotly-plot .js-line")).stroke,
    ]""")
    return list(found)


def test_a_label_that_is_markup_is_a_text(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    assert page.browser.title == "battery · agentic"
    rows = [head.text for head in page.all("table.profile tbody th")]
    assert rows == [*AGENTS] * len(WORLDS)
    assert STRANGE in rows
    assert STRANGE in page.ask("document.querySelector('.js-plotly-plot .legend').textContent")
    assert page.ask("document.querySelectorAll('table script, dl script, svg script').length") == 0


def test_arrow_keys_walk_over_the_table_and_say_what_is_known_of_a_cell(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    first = page.find("table.profile td[tabindex='0']")
    first.send_keys(Keys.ARROW_RIGHT)
    at = page.browser.switch_to.active_element
    assert page.ask("[arguments[0].cellIndex, arguments[0].parentElement.rowIndex]", at) == [2, 2]
    at.send_keys(Keys.ARROW_DOWN)
    at = page.browser.switch_to.active_element
    assert page.ask("[arguments[0].cellIndex, arguments[0].parentElement.rowIndex]", at) == [2, 3]
    assert page.find("p.details").text == (at.get_attribute("title") or "").strip()
    assert len(page.all("table.profile td[tabindex='0']")) == len(WORLDS), "one stop of the Tab key for each table"


def test_a_wide_table_scrolls_in_its_box_and_the_agents_stay(page: Page, pages: Pages) -> None:
    page.open(pages.bench, PHONE)
    reached = page.ask("""(() => {
        const box = document.querySelector("table.profile").closest(".box");
        box.scrollLeft = 9999;
        const left = (element) => element.getBoundingClientRect().left - box.getBoundingClientRect().left;
        return [box.scrollLeft, left(box.querySelector("tbody th")), left(box.querySelector("tbody td"))];
    })()""")
    scrolled, agent, value = reached
    assert scrolled > 100
    assert agent == pytest.approx(1, abs=2)
    assert value < 0


def test_the_index_leads_to_every_page(page: Page, pages: Pages) -> None:
    page.open(pages.index)
    assert {link.text for link in page.all("table a")} == {pages.bench.parent.name, pages.run.parent.name}
    for target in (pages.bench, pages.run):
        page.find(f"a[href*='{target.parent.name}']").click()
        assert page.browser.current_url == target.as_uri()
        assert page.find("h1").text
        page.browser.back()


def test_the_name_of_a_column_says_what_it_is(page: Page, pages: Pages) -> None:
    page.open(pages.bench)
    page.find("table.profile td[tabindex='0']").send_keys(Keys.ARROW_UP)
    head = page.browser.switch_to.active_element
    assert (head.tag_name, page.find("p.details").text) == ("th", head.get_attribute("title"))
    assert page.find("p.details").text.startswith("episode_return, reward; Mean return of complete")
    head.send_keys(Keys.ARROW_DOWN)
    assert page.browser.switch_to.active_element.tag_name == "td"


def names(page: Page) -> list[str]:
    """The names of the lines of an index that are shown."""
    return [head.text.splitlines()[0] for head in page.all("table.sorted tbody tr:not([hidden]) th")]


def test_the_index_filters_and_sorts(page: Page, tmp_path: Path) -> None:
    for number, (agent, earned, env) in enumerate((("rock", 2.0, "Taxi-v4"), ("energy", 10.0, "Taxi-v4")), 1):
        made_run(tmp_path / f"000{number}-a", [earned], seed=number, env=env, agent={"agent": {"name": agent}})
    for seed in range(2):
        made_run(tmp_path / "0003-sweep" / "units" / "a" / f"seed-{seed}", [5.0 - seed], seed=seed)
    made_run(tmp_path / "0004-nothing")
    page.open(report(tmp_path))
    within = ["0003: a/seed-0", "0003: a/seed-1"]
    assert names(page) == ["0004-nothing", "0003-sweep", *within, "0002-a", "0001-a"]
    head = next(each for each in page.all("table.sorted thead button") if each.text == "return")
    head.click()
    assert names(page) == ["0001-a", *reversed(within), "0002-a", "0004-nothing", "0003-sweep"]
    head.click()
    assert names(page) == ["0002-a", *within, "0001-a", "0004-nothing", "0003-sweep"]
    assert page.find("th[aria-sort]").get_attribute("aria-sort") == "descending"
    page.find("#within").click()
    assert names(page) == ["0002-a", "0001-a", "0004-nothing", "0003-sweep"]
    page.find("#filter").send_keys("taxi ROCK")
    assert names(page) == ["0001-a"]
    assert page.find("#count").text == "1 of 6"


@pytest.mark.usefixtures("clock")
def test_the_page_of_a_run_that_goes_on_looks_again_until_it_is_finished(page: Page, tmp_path: Path) -> None:
    folder, ended = tmp_path / "run", "mean return of 2 episodes"
    page.open(report(made_run(folder, [1.0], status="running")))
    written = report(made_run(tmp_path / "other", [1.0, 3.0]))
    page.find("#stay").click()
    written.rename(folder / "report.html")
    page.ask("tick()")
    assert ended not in page.find("#result").text
    page.browser.refresh()
    assert ended in page.find("#result").text
    assert not page.all("#stay")
    report(folder)
    page.browser.refresh()
    written = report(tmp_path / "other")
    written.rename(folder / "report.html")
    page.ask("tick()")
    until(lambda: page.all(".big") and ended in page.find("#result").text, "the page of the end")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bench", "run"])
def test_every_link_on_a_page_leads_somewhere(page: Page, pages: Pages, kind: str) -> None:
    page.open(getattr(pages, kind))
    links = page.ask("[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))")
    assert links
    for link in links:
        assert link.startswith("#"), link
        assert page.ask("Boolean(document.getElementById(arguments[0]))", link[1:]), link


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_on_paper_the_page_is_light_and_nothing_is_lost(page: Page, pages: Pages, kind: str) -> None:
    page.open(getattr(pages, kind), scheme="dark")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.faults("faint", 4.5) == []
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
