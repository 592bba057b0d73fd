"""The identifiers under which Gymnasium knows our environments.

Gymnasium no longer reads entry points of its own, so a package that brings environments registers them when it is
imported. The entry points are strings: nothing is imported before `gymnasium.make`.
"""

import gymnasium

ENTRY_POINTS = {
    "agentic/TMaze-v0": "agentic_envs.tmaze:TMaze",
    "agentic/Tiger-v0": "agentic_envs.tiger:Tiger",
    "agentic/GridWorld-v0": "agentic_envs.gridworld:GridWorld",
    "agentic/CliffWorld-v0": "agentic_envs.cliffworld:CliffWorld",
    "agentic/Room-v0": "agentic_envs.room:Room",
    "agentic/PointMass-v0": "agentic_envs.point_mass:PointMass",
    "agentic/Pomdp-v0": "agentic_envs.pomdp:Pomdp",
    "agentic/CueChain-v0": "agentic_envs.cuechain:CueChain",
    "agentic/Bandit-v0": "agentic_envs.bandit:Bandit",
    "agentic/FogGrid-v0": "agentic_envs.foggrid:FogGrid",
    "agentic/AdjacentTMaze-v0": "agentic_envs.adjacent_tmaze:AdjacentTMaze",
    "agentic/SpringChain-v0": "agentic_envs.planted.springs:SpringChain",
}


def register_all() -> None:
    """Register every environment of this package; those already there are left alone, so calling it again is free.

    No step limit is registered: the environments count their own steps and report `truncated`.
    """
    for identifier, entry_point in ENTRY_POINTS.items():
        if identifier not in gymnasium.registry:
            gymnasium.register(identifier, entry_point=entry_point)
