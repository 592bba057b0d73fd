"""One headless browser per worker. Without Chromium and its driver, one test says so and the others are left out."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from tests.browser.chromium import CHROMEDRIVER, CHROMIUM, Page, start
from tests.browser.pages import Pages

CLOCK = """
const timers = new Map();
let number = 0;
window.setInterval = (act) => (timers.set(++number, act), number);
window.clearInterval = (timer) => void timers.delete(timer);
window.tick = () => [...timers.values()].forEach((act) => act());
"""

collect_ignore_glob = ["test_no_browser.py" if CHROMIUM and CHROMEDRIVER else "test_[!n]*.py"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    browser = start(tmp_path_factory.mktemp("chromium"))
    try:
        yield browser
    finally:
        browser.quit()  # closes its sockets too: an open one would be a warning, hence an error


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages.made(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def page(browser: Chrome) -> Iterator[Page]:
    """The browser's tab. No page may fail or ask for anything outside, whatever its test did with it."""
    page = Page(browser)
    yield page
    errors, requests = page.errors(), page.foreign_requests()
    page.clear()
    assert not errors
    assert not requests


@pytest.fixture
def clock(page: Page) -> Iterator[None]:
    """Time stands still in the pages opened next, but for `tick()`."""
    add, remove = "Page.addScriptToEvaluateOnNewDocument", "Page.removeScriptToEvaluateOnNewDocument"
    script = page.browser.execute_cdp_cmd(add, {"source": CLOCK})
    yield
    page.browser.execute_cdp_cmd(remove, script)
