"""Ray actors dream WebShop episodes; each comes once, whatever happens to an actor, and is written to a file.

    pip install "dreamgym_env[ray]"
    python examples/ray_rollouts.py --episodes 200 --out runs/ray

Without servers every actor has its embedded world model.  With them, on a cluster (docs/ray.md):

    vllm serve Qwen/Qwen2.5-7B-Instruct                 # on one machine or several: URLs are joined by commas
    chroma run --path runs/buffer --host 0.0.0.0 --port 8001
    python examples/ray_rollouts.py --address auto --actors 32 --buffer http://store:8001 \
        --world-model "openai:Qwen/Qwen2.5-7B-Instruct@http://gpu1:8000/v1,http://gpu2:8000/v1"
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import ray
from tqdm import tqdm

from dreamgym_env.evaluation.rollout import plan_episodes
from dreamgym_env.integrations.ray import RayCollector


def main() -> None:
    """Collect rounds of episodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--agent", default="random", help="such as policy(runs/policy), or one of the domain's")
    parser.add_argument("--world-model", help="of the dream; the embedded one unless you say otherwise")
    parser.add_argument("--buffer", help="URL of a Chroma server, which what is dreamt is added to")
    parser.add_argument("--episodes", type=int, default=200, help="of a round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--envs", type=int, default=16, help="of each actor")
    parser.add_argument("--cpus", type=float, default=1.0, help="of each actor")
    parser.add_argument("--address", default="local", help="of a cluster; local starts one on this machine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="runs/ray", help="folder for the transitions")
    args = parser.parse_args()

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address=args.address, log_to_driver=False)
    asked = {"world_model": args.world_model, "buffer": args.buffer}
    settings = {name: value for name, value in asked.items() if value is not None}
    with RayCollector(
        args.env_id,
        num_actors=args.actors,
        envs_per_actor=args.envs,
        settings=settings,
        actor_options={"num_cpus": args.cpus},
        enrich=args.buffer is not None,
    ) as collector:
        tasks = collector.domain.task_ids("train")
        for number in range(args.rounds):
            wanted = [tasks[at % len(tasks)] for at in range(number * args.episodes, (number + 1) * args.episodes)]
            plans = plan_episodes(wanted, args.agent, args.seed + number)
            path = Path(args.out) / f"round-{number}.jsonl.gz"
            solved = 0
            for collected in tqdm(collector.collect(plans, path=path), total=len(plans), unit="episode", disable=None):
                solved += collected.episode.success
            print(f"{args.env_id}, round {number}: {solved} of {len(plans)} episodes solved by {args.agent}; {path}")
        print(collector.stats)


if __name__ == "__main__":
    main()
