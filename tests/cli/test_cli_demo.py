"""Promises of ``dreamgym demo``: both environments side by side, each figure under its name."""

from __future__ import annotations

import json

from dreamgym_env.testing.openai_server import LoopbackServer, completion_reply


def test_the_demo_shows_an_episode_and_a_table(dreamgym, shop, copying_model, tmp_path):
    figures = tmp_path / "demo.json"
    result = dreamgym("demo", "--world-model", copying_model, "--tasks", 4, "--json", figures)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 100
    for said in ("agent oracle", "[1] > search[", "answered by model", "Consistency ratio", "Same outcome in both"):
        assert said in result.output
    assert any("DreamGym/WebShop-v0" in line and "DreamGymReal/WebShop-v0" in line for line in lines)
    assert "dreamgym play webshop" in result.output[-300:]

    written = json.loads(figures.read_text())
    assert written["side_by_side"]["tasks"] == 4
    assert written["side_by_side"]["dream"]["env_id"] == "DreamGym/WebShop-v0"
    assert written["side_by_side"]["real"]["env_id"] == "DreamGymReal/WebShop-v0"
    episode = written["episode"]
    same = [step["dream_page"] == step["real_page"] for step in episode["steps"]]
    assert episode["same_pages"] == sum(same)
    assert f"{sum(same)} of {len(same)} pages are the same in both" in result.output
    tested = {row["task_id"] for row in written["side_by_side"]["episodes"]} | {episode["task_id"]}
    assert len(tested) == 5
    assert all(task.startswith("webshop/test/") for task in tested)


def test_the_same_seed_shows_the_same_episode(dreamgym, shop, copying_model, tmp_path):
    def episode(seed):
        path = tmp_path / f"{seed}.json"
        dreamgym("demo", "--world-model", copying_model, "--tasks", 1, "--seed", seed, "--json", path)
        shown = json.loads(path.read_text())["episode"]
        return [{**step, "seconds": 0} for step in shown["steps"]]

    assert episode(3) == episode(3) != episode(4)


def test_a_model_that_cannot_be_read_is_shown_as_a_failure(dreamgym, shop):
    with LoopbackServer(lambda call: completion_reply(call, "\x1b[31mNo.")) as server:
        result = dreamgym("demo", "--world-model", f"openai:refuser@{server.url}", "--tasks", 2)
    assert result.exit_code == 0, result.output
    assert "DreamGym/WebShop-v0: cut short by an answer that could not be read" in result.output
    assert "\x1b" not in result.output
    (failures,) = [line for line in result.output.splitlines() if "model failures" in line]
    assert failures.split("│")[2].strip() == "2"


def test_a_server_that_is_away_is_one_sentence(dreamgym, shop):
    result = dreamgym("demo", "--world-model", "openai:gone@http://127.0.0.1:9/v1", "--tasks", 1)
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.output


def test_a_dream_alone_needs_no_real_environment_and_says_that_it_is_one(dreamgym, copying_model):
    result = dreamgym("demo", "alfworld", "--world-model", copying_model, "--dream-only")
    assert result.exit_code == 0, result.output
    for said in (
        "agent oracle",
        "Your task is to:",
        "[1] > ",
        "DreamGym/ALFWorld-v0: success",
        "no step of it was taken",
    ):
        assert said in result.output
    assert "dreamgym play alfworld" in result.output[-300:]


def test_what_is_learnt_in_the_dream_is_measured_in_the_real_environment(dreamgym, shop, copying_model, tmp_path):
    figures = tmp_path / "learnt.json"
    result = dreamgym("demo", "--learn", "--world-model", copying_model, "--steps", 128, "--json", figures)
    assert result.exit_code == 0, result.output
    found = json.loads(figures.read_text())
    assert found["steps"] == {"dream": 128, "real": 0}
    for when in ("before", "after"):
        assert found[when]["env_id"] == "DreamGymReal/WebShop-v0" and found[when]["episodes"] == 200
        share = f"{found[when]['success']:.1%} of 200 test tasks solved in DreamGymReal/WebShop-v0"
        assert share in " ".join(result.output.split())
