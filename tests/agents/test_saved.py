"""Policies that were trained elsewhere and saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import Schedule, UserError, make, run
from agentic_agents.saved import SavedPolicy

WORLD = "CartPole-v1"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stable_baselines3", None)
    with pytest.raises(UserError, match=r"pip install 'agentic\[sb3\]'"):
        SavedPolicy.from_env(make(WORLD), "nowhere")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestOfStableBaselines:
    @pytest.fixture
    def saved(self, tmp_path: Path) -> Any:
        model = pytest.importorskip("stable_baselines3").PPO("MlpPolicy", WORLD, seed=0, n_steps=64)
        model.learn(128)
        model.save(tmp_path / "policy")
        return model, str(tmp_path / "policy.zip")

    def test_it_acts_as_it_was_trained_to(self, saved: Any) -> None:
        model, path = saved
        record = run(SavedPolicy.from_env(make(WORLD), path), WORLD, Schedule(episodes=2))
        for episode in record.episodes():
            expected, _ = model.predict(episode.arrays["obs"], deterministic=True)
            np.testing.assert_array_equal(episode.arrays["action"], expected)
        assert SavedPolicy.from_env(make(WORLD), path.removesuffix(".zip"))

    def test_what_does_not_fit_is_refused(self, saved: Any, tmp_path: Path) -> None:
        _, path = saved
        with pytest.raises(UserError, match="was trained on observations in Box"):
            SavedPolicy.from_env(make("FrozenLake-v1"), path)
        with pytest.raises(UserError, match="no saved policy at"):
            SavedPolicy.from_env(make(WORLD), str(tmp_path / "none"))
        with pytest.raises(UserError, match="algorithm = 'PPP' is not one of"):
            SavedPolicy.from_env(make(WORLD), path, "PPP")
        (tmp_path / "text.zip").write_text("no policy")
        with pytest.raises(UserError, match="cannot be read as a policy of PPO"):
            SavedPolicy.from_env(make(WORLD), str(tmp_path / "text.zip"))
