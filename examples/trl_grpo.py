r"""GRPO of TRL trains a language model in a dream of WebShop; the real WebShop says what it has learnt.

    pip install "dreamgym_env[trl,training]"
    python examples/trl_grpo.py --model tiny --steps 2 --batch 4 --group 2    # random weights, on a CPU: to see it run
    python examples/trl_grpo.py --model Qwen/Qwen2.5-3B-Instruct --vllm --lora 64 --steps 200 --batch 64 --group 8 \
        --world-model openai:Qwen/Qwen2.5-7B-Instruct@http://localhost:8001/v1

docs/trl.md says what the second one needs.  ``--env-id DreamGymReal/WebShop-v0`` trains in the real environment.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from trl import GRPOConfig, GRPOTrainer

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.integrations.trl import TextRollout, episode_reward, make_dataset
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model


def main() -> None:
    """Train, and evaluate before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="Qwen/Qwen2.5-3B-Instruct", help="id or folder; tiny: random weights")
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--world-model", help="of the dream, such as openai:MODEL@http://localhost:8001/v1")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=64, help="episodes that a process plays at once")
    parser.add_argument("--group", type=int, default=8, help="episodes of one task")
    parser.add_argument("--micro-batch", type=int, default=2, help="episodes in one backward pass")
    parser.add_argument("--max-turns", type=int, help="actions of an episode")
    parser.add_argument("--max-tokens", type=int, default=8192, help="of an episode after its first prompt")
    parser.add_argument("--tokens-per-turn", type=int, default=256)
    parser.add_argument("--test-tasks", type=int, default=100)
    parser.add_argument("--lora", type=int, default=0, help="rank; 0 trains all weights")
    parser.add_argument("--learning-rate", type=float, default=1e-6, help="with --lora rather 1e-5")
    parser.add_argument("--vllm", action="store_true", help="sample by vLLM, on the GPUs that train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/trl"), help="folder for the model")
    args = parser.parse_args()

    def envs(env_id: str, **settings: Any) -> gym.vector.VectorEnv:
        shared: dict[str, Any] = {"autoreset_mode": "Disabled", "max_episode_steps": args.max_turns}
        return gym.make_vec(env_id, num_envs=args.batch, **shared, **settings)

    dream = envs(args.env_id, **({"world_model": args.world_model} if args.world_model else {}))
    real_id = "DreamGymReal/" + gym.spec(args.env_id).name + "-v0"
    real = envs(real_id)
    rollout = TextRollout(dream, eval_envs=real, tokens_per_turn=args.tokens_per_turn, seed=args.seed)
    gpu = torch.cuda.is_available()
    peft_config = None
    if args.lora:
        from peft import LoraConfig

        peft_config = LoraConfig(r=args.lora, lora_alpha=2 * args.lora, target_modules="all-linear")
    if args.model == "tiny":
        args.model = save_tiny_model(args.out / "tiny", chat_template=CHAT_TEMPLATE, max_position_embeddings=16384)
    config = GRPOConfig(
        output_dir=str(args.out / "checkpoints"),
        per_device_train_batch_size=args.micro_batch,
        per_device_eval_batch_size=args.batch,
        gradient_accumulation_steps=args.batch // args.micro_batch,  # one step of the optimizer for each batch played
        num_generations=args.group,
        num_generations_eval=1,
        max_completion_length=args.max_tokens,
        max_steps=args.steps,
        learning_rate=args.learning_rate,
        model_init_kwargs={"dtype": "bfloat16" if gpu and args.lora else "float32"},
        use_vllm=args.vllm,
        vllm_mode="colocate",
        vllm_gpu_memory_utilization=0.35,
        vllm_max_model_length=args.max_tokens + 2048,  # and the first prompt
        bf16=gpu,
        use_cpu=not gpu,
        logging_steps=1,
        report_to="none",
        seed=args.seed,
    )
    trainer = GRPOTrainer(
        str(args.model),
        reward_funcs=episode_reward,
        args=config,
        train_dataset=make_dataset(rollout.domain),
        eval_dataset=make_dataset(rollout.domain, "test", args.test_tasks),
        rollout_func=rollout,
        peft_config=peft_config,
    )
    tasks = f"{real_id}, {args.test_tasks} test tasks"
    print(f"{tasks}: solved before {trainer.evaluate()['eval_episodes/success']:.2f}")
    trainer.train()
    print(f"{tasks}: solved after {args.steps} steps {trainer.evaluate()['eval_episodes/success']:.2f}")
    if trainer.accelerator.is_main_process:
        model = trainer.accelerator.unwrap_model(trainer.model)
        (model.merge_and_unload() if args.lora else model).save_pretrained(args.out)
        trainer.processing_class.save_pretrained(args.out)
    rollout.close()


if __name__ == "__main__":
    main()
