"""A Minari data set, collected here, is measured like any other record."""

from pathlib import Path
from typing import Any

import gymnasium
import pytest

from agentic import UserError, load, measure, subject_of
from agentic.cli import main

minari = pytest.importorskip("minari")
EpisodeBuffer = pytest.importorskip("minari.data_collector").EpisodeBuffer


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Twelve episodes of a cart pushed in turn to either side."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    env, buffers = gymnasium.make("CartPole-v1"), []
    for seed in range(12):
        first, _ = env.reset(seed=seed)
        seen, lived = [first], list[tuple[Any, bool, bool]]()
        while not (lived and (lived[-1][1] or lived[-1][2])):
            obs, reward, end, cut, _ = env.step(len(lived) % 2)
            seen.append(obs)
            lived.append((reward, end, cut))
        rewards, ends, cuts = (list(column) for column in zip(*lived, strict=True))
        actions = [t % 2 for t in range(len(lived))]
        buffers.append(EpisodeBuffer(seed, seed, None, seen, actions, rewards, ends, cuts, {}))
    return minari.create_dataset_from_buffers(
        "agentic/cartpole-v0",
        buffers,
        env=env,
        algorithm_name="in turn",
        author="us",
        author_email="us@example.org",
        code_permalink="none",
        data_format="arrow",  # what can be written without further packages
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_data_set_is_measured(dataset: Any, capsys: pytest.CaptureFixture[str]) -> None:
    subject = subject_of(dataset)
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
def test_a_data_set_that_is_not_here(dataset: Any) -> None:
    with pytest.raises(UserError, match="fetch it with `minari download agentic/other-v0`"):
        subject_of("minari:agentic/other-v0")
