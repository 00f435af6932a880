"""Write what verl needs to train in a dream: its data sets, the file that names the agent loop, and the command.

    python examples/verl_webshop.py --out runs/verl --model Qwen/Qwen2.5-3B-Instruct

Each trajectory is one episode; the rows of both files say which task.  The reward comes with the trajectory.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from dreamgym_env.integrations.verl import DreamAgentLoop, dataset_rows


def main() -> None:
    """Read the command line, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--world-model", default="embedded")
    parser.add_argument("--model", default="Qwen/Qwen2.5-3B-Instruct", help="the agent, which is trained")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("runs/verl"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        pd.DataFrame(dataset_rows("webshop", split, args.tasks)).to_parquet(args.out / f"{split}.parquet")
    loop = {
        "name": "dreamgym",
        "_target_": f"{DreamAgentLoop.__module__}.{DreamAgentLoop.__qualname__}",
        "env_id": args.env_id,
        "settings": {"world_model": args.world_model},
    }
    configured = args.out / "agent_loop.yaml"
    configured.write_text(json.dumps([loop], indent=2) + "\n")  # JSON is YAML
    options = {
        "algorithm.adv_estimator": "grpo",
        "data.train_files": args.out / "train.parquet",
        "data.val_files": args.out / "test.parquet",
        "data.max_prompt_length": 2048,
        "data.max_response_length": 8192,
        "actor_rollout_ref.model.path": args.model,
        "actor_rollout_ref.rollout.name": "vllm",
        "actor_rollout_ref.rollout.n": 8,
        "actor_rollout_ref.rollout.agent.agent_loop_config_path": configured,
    }
    print("python -m verl.trainer.main_ppo \\\n  " + " \\\n  ".join(f"{key}={value}" for key, value in options.items()))


if __name__ == "__main__":
    main()
