"""Links that leave docs/ lead to a page of the site, whatever they lead to in the repository."""

import pytest

from tests.house.repository import ROOT
from website import links

PAGES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))]
REWRITTEN = [
    ("docs/runs.md", "[a](bench.md#the-file)", "[a](bench.md#the-file)"),
    ("docs/plugins/goal.md", "[a](../runs.md)", "[a](../runs.md)"),
    ("docs/exchange.md", "[a](../examples/wandb_logger.py)", "[a](source/examples/wandb_logger.py.md)"),
    ("docs/plugins.md", "[a](../examples/third_party)", "[a](source/examples/third_party/index.md)"),
    ("docs/glossary.md", "[a](decisions)", "[a](decisions/0001-record-decisions.md)"),
    ("docs/tour.md", "[a](notebooks/first_agent.ipynb)", "[a](notebooks/first_agent.md)"),
    ("CONTRIBUTING.md", "[a](docs/metrics.md#subjects)", "[a](../metrics.md#subjects)"),
    ("CONTRIBUTING.md", "[a](#checks), [b](https://example.org)", "[a](#checks), [b](https://example.org)"),
    ("docs/runs.md", "[`x.py`](../examples/train_ppo.py)", "[`x.py`](source/examples/train_ppo.py.md)"),
    ("docs/runs.md", "`[a](../LICENSE)`", "`[a](../LICENSE)`"),
    ("docs/runs.md", "```\n[a](../LICENSE)\n```", "```\n[a](../LICENSE)\n```"),
    ("docs/runs.md", "[bench.md](bench.md)", "[The bench](bench.md)"),
    ("docs/sb3.md", "[runs.md](runs.md#a-run-that-stops)", "[A run that stops](runs.md#a-run-that-stops)"),
    ("docs/sb3.md", "[runs.md](runs.md#nowhere)", "[runs.md](runs.md#nowhere)"),
    ("docs/runs.md", "```python\n>>> 1\n```", "```pycon\n>>> 1\n```"),
]


@pytest.mark.parametrize(("page", "text", "expected"), REWRITTEN)
def test_links_lead_to_pages_of_the_site(page: str, text: str, expected: str) -> None:
    assert links.rewritten(text, page) == expected


def test_what_is_linked_to_has_a_page() -> None:
    made = links.sources(PAGES)
    assert {"source/CONTRIBUTING.md", "source/CHANGELOG.md", "source/examples/wandb_logger.py.md"} <= set(made)
    assert "source/examples/third_party/index.md" in made
    assert made["source/examples/wandb_logger.py.md"].startswith("# examples/wandb_logger.py\n\n````python\n")


def test_a_folder_lists_its_files_each_with_a_page() -> None:
    made = links.sources(PAGES)
    listed = made["source/examples/third_party/index.md"]
    assert "- [examples/third_party/pyproject.toml](pyproject.toml.md)" in listed
    assert "source/examples/third_party/pyproject.toml.md" in made
