"""Train PPO of Stable-Baselines3 on CartPole, one policy for each seed: the reinforcement learner of the bench.

python examples/train_ppo.py                          # seeds 0 to 4, as those that come with agentic were made
python examples/train_ppo.py --seeds 10 --out mine    # then path = "mine/ppo-{seed}.zip" in a bench file
"""

import argparse
from pathlib import Path

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

WORLD = "CartPole-v1"
TUNED = {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20}  # as in RL Baselines3 Zoo
NETWORK = [32, 32]  # hidden units; files stay small
HELD_OUT = 1_000_000  # seeds of the evaluation printed here start there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bench" / "policies")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(given.seeds):
        world = make_vec_env(WORLD, n_envs=8, seed=seed)
        model = PPO("MlpPolicy", world, seed=seed, learning_rate=1e-3, policy_kwargs={"net_arch": NETWORK}, **TUNED)
        model.learn(given.steps)
        file = given.out / f"ppo-{seed}.zip"
        model.save(file, exclude=["tensorboard_log"])
        mean, sd = evaluate_policy(model, make_vec_env(WORLD, n_envs=1, seed=HELD_OUT + seed), n_eval_episodes=20)
        print(f"{file}: mean return {mean:.1f}, sd {sd:.1f} over 20 episodes")


if __name__ == "__main__":
    main()
