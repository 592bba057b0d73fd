"""Small benches that take seconds."""

from typing import Any

from agentic_bench import Battery

TABLES: dict[str, Any] = {
    "bench": {"name": "small", "seeds": 2},
    "worlds": [
        {"name": "lake", "id": "FrozenLake-v1", "episodes": 3},
        {"name": "cart", "id": "CartPole-v1", "episodes": 2},
    ],
    "agents": [{"name": "rock"}, {"name": "random"}, {"name": "rock", "label": "right", "action": 1}],
    "metrics": [
        {"name": "episode_return", "label": "return"},
        {"name": "policy_complexity", "worlds": ["lake"], "seeds": 1},
        {"name": "episode_return", "label": "return", "under": ["swapped"], "worlds": ["cart"]},
    ],
    "interventions": [{"name": "remap_actions", "label": "swapped", "order": [1, 0], "worlds": ["cart"]}],
}


def small(**changed: Any) -> Battery:
    return Battery.of({**TABLES, **changed})
