"""Jobs on a Ray cluster: `--executor ray` of every command that carries out jobs (Moritz et al. 2018).

Ray itself is imported on first use, so that commands start without it.
"""

from agentic_ray.executor import RayExecutor

__all__ = ["RayExecutor"]
