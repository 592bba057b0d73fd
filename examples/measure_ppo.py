"""PPO from Stable-Baselines3, a random agent and our own planner, side by side on every metric that applies to all.

    python examples/measure_ppo.py                                       # 5 seeds, every metric
    python examples/measure_ppo.py --seeds 2 --steps 8000 --metric episode_return --metric policy_complexity

Each seed trains its own PPO, so that the intervals over seeds are about the algorithm and not about one policy.
"""

import argparse
from pathlib import Path
from time import perf_counter

import torch
from rich.console import Console
from rich.table import Table

import agentic
from agentic.build import build
from agentic.cli.measuring import chosen
from agentic.cli.tables import number
from agentic.profile import Row, verdicts

WORLD = "CartPole-v1"
HERE = Path(__file__).parent
AGENTS = ("PPO", "random", "planner")
TUNED = {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20}  # as in RL Baselines3 Zoo


def ppo(seed: int, steps: int, episodes: int) -> agentic.Subject:
    """A policy trained for so many steps, asked for its most probable action."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    model = PPO("MlpPolicy", make_vec_env(WORLD, n_envs=8, seed=seed), seed=seed, learning_rate=1e-3, **TUNED)
    model.learn(steps)
    return agentic.subject_of(model, WORLD).recorded(episodes=episodes, seed=seed)


def ours(name: str, seed: int, episodes: int) -> agentic.Subject:
    """The example made for this world, or another agent of the registry in it."""
    settings = [f"run.seed={seed}", f"evaluate.episodes={episodes}"]
    if name == "planner":
        return build(agentic.Experiment.load(HERE / "cartpole.toml", settings), agentic.load()).subject()
    tables = {"env": {"id": WORLD}, "agent": {"name": name}}
    return build(agentic.Experiment.of(tables, settings), agentic.load()).subject()


def measured(name: str, metric: agentic.Metric, subjects: list[agentic.Subject]) -> Row | str:
    """The metric on every seed, or why it cannot be had."""
    try:
        return Row(name, [agentic.measure(metric, subject, seed=seed) for seed, subject in enumerate(subjects)])
    except Exception as error:  # one that does not apply, or breaks, must not cost the others
        return f"{type(error).__name__}: {error}"


def table(found: dict[str, list[Row]], seeds: int) -> Table:
    title = f"{WORLD}: mean over {seeds} seeds [95 % Student interval], verdict against the metric's own null"
    shown = Table("metric", *AGENTS, "unit", title=title, title_justify="left")
    judged = [verdicts(rows) for rows in zip(*found.values(), strict=True)]  # of each agent, over its metrics
    for (name, rows), *said in zip(found.items(), *judged, strict=True):
        cells = []
        for row, verdict in zip(rows, said, strict=True):
            value, interval = row.estimate
            bounds = f" [{number(interval.low)}, {number(interval.high)}]" if interval else ""
            cells.append(f"{number(value)}{bounds}\n{verdict}")
        shown.add_row(name, *cells, rows[0].unit)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50_000, help="of PPO's training")
    parser.add_argument("--episodes", type=int, default=5, help="recorded of each agent and seed")
    parser.add_argument("--metric", action="append", default=[], help="repeatable; all that apply if left out")
    given = parser.parse_args()
    torch.set_num_threads(1)
    log = Console(stderr=True, highlight=False)
    subjects: dict[str, list[agentic.Subject]] = {name: [] for name in AGENTS}
    for seed in range(given.seeds):
        begun = perf_counter()
        subjects["PPO"].append(ppo(seed, given.steps, given.episodes))
        for name in AGENTS[1:]:
            subjects[name].append(ours(name, seed, given.episodes))
        returns = ", ".join(f"{name} {subjects[name][-1].record.returns().mean():.4g}" for name in AGENTS)
        log.print(f"seed {seed}: {returns} ({perf_counter() - begun:.0f} s)")
    found: dict[str, list[Row]] = {}
    for name, metric in chosen(given.metric, [], agentic.load()).items():
        begun = perf_counter()
        rows = [measured(name, metric, each) for each in subjects.values()]
        if reasons := [row for row in rows if isinstance(row, str)]:
            log.print(f"not measured: {name}: {reasons[0]}", markup=False, soft_wrap=True)
        else:
            found[name] = rows
            log.print(f"measured: {name} ({perf_counter() - begun:.0f} s)")
    Console(width=140, highlight=False).print(table(found, given.seeds) if found else "nothing was measured")


if __name__ == "__main__":
    main()
