"""How good the real WebShop is: our engine beside the original's recordings, and what scripted agents reach in it.

``python benchmarks/webshop.py [--data FOLDER]`` prints a table and writes ``results/webshop.json``; the dream beside it
is measured by ``benchmarks/compare.py``.
``--data`` names a folder with ``products_1000.jsonl.gz``, ``goals_6910.jsonl.gz`` and ``sessions_20.jsonl.gz``:
sessions that were recorded in the original WebShop; without it that part is left out.
"""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import typer
from machine import describe_machine
from rich.console import Console
from rich.table import Table

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains.webshop.observation import SEPARATOR, listings
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.environments import make_lanes
from dreamgym_env.evaluation.rollout import plan_episodes, play

RESULTS = Path(__file__).parent / "results" / "webshop.json"
AGENTS = ("oracle", "noisy-oracle", "lazy", "random")


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with the original's data and recorded sessions.")] = None,
) -> None:
    """Measure, print and write the results; without data, the recorded sessions keep what the file has."""
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results: dict[str, Any] = {"date": datetime.date.today().isoformat(), "machine": describe_machine()}
    if data is not None:
        results["recorded_sessions"] = {**replay_sessions(data), "date": results["date"]}
    elif "recorded_sessions" in known:
        results["recorded_sessions"] = known["recorded_sessions"]
    results["agents_in_real"] = {agent: play_real(agent) for agent in AGENTS}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print_tables(results)


def replay_sessions(data: Path) -> dict[str, Any]:
    """Replay the original's sessions in ``DreamGymReal/WebShop-v0`` on its data; count what is the same."""
    env = gym.make(
        "DreamGymReal/WebShop-v0",
        products=str(data / "products_1000.jsonl.gz"),
        goals=str(data / "goals_6910.jsonl.gz"),
        max_episode_steps=1000,
    )
    same, pages, rewards = [], [], []
    with gzip.open(data / "sessions_20.jsonl.gz", "rt", encoding="utf-8") as file:
        for session in map(json.loads, file):
            observation, info = env.reset(options={"task_id": f"webshop/{session['session']}"})
            done, score = False, 0.0
            for number, recorded in enumerate(session["steps"]):
                if number:
                    observation, _, done, _, info = env.step(recorded["action"])
                    score = info["task_score"]
                offered = ["search" if a.startswith("search[") else a[6:-1] for a in info["available_actions"]]
                answer = (observation, offered, score, done)
                same.append(answer == tuple(recorded[name] for name in ("obs", "clickables", "reward", "done")))
                if listed := codes(recorded["obs"]):
                    pages.append(len(listed & codes(observation)) / len(listed))
            rewards.append(score == session["steps"][-1]["reward"])
    return {
        "sessions": len(rewards),
        "transitions": len(same),
        "identical": sum(same) / len(same),
        "result_pages": len(pages),
        "shared_products": sum(pages) / len(pages),
        "equal_final_rewards": sum(rewards) / len(rewards),
    }


def codes(observation: str) -> set[str]:
    """Return the products that a page lists."""
    return {asin for asin, _, _ in listings(observation.split(SEPARATOR))}


def play_real(agent: str) -> dict[str, Any]:
    """Play all test and eval tasks in the real engine."""
    env = make_lanes("webshop", 50, real=True)
    task_ids = [*env.domain.task_ids("test"), *env.domain.task_ids("eval")]
    rollout = play(env, {agent: agent_factory(env.domain, agent)}, plan_episodes(task_ids, agent, seed=0))
    env.close()
    return {
        "tasks": len(task_ids),
        "success": rollout.solved / len(task_ids),
        "score": rollout.mean_score,
        "steps_per_second": rollout.steps_per_second,
    }


def print_tables(results: dict[str, Any]) -> None:
    """Print what was measured."""
    console = Console()
    if sessions := results.get("recorded_sessions"):
        console.print(sessions)
    table = Table("agent", "tasks", "success", "mean score", title="DreamGymReal/WebShop-v0")
    for agent, row in results["agents_in_real"].items():
        table.add_row(agent, str(row["tasks"]), f"{row['success']:.1%}", f"{row['score']:.2f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
