"""Debian's Chromium without a display: opens a page from a file and says what the page shows, logs and asks for."""

import json
import os
import shutil
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, final

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")
Scheme = Literal["light", "dark"]
DESKTOP = (1200, 900)
PHONE = (390, 844)
LOOKS = (Path(__file__).parent / "looks.js").read_text()
SWITCHES = (
    "--headless=new",
    "--disable-dev-shm-usage",  # containers have little /dev/shm
    "--disable-gpu",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a request is logged, and never leaves the machine
)


def program(*names: str) -> str | None:
    """The path of the first of these programs that is installed."""
    return next((path for path in map(shutil.which, names) if path), None)


CHROMIUM = program("chromium", "chromium-browser", "google-chrome")
CHROMEDRIVER = program("chromedriver", "chromium.chromedriver")


def start(profile: Path) -> Chrome:
    """A headless browser with its own empty profile; the caller quits it."""
    if not (CHROMIUM and CHROMEDRIVER):
        raise RuntimeError("expected chromium and chromedriver on the path: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with it
    return Chrome(options, Service(CHROMEDRIVER))  # with a path given, selenium downloads nothing


@final
@dataclass(frozen=True)
class Page:
    """The page in the browser's only tab."""

    browser: Chrome

    def open(self, path: Path, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light") -> None:
        """Load a file in a window of `size` CSS pixels, for a reader who prefers `scheme`; earlier logs are dropped."""
        self.resize(size)
        self.prefer(scheme)
        self.browser.get("about:blank")
        for log in ("browser", "performance"):
            self.browser.get_log(log)  # type: ignore[no-untyped-call]
        self.browser.get(path.as_uri())

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: Scheme) -> None:
        """What the reader's system says about colors; motion is unwanted, so that nothing is caught halfway."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def ask(self, expression: str, *arguments: Any) -> Any:
        """The value of a JavaScript expression, in which `arguments[0]` and on are `arguments`."""
        return self.browser.execute_script(f"return ({expression})", *arguments)

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def faults(self, kind: str, *arguments: Any) -> list[str]:
        """What one function of looks.js finds: faint, wide, headings, nameless, spilt, undrawn or crowded."""
        if not self.ask("Boolean(window.looks)"):
            self.browser.execute_script(LOOKS)
        return list(self.ask(f"looks.{kind}(...arguments)", *arguments))

    def unfold(self) -> None:
        """Open everything that is folded away."""
        self.ask("document.querySelectorAll('details').forEach((each) => (each.open = true))")

    def clear(self) -> None:
        """Leave the page and forget what it stored."""
        self.ask("localStorage.clear()")
        self.browser.get("about:blank")

    def errors(self) -> list[str]:
        """Errors in the console since the page was opened or this was last asked: exceptions, and resources not got."""
        entries = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]

    def foreign_requests(self) -> list[str]:
        """Addresses outside the file that the page asked for since it was opened or this was last asked."""
        events = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))  # type: ignore[no-untyped-call]
        asked = [address for event in events if (address := requested(event))]
        return [address for address in asked if not address.startswith(("file:", "data:", "blob:", "about:"))]

    def picture(self, top: float, height: float, width: float = DESKTOP[0]) -> bytes:
        """A part of the page as a PNG, whether it is in the window or not; in CSS pixels from the page's top."""
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        wanted = {"format": "png", "clip": clip, "captureBeyondViewport": True}
        return b64decode(self.browser.execute_cdp_cmd("Page.captureScreenshot", wanted)["data"])


def until(value: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """A value once it is true; raises an AssertionError that says `what` was awaited where it stays false."""
    deadline = time.monotonic() + seconds
    while not (found := value()):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.02)
    return found


def requested(event: dict[str, Any]) -> str | None:
    """The address that an event of the browser's network log asks for, or None."""
    if event["method"] == "Network.requestWillBeSent":
        return str(event["params"]["request"]["url"])
    if event["method"] == "Network.webSocketCreated":
        return str(event["params"]["url"])
    return None
