"""What a replay shows of any world in a browser: numbers of the record by their names, and pictures in order."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings

from agentic import Experiment, load, report
from agentic.experiments.build import build
from agentic_report.parts import is_picture
from agentic_report.pictures import flat
from agentic_report.rendering import _source
from agentic_report.replay import replay
from tests.browser.chromium import PHONE, Page
from tests.report.seeing import Space, registered
from tests.report.test_spaces import ACTIONS, SPACES, recorded

FEW = 8  # numbers of a leaf that have a row each
LARGEST = 10_000_000  # bytes of a page
LOOK = """
const pixels = async (image) => {
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [...canvas.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data];
};
"""
ROWS = f"""
{LOOK}
const done = arguments[0];
const rows = [...document.querySelectorAll("[data-part='now'] dt")].map(async (name) => {{
  const image = name.nextElementSibling.querySelector("img");
  return [name.textContent, image ? await pixels(image) : name.nextElementSibling.textContent];
}});
const images = [...document.querySelectorAll("[data-part='world'] img")];
const seen = images.map(async (image) => [image.alt, await pixels(image)]);
Promise.all([...rows, ...seen]).then((found) => done(found));
"""
PLAYED = f"""
{LOOK}
const done = arguments[0];
const shown = async () => {{
  const image = document.querySelector("[data-part='world'] img");
  const [row, wide] = [await pixels(image), image.naturalWidth / 10];
  const bits = Array.from({{ length: 10 }}, (_, place) => (row[4 * Math.floor((place + 0.5) * wide)] > 128 ? 1 : 0));
  return parseInt(bits.join(""), 2);
}};
(async () => {{
  const play = document.querySelector("[data-part='play']");
  play.click();
  const frames = [await shown()];
  while (play.getAttribute("aria-label") === "Pause") {{
    tick();
    frames.push(await shown());
  }}
  done(frames);
}})();
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of 500 steps in a world that draws itself."""
    folder = tmp_path_factory.mktemp("drawn")
    tables = {"env": {"id": registered()}, "agent": {"name": "random"}, "evaluate": {"episodes": 1}}
    with pytest.warns(match="text in its observations"):
        built = build(Experiment.of(tables), load())
    built.run(folder)
    return report(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("clock")
def test_every_frame_of_500_is_shown_in_order(page: Page, drawn: Path) -> None:
    page.browser.set_script_timeout(120)
    page.open(drawn)
    assert page.browser.execute_async_script(PLAYED) == [*range(501)]
    assert page.find("[data-part='time']").text == "step 500 of 500"
    assert page.find("[data-part='now']").text.splitlines()[:4] == ["place", "500", "says", "“step500”"]


def test_a_page_with_500_frames_is_small_and_fits_a_telephone(page: Page, drawn: Path) -> None:
    assert drawn.stat().st_size < LARGEST
    page.open(drawn, PHONE, "dark")
    page.unfold()
    for kind, *arguments in (("faint", 4.5), ("wide",), ("spilt",), ("headings",), ("nameless",)):
        assert page.faults(kind, *arguments) == []
    assert page.find("[data-part='world'] img").size["width"] > 200


def shown(text: str) -> tuple[list[float], int]:
    """The numbers that a text shows, and how many more it says there are."""
    numbers, _, more = text.partition(" and ")
    found = [float(each.replace("−", "-")) for each in re.findall(r"[−\d.e+]+(?:e[−+]\d+)?", numbers)]
    return found, int(more.removesuffix(" more") or 0)


def check_rows(rows: list[tuple[str, Any]], name: str, values: np.ndarray) -> None:
    """Check that the rows of a leaf show its values, as many of them as they should."""
    flat_values = values.reshape(-1)
    if len(flat_values) <= FEW:
        mine = [(label, text) for label, text in rows if label == name or label.startswith(f"{name}[")]
        found = [shown(text) for _, text in mine]
        assert [value for (value,), _ in found] == pytest.approx(flat_values, rel=1e-3)
        assert {more for _, more in found} == {0}
        if len(mine) > 1:
            places = [np.unravel_index(i, values.shape) for i in range(len(mine))]
            names = [f"{name}[{', '.join(str(int(axis)) for axis in place)}]" for place in places]
            assert [label for label, _ in mine] == names
    else:
        numbers, more = shown(dict(rows)[name])
        assert numbers == pytest.approx(flat_values[: len(numbers)], rel=1e-2)
        assert len(numbers) + more == len(flat_values)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(space=SPACES, action=ACTIONS)
def test_the_replay_of_any_space_shows_what_was_seen(page: Page, tmp_path: Path, space: Space, action: Space) -> None:
    record, truth = recorded(space, action, tmp_path / "run")
    fragment = replay(record.folder or tmp_path, "any")
    path = tmp_path / "replay.html"
    styles, script = _source("replay.css"), _source("replay.js")
    path.write_text(f"<!doctype html><title>any</title><style>{styles}</style>{fragment}<script>{script}</script>")
    page.open(path)
    for seen in truth:
        rows = [(name, text) for name, text in page.browser.execute_async_script(ROWS)]
        pictures = {name.removeprefix("Observed: "): data for name, data in rows if isinstance(data, list)}
        rows = [(name, text) for name, text in rows if isinstance(text, str)]
        kept = [name for name, array in seen.items() if not is_picture(array[None])]
        if sum(seen[name].size for name in kept) <= 24:
            for name in kept:
                check_rows(rows, name, seen[name])
        for name in seen.keys() - {*kept}:
            picture = flat(seen[name])
            found = np.array(pictures[name]).reshape(*picture.shape[:2], 4)[..., :3]
            np.testing.assert_array_equal(found, np.broadcast_to(picture, found.shape))
        page.find("[data-part='next']").click()


def test_the_parts_of_an_action_are_named(page: Page, tmp_path: Path) -> None:
    action = spaces.Dict({"gear": spaces.Discrete(1, start=7), "steer": spaces.Box(0.25, 0.25, (40,), np.float32)})
    record, _ = recorded(spaces.Dict({"always": spaces.Discrete(2)}), action, tmp_path / "run")
    page.open(report(record.folder or tmp_path))
    rows = page.find("[data-part='now']").text.splitlines()
    assert rows[rows.index("does") + 1] == f"gear 7, steer ({', '.join(['0.25'] * 23)}) and 17 more"
