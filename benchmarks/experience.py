"""A big buffer for benchmarks: real experience recorded in our own engine, once, into a cache folder.

Run as a script it says what a process needs that has it open: ``python experience.py FILE`` prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

__all__ = ["big_experience"]

_AGENTS = "oracle:0.3,noisy-oracle:0.35,lazy:0.1,random:0.25"
_EPISODES_PER_TRANSITION = 1 / 7


def big_experience(folder: Path, count: int) -> Path:
    """Return a transitions file of exactly ``count`` transitions of train tasks, recording it if it is not there."""
    from dreamgym_env.memory import read_transitions, write_transitions
    from dreamgym_env.training.record import parse_agent_shares, record_experience

    path = folder / f"webshop-{count}.jsonl.gz"
    if not path.exists():
        recorded = folder / f"webshop-{count}-recorded.jsonl.gz"
        episodes = int(count * _EPISODES_PER_TRANSITION)
        agents = parse_agent_shares(_AGENTS)
        record_experience("webshop", recorded, agents=agents, episodes=episodes, split="train", seed=11)
        write_transitions(path, read_transitions(recorded)[:count])
        recorded.unlink()
    return path


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _measure(path: str) -> dict[str, float]:
    """Open the buffer, ask it 256 questions, compose a page, and say what that took."""
    from dreamgym_env.domains import load_domain
    from dreamgym_env.memory import ReplayBuffer
    from dreamgym_env.simulation.grounding import Grounding
    from dreamgym_env.types import Query

    domain = load_domain("webshop")
    began = time.perf_counter()
    buffer = ReplayBuffer(domain, seed_experience=path)
    opened = time.perf_counter() - began
    tasks = [domain.task(task_id) for task_id in domain.task_ids("train")[:256]]
    queries = [Query(task, (), task.initial_state, f"search[{task.instruction[:30]}]") for task in tasks]
    Grounding(domain, buffer).retrieve(queries, 5)
    return {
        "memories": len(buffer),
        "open_seconds": opened,
        "resident_mib": _resident_mib(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
