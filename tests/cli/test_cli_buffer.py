"""Promises of ``dreamgym buffer``: what goes in comes out, and looking changes nothing."""

from __future__ import annotations

import json

import pytest

from dreamgym_env.memory import read_transitions


@pytest.fixture
def folder(dreamgym, experience, tmp_path):
    """A buffer that holds the experience."""
    location = tmp_path / "buffer"
    assert dreamgym("buffer", "import", location, experience).exit_code == 0
    return location


@pytest.mark.parametrize("place", ["seed", "folder"])
def test_info_counts_what_a_buffer_holds(dreamgym, shop, experience, folder, place):
    location = folder if place == "folder" else "seed"
    result = dreamgym("buffer", "info", location, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    steps = read_transitions(experience)
    assert figures["sources"] == {"real": figures["transitions"]}
    assert figures["transitions"] == sum(figures["actions"].values()) <= len(steps)
    assert figures["tasks"] == len({step.task_id for step in steps})
    assert figures["solved_episodes"] == sum(step.reward > 0 for step in steps)
    assert f"{figures['transitions']:,}" in dreamgym("buffer", "info", location).output


def test_importing_again_adds_nothing(dreamgym, experience, folder):
    result = dreamgym("buffer", "import", folder, experience, "--json")
    report = json.loads(result.stdout)
    assert report["accepted"] == {str(experience): 0}
    assert report["buffer"]["real"] > 0


def test_a_broken_file_is_named_with_its_line_and_adds_nothing(dreamgym, experience, folder, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"format": "dreamgym_env.transitions", "version": 1}\nnonsense\n')
    before = dreamgym("buffer", "info", folder).output
    result = dreamgym("buffer", "import", folder, broken)
    assert result.exit_code == 1
    assert "broken.jsonl, line 2" in result.stderr
    assert dreamgym("buffer", "info", folder).output == before


@pytest.mark.parametrize("place", ["seed", "folder"])
def test_export_gives_back_what_was_imported(dreamgym, shop, folder, tmp_path, place):
    location = folder if place == "folder" else "seed"
    out = tmp_path / "out.jsonl.gz"
    result = dreamgym("buffer", "export", location, out)
    assert result.exit_code == 0, result.output
    exported = read_transitions(out)
    assert f"{len(exported):,} transitions" in result.output
    again = tmp_path / "again"
    dreamgym("buffer", "import", again, out)
    assert json.loads(dreamgym("buffer", "info", again, "--json").stdout)["transitions"] == len(exported)


def test_query_finds_the_transition_that_was_recorded(dreamgym, experience, folder):
    step = next(step for step in read_transitions(experience) if step.step == 1 and step.valid)
    result = dreamgym("buffer", "query", folder, "--state", step.state, "--action", step.action, "-k", 2, "--json")
    assert result.exit_code == 0, result.output
    memories = json.loads(result.stdout)
    assert len(memories) == 2
    assert memories[0]["transition"]["action"] == step.action
    assert memories[0]["similarity"] >= memories[1]["similarity"]


def test_a_page_may_come_from_a_file_a_pipe_or_a_task(dreamgym, experience, folder, tmp_path):
    step = read_transitions(experience)[0]
    page = tmp_path / "page.txt"
    page.write_text(step.state + "\n")
    ways = [("--state", f"@{page}"), ("--state", "-"), ("--task-id", step.task_id)]
    answers = [
        dreamgym("buffer", "query", folder, *way, "--action", step.action, "-k", 1, typed=step.state).output
        for way in ways
    ]
    # the instruction stands in the page; a task says where, so that its key is that of the page without it
    assert answers[0] == answers[1]
    assert all(step.action in answer for answer in answers)


def test_looking_needs_no_lock(dreamgym, folder):
    from dreamgym_env.domains import load_domain
    from dreamgym_env.memory import ReplayBuffer

    with ReplayBuffer(load_domain("webshop"), folder, seed_experience=False):
        assert dreamgym("buffer", "info", folder).exit_code == 0
        result = dreamgym("buffer", "import", folder, "whatever.jsonl")
    assert result.exit_code == 1
    assert "Another process is writing" in result.stderr


def test_a_server_that_is_away_is_named(dreamgym):
    result = dreamgym("buffer", "info", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9" in result.stderr
