"""Rollouts on a Ray cluster (``pip install "dreamgym_env[ray]"``), and these environments in RLlib.

::

    import ray
    from dreamgym_env.evaluation.rollout import plan_episodes
    from dreamgym_env.integrations.ray import RayCollector

    ray.init(address="auto")  # a cluster that `ray start` has made
    dream = {"world_model": "openai:MODEL@http://gpu:8000/v1", "buffer": "http://store:8001"}
    with RayCollector("DreamGym/WebShop-v0", num_actors=32, settings=dream, enrich=True) as collector:
        plans = plan_episodes(collector.domain.task_ids("train"), "random", seed=0)
        for collected in collector.collect(plans, path="runs/dreams.jsonl.gz"):
            collected.number, collected.transitions

Each actor has a vector environment of its own; the model server and the Chroma server behind them are shared.  The
driver numbers the plans, accepts the episode of each once, and starts actors that die again.

:mod:`.rllib` registers environments for RLlib, and has the network for them; it is not imported here, as RLlib takes
its time to load.
"""

from __future__ import annotations

from dreamgym_env.integrations.requirements import require

VERSIONS = ">=2.60,<3"
require("ray", VERSIONS, "ray")

from dreamgym_env.integrations.ray.collector import (  # noqa: E402
    CollectedEpisode,
    CollectorStats,
    RayCollector,
)
from dreamgym_env.integrations.ray.worker import AgentMaker, Learner  # noqa: E402

__all__ = ["AgentMaker", "CollectedEpisode", "CollectorStats", "Learner", "RayCollector"]
