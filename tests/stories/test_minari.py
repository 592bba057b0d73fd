"""A Minari data set, collected here, is measured like any other record."""

from pathlib import Path
from typing import Any

import gymnasium
import pytest

from agentic import UserError, load, measure, subject_of
from agentic.cli import main

minari = pytest.importorskip("minari")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Twelve episodes of a cart pushed in turn to either side."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    env = minari.DataCollector(gymnasium.make("CartPole-v1"), data_format="arrow")
    for seed in range(12):
        env.reset(seed=seed)
        over, t = False, 0
        while not over:
            _, _, end, cut, _ = env.step(t % 2)
            over, t = end or cut, t + 1
    made = env.create_dataset("agentic/cartpole-v0", algorithm_name="in turn", author="us", code_permalink="none")
    env.close()
    env._tmp_dir.cleanup()  # which Minari leaves to the garbage collector
    return made


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_data_set_is_measured(dataset: Any, capsys: pytest.CaptureFixture[str]) -> None:
    subject = subject_of(dataset)
    assert subject.record is not None
    episodes = subject.record.episodes("evaluate")
    assert len(episodes) == 12
    assert episodes[0].arrays["action"].tolist()[:4] == [0, 1, 0, 1]
    assert (episodes[0].arrays["obs"][1:] == episodes[0].arrays["next_obs"][:-1]).all()
    lengths = [episode.length for episode in episodes]
    found = measure(load().resolve("metrics", "episode_return")(), subject)
    assert found.value == sum(lengths) / 12
    assert main(["measure", "minari:agentic/cartpole-v0", "--metric", "episode_return"]) == 0
    assert f"{found.value:.4g}" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_data_set_that_is_not_here(dataset: Any) -> None:
    with pytest.raises(UserError, match="fetch it with `minari download agentic/other-v0`"):
        subject_of("minari:agentic/other-v0")
