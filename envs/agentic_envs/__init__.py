"""Gymnasium environments whose truth is known, and wrappers that change the world of any environment.

Importing this package registers `agentic/TMaze-v0`, `agentic/Tiger-v0`, `agentic/GridWorld-v0`,
`agentic/CliffWorld-v0`, `agentic/Room-v0`, `agentic/PointMass-v0`, `agentic/CueChain-v0`, `agentic/Bandit-v0`,
`agentic/FogGrid-v0`, `agentic/AdjacentTMaze-v0`, `agentic/SpringChain-v0` and `agentic/Pomdp-v0`, which is made from
arrays, with Gymnasium; the environments themselves are imported when they are made. `agentic_envs.planted` has worlds
and recordings whose boundaries are known.
"""

from agentic import hookimpl
from agentic_envs.registration import register_all

register_all()


@hookimpl
def agentic_envs() -> dict[str, str]:
    """The environments this package offers, and the wrappers that change the world of any, by short name."""
    return {
        "tmaze": "agentic_envs.tmaze:TMaze",
        "tiger": "agentic_envs.tiger:Tiger",
        "gridworld": "agentic_envs.gridworld:GridWorld",
        "cliffworld": "agentic_envs.cliffworld:CliffWorld",
        "room": "agentic_envs.room:Room",
        "point_mass": "agentic_envs.point_mass:PointMass",
        "pomdp": "agentic_envs.pomdp:Pomdp",
        "cuechain": "agentic_envs.cuechain:CueChain",
        "bandit": "agentic_envs.bandit:Bandit",
        "foggrid": "agentic_envs.foggrid:FogGrid",
        "adjacent_tmaze": "agentic_envs.adjacent_tmaze:AdjacentTMaze",
        "spring_chain": "agentic_envs.planted.springs:SpringChain",
        "beside": "agentic_envs.planted.beside:Beside",
        "remap_actions": "agentic_envs.changes:RemapActions",
        "set_attributes": "agentic_envs.changes:SetAttributes",
        "hide_observations": "agentic_envs.changes:HideObservations",
        "sensor_noise": "agentic_envs.changes:SensorNoise",
        "join_observations": "agentic_envs.joined:JoinObservations",
        "number_observations": "agentic_envs.numbered:NumberObservations",
        "show_end": "agentic_envs.ending:ShowEnd",
    }
