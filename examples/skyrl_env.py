"""Play a dream by SkyRL's environment interface, as its generator would: one environment an episode, in threads.

    python examples/skyrl_env.py --episodes 4
    python examples/skyrl_env.py --data train.parquet    # also writes the rows that SkyRL trains on (needs pyarrow)

To train, call ``register_dream`` where SkyRL's entry point runs, and name the parquet file in ``data.train_data``.
Random actions stand for the model here.
"""

from __future__ import annotations

import argparse
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import skyrl_gym

from dreamgym_env.integrations.skyrl import dataset_rows, register_dream


def reply(message: str, instruction: str, choose: random.Random) -> str:
    """Stand for the model: one of the actions that a message offers, with words of the task as keywords."""
    offered = message.split("# Actions that it offers\n")[1].split("\n\n")[0].splitlines()
    action = choose.choice(offered).replace("<keywords>", " ".join(instruction.split()[-4:]))
    return f"I try something.\nAction: {action}"


def play(row: dict[str, Any], max_turns: int) -> str:
    """Play one episode."""
    choose = random.Random(row["task_id"])  # noqa: S311 - no secrets
    env = skyrl_gym.make("dreamgym", env_config={}, extras={**row, "max_turns": max_turns})
    messages, _ = env.init(row["prompt"])
    done = False
    while not done:
        text = reply(messages[-1]["content"], row["instruction"], choose)
        step = env.step(text)
        messages += [{"role": "assistant", "content": text}, *step["observations"]]
        done = step["done"]
    metrics = env.get_metrics()
    env.close()
    return f"{row['task_id']}: {env.turns} turns, " + ", ".join(f"{name} {metrics[name]:.2f}" for name in metrics)


def main() -> None:
    """Read the command line, and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--max-turns", type=int, default=5)
    parser.add_argument("--data", metavar="FILE", help="write the training rows to this file (needs pyarrow)")
    args = parser.parse_args()
    register_dream("dreamgym", env_id=args.env_id)
    if args.data:
        pd.DataFrame(dataset_rows("dreamgym", "webshop", "train")).to_parquet(args.data)
    with ThreadPoolExecutor(args.episodes) as threads:
        rows = dataset_rows("dreamgym", "webshop", "train", args.episodes)
        print("\n".join(threads.map(lambda row: play(row, args.max_turns), rows)))


if __name__ == "__main__":
    main()
