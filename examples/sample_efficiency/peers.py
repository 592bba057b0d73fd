"""Learners of Stable-Baselines3, each with the settings that RL Baselines3 Zoo has for the world.

From hyperparams/ppo.yml (commit 208b6fd), sac.yml (c94924e) and dqn.yml (ce95481) of DLR-RM/rl-baselines3-zoo, GitHub;
what is not said there is the package's default. `timesteps` is how long the zoo trains, by which rates and exploration
fall; training is stopped when the protocol has seen enough.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from agentic import PolicyAgent, make

from .protocol import EPISODES, Look, Task, enough, look

Settings = dict[str, Any]
EVERY, CAP = 1_000, 20_000  # environment steps between looks, and the most

ACROBOT_DQN: Settings = {
    "timesteps": 100_000,
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "gamma": 0.99,
    "target_update_interval": 250,
    "train_freq": 4,
    "gradient_steps": -1,
    "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1,
    "policy_kwargs": {"net_arch": [256, 256]},
}
CARTPOLE_DQN: Settings = {
    "timesteps": 50_000,
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
    "policy_kwargs": {"net_arch": [256, 256]},
}
PENDULUM_PPO: Settings = {
    "timesteps": 100_000,
    "envs": 4,
    "n_steps": 1024,
    "gae_lambda": 0.95,
    "gamma": 0.9,
    "n_epochs": 10,
    "ent_coef": 0.0,
    "learning_rate": 1e-3,
    "clip_range": 0.2,
    "use_sde": True,
    "sde_sample_freq": 4,
}
CARTPOLE_PPO: Settings = {
    "timesteps": 100_000,
    "envs": 8,
    "n_steps": 32,
    "batch_size": 256,
    "gae_lambda": 0.8,
    "gamma": 0.98,
    "n_epochs": 20,
    "ent_coef": 0.0,
    "learning_rate": "lin_0.001",
    "clip_range": "lin_0.2",
}
MOUNTAINCAR_PPO: Settings = {
    "timesteps": 20_000,
    "normalize": True,
    "batch_size": 256,
    "n_steps": 8,
    "gamma": 0.9999,
    "learning_rate": 7.77e-05,
    "ent_coef": 0.00429,
    "clip_range": 0.1,
    "n_epochs": 10,
    "gae_lambda": 0.9,
    "max_grad_norm": 5,
    "vf_coef": 0.19,
    "use_sde": True,
    "policy_kwargs": {"log_std_init": -3.29, "ortho_init": False},
}
ACROBOT_PPO: Settings = {
    "timesteps": 1_000_000,
    "envs": 16,
    "normalize": True,
    "n_steps": 256,
    "gae_lambda": 0.94,
    "gamma": 0.99,
    "n_epochs": 4,
    "ent_coef": 0.0,
}
MOUNTAINCAR_SAC: Settings = {
    "timesteps": 50_000,
    "learning_rate": 3e-4,
    "buffer_size": 50_000,
    "batch_size": 512,
    "ent_coef": 0.1,
    "train_freq": 32,
    "gradient_steps": 32,
    "gamma": 0.9999,
    "tau": 0.01,
    "learning_starts": 0,
    "use_sde": True,
    "policy_kwargs": {"log_std_init": -3.67, "net_arch": [64, 64]},
}
PENDULUM_SAC: Settings = {"timesteps": 20_000, "learning_rate": 1e-3}

PEERS: dict[tuple[str, str], Settings] = {
    ("pendulum", "PPO"): PENDULUM_PPO,
    ("pendulum", "SAC"): PENDULUM_SAC,
    ("cartpole", "PPO"): CARTPOLE_PPO,
    ("cartpole", "DQN"): CARTPOLE_DQN,
    ("mountaincar", "PPO"): MOUNTAINCAR_PPO,
    ("mountaincar", "SAC"): MOUNTAINCAR_SAC,
    ("acrobot", "PPO"): ACROBOT_PPO,
    ("acrobot", "DQN"): ACROBOT_DQN,
}


def learn(task: Task, learner: str, settings: Settings, seed: int, seen: Callable[[Look], None]) -> list[Look]:
    """The looks at one learner of Stable-Baselines3 while it learns; `seen` is told of each."""
    import stable_baselines3
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    given = {key: _schedule(value) for key, value in deepcopy(settings).items()}  # the package writes into them
    steps, envs, normalize = given.pop("timesteps"), given.pop("envs", 1), given.pop("normalize", False)
    rows: Any = make_vec_env(task.id, n_envs=envs, seed=seed)
    if normalize:
        rows = VecNormalize(rows, gamma=given["gamma"])
    model = getattr(stable_baselines3, learner)("MlpPolicy", rows, seed=seed, device="cpu", **given)
    world = make(task.id, envs=EPISODES)

    def predict(obs: Any, deterministic: bool = True) -> Any:
        return model.predict(rows.normalize_obs(obs) if normalize else obs, deterministic=deterministic)[0]

    agent = PolicyAgent(predict, world.observation_layout, world.action_layout)
    found = list[Look]()

    def goes_on(*_: Any) -> bool:
        if model.num_timesteps >= (len(found) + 1) * task.every:
            found.append(look(agent, world, task, model.num_timesteps))
            seen(found[-1])
        return not enough(found, task)

    model.learn(max(steps, task.cap + task.later * task.every), callback=goes_on)
    rows.close()
    world.close()
    return found


def _schedule(value: Any) -> Any:
    """A setting as the package takes it: "lin_0.001" falls from .001 to 0, in a straight line."""
    kind, _, start = value.partition("_") if isinstance(value, str) else ("", "", "")
    return (lambda left: left * float(start)) if kind == "lin" else value
