"""The engine gives what the original WebShop gave: its recorded sessions, replayed on its own data."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dreamgym_env.domains.webshop.engine import StepResult, WebShopEngine
from dreamgym_env.domains.webshop.goals import load_goals
from dreamgym_env.domains.webshop.observation import SEPARATOR, listings
from dreamgym_env.domains.webshop.products import load_products


@pytest.fixture(scope="module")
def replayed(real_data: Path) -> list[tuple[dict[str, Any], StepResult]]:
    """(recorded step, our answer) of every step, resets included."""
    folder = real_data / "webshop"
    engine = WebShopEngine(load_products(folder / "products_1000.jsonl.gz"))
    goals = load_goals(folder / "goals_6910.jsonl.gz")
    steps = []
    with gzip.open(folder / "sessions_20.jsonl.gz", "rt", encoding="utf-8") as file:
        for recorded in map(json.loads, file):
            session = engine.start(goals[recorded["session"]])
            steps.append((recorded["steps"][0], engine.view(session)))
            for step in recorded["steps"][1:]:
                session, result = engine.step(session, step["action"])
                steps.append((step, result))
    return steps


def test_nearly_all_transitions_are_identical(replayed: list[tuple[dict[str, Any], StepResult]]) -> None:
    same = [
        (result.observation, list(result.clickables), result.has_search_bar, result.reward, result.done)
        == (step["obs"], step["clickables"], step["has_search_bar"], step["reward"], step["done"])
        for step, result in replayed
    ]
    assert len(same) > 150
    assert sum(same) / len(same) >= 0.93


def test_every_final_reward_is_equal(replayed: list[tuple[dict[str, Any], StepResult]]) -> None:
    rewards = [(step["reward"], result.reward) for step, result in replayed if step["done"]]
    assert len(rewards) >= 10
    assert all(theirs == ours for theirs, ours in rewards)


def test_result_pages_share_nearly_all_products(replayed: list[tuple[dict[str, Any], StepResult]]) -> None:
    pages = [
        (codes(step["obs"]), codes(result.observation))
        for step, result in replayed
        if len(codes(step["obs"])) == 10 and "Total results" in step["obs"]
    ]
    assert len(pages) >= 20
    assert sum(len(theirs & ours) for theirs, ours in pages) / len(pages) >= 9.5


def codes(observation: str) -> set[str]:
    return {asin for asin, _, _ in listings(observation.split(SEPARATOR))}
