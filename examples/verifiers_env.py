"""Evaluate a model in a dream by verifiers: its own rollouts, traces and rewards.

    python examples/verifiers_env.py --tasks 2                                     # a stand-in for a model
    python examples/verifiers_env.py --model NAME --url http://127.0.0.1:8000/v1   # any OpenAI-compatible server

Trainers that take verifiers' environments name this one by its id, ``dreamgym-verifiers``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random

import verifiers.v1 as vf

from dreamgym_env.integrations.verifiers import DreamEnvConfig
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply


def stand_in(call: Call) -> Reply:
    """Answer with an action that the last message offers, with words of the task as keywords."""
    told = call.body["messages"][1]["content"].split("\n")[1].split()
    offered = call.body["messages"][-1]["content"].split("# Actions that it offers\n")[1].split("\n\n")[0]
    action = random.Random(call.number).choice(offered.splitlines())  # noqa: S311 - no secrets
    return completion_reply(call, f"I try something.\nAction: {action.replace('<keywords>', ' '.join(told[-4:]))}")


async def evaluate(env: vf.Env, context: vf.ModelContext) -> None:
    """Play all tasks at once."""
    async with env.serving():
        slots = [slot for task in env.taskset for slot in env.slots(task)]
        for episode in await asyncio.gather(*(env.run_slot(slot, context) for slot in slots)):
            (trace,) = episode.traces
            rewards = {name: reward.score for name, reward in trace.rewards.items()}
            print(f"{episode.task.key}: {trace.num_turns} turns, {rewards | trace.metrics}, {trace.stop_condition}")


def main() -> None:
    """Read the command line, and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--tasks", type=int, default=2)
    parser.add_argument("--max-turns", type=int, default=5)
    parser.add_argument("--model", default="stand-in")
    parser.add_argument("--url", help="base URL of an OpenAI-compatible server; its key in OPENAI_API_KEY")
    args = parser.parse_args()
    taskset = {"id": "dreamgym-verifiers", "env_id": args.env_id, "split": "test", "tasks": args.tasks}
    env = vf.load_environment(DreamEnvConfig(taskset=taskset, agent={"max_turns": args.max_turns}))
    with contextlib.ExitStack() as stack:
        url = args.url or stack.enter_context(LoopbackServer(stand_in)).url
        key = {"api_key_var": "OPENAI_API_KEY"} if args.url else {}
        asyncio.run(evaluate(env, vf.ModelContext(args.model, vf.EvalClientConfig(base_url=url, **key))))


if __name__ == "__main__":
    main()
