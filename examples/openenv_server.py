"""Serve a dream by OpenEnv's protocol, and play in it from a client, as any process on this machine could.

    python examples/openenv_server.py --port 8000                  # serves until it is interrupted
    python examples/openenv_server.py --port 8000 --play 2         # two sessions of random actions on that server

Any OpenEnv client plays: ``GenericEnvClient(base_url="http://127.0.0.1:8000")``; a trainer opens a session an episode.
"""

from __future__ import annotations

import argparse
import asyncio
import random

from openenv import GenericEnvClient

from dreamgym_env.integrations.openenv import serve


async def play(url: str, task: int, seed: int) -> str:
    """Play one episode with random offered actions; free arguments are filled from the instruction."""
    choose = random.Random(seed)  # noqa: S311 - no secrets
    async with GenericEnvClient(base_url=url) as env:
        result = await env.reset(split="train", index=task, seed=seed)
        while not result.done:
            seen = result.observation
            words = " ".join(seen["instruction"].split()[-4:])
            action = choose.choice(seen["available_actions"]).replace("<keywords>", words)
            result = await env.step({"text": action})
        seen = result.observation
        return f"{seen['task_id']}: {seen['stop_reason']}, task score {seen['task_score']:.2f}, reward {result.reward}"


async def play_all(url: str, sessions: int) -> list[str]:
    """Play several sessions at once."""
    return await asyncio.gather(*(play(url, number, seed=number) for number in range(sessions)))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--play", type=int, default=0, metavar="SESSIONS", help="play on the server instead")
    args = parser.parse_args()
    if args.play:
        print("\n".join(asyncio.run(play_all(f"http://127.0.0.1:{args.port}", args.play))))
    else:
        serve(args.env_id, port=args.port)


if __name__ == "__main__":
    main()
