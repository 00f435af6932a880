"""PPO of Stable-Baselines3 trains an agent in a dream of WebShop; the real WebShop says what it has learnt.

    pip install "dreamgym_env[sb3]"
    python examples/sb3_webshop.py --steps 50000 --out runs/ppo
    dreamgym compare webshop --agent "policy(runs/ppo)"

``--env-id DreamGymReal/WebShop-v0`` trains in the real one; nothing else changes.  ``--start FOLDER`` goes on from what
``dreamgym clone webshop --out FOLDER`` learnt from recorded successes, and saves most of the exploration.
"""

from __future__ import annotations

import argparse
from typing import Any

import gymnasium as gym
import numpy as np
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.integrations.sb3 import (
    CandidatePolicy,
    CandidateQPolicy,
    MaskableCandidatePolicy,
    load_policy,
    make_sb3_vec_env,
    save_policy,
)

PPO_SETTINGS = {"n_steps": 64, "batch_size": 256, "n_epochs": 4, "gamma": 0.99, "ent_coef": 0.01}
ALGORITHMS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "ppo": (PPO, CandidatePolicy, PPO_SETTINGS),
    "maskable-ppo": (MaskablePPO, MaskableCandidatePolicy, PPO_SETTINGS),
    "dqn": (DQN, CandidateQPolicy, {"buffer_size": 20_000, "learning_starts": 500, "gamma": 0.99}),
}


def main() -> None:
    """Train, and evaluate before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--algorithm", choices=sorted(ALGORITHMS), default="maskable-ppo")
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--envs", type=int, default=16)
    parser.add_argument("--episodes", type=int, default=100, help="of each evaluation")
    parser.add_argument("--start", help="folder of a policy to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tensorboard", help="folder for TensorBoard")
    parser.add_argument("--out", default="runs/sb3", help="folder for the policy")
    args = parser.parse_args()

    # WebShop's states have 19 candidate actions at most
    envs = make_sb3_vec_env(args.env_id, args.envs, seed=args.seed, most_candidates=20, policy=args.start)
    real_id = "DreamGymReal/" + gym.spec(args.env_id).name + "-v0"
    real = make_sb3_vec_env(real_id, args.envs, most_candidates=20, policy=args.start, split="test")
    algorithm, policy_class, settings = ALGORITHMS[args.algorithm]
    model = algorithm(
        policy_class, envs, learning_rate=3e-4, seed=args.seed, tensorboard_log=args.tensorboard, **settings
    )
    if args.start:
        load_policy(model, args.start)

    def success() -> float:
        real.seed(args.seed)  # the same tasks each time
        returns, _ = evaluate_policy(model, real, args.episodes, return_episode_rewards=True)
        return float(np.mean(returns))

    print(f"{real_id}, {args.episodes} test tasks: solved before {success():.2f}")
    model.learn(args.steps)
    print(f"{real_id}, {args.episodes} test tasks: solved after {model.num_timesteps:,} steps {success():.2f}")
    save_policy(model, args.out)
    print(f'The policy is in {args.out}: dreamgym compare webshop --agent "policy({args.out})"')
    envs.close()
    real.close()


if __name__ == "__main__":
    main()
