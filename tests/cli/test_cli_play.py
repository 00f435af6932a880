"""Promises of ``dreamgym play``: whatever is typed, the episode goes on, and every way out is clean."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

TASK = ("--task-id", "webshop/test/3")


def test_a_person_can_shop_by_numbers(dreamgym):
    result = dreamgym("play", "webshop", "--real", *TASK, typed="1\nrunning shoes\n3\n6\n")
    assert result.exit_code == 0
    assert "webshop/test/3 in DreamGymReal/WebShop-v0" in result.output
    assert "Page 1 (Total results:" in result.output
    assert "Thank you for shopping with us!" in result.output
    assert "failure after 3 actions, score 0.00 (in DreamGymReal/WebShop-v0)" in result.output


def test_actions_may_be_typed_in_full(dreamgym):
    result = dreamgym("play", "webshop", "--real", *TASK, typed="search[chair]\nclick[back to search]\nquit\n")
    assert result.exit_code == 0
    assert result.output.count("answered by: real") == 2
    assert "Left after 2 actions." in result.output


def test_what_is_no_action_is_said_and_taken_as_one(dreamgym):
    result = dreamgym("play", "webshop", "--real", *TASK, typed="click[nonsense]\nquit\n")
    assert "The page does not offer this action." in result.output
    assert "Left after 1 actions." in result.output


@pytest.mark.parametrize("typed", ["0\n", "99\n", "help\n", "look\n", "\n", "   \n", "1\n\n"])
def test_what_is_not_meant_as_an_action_costs_none(dreamgym, typed):
    result = dreamgym("play", "webshop", "--real", *TASK, typed=f"{typed}quit\n")
    assert result.exit_code == 0
    assert "Left after 0 actions." in result.output


def test_the_end_of_the_input_ends_the_game(dreamgym):
    result = dreamgym("play", "webshop", "--real", *TASK, typed="1\nchair\n")
    assert result.exit_code == 0
    assert result.output.endswith("Left.\n")


def test_a_dream_says_who_answered_and_why(dreamgym, shop, copying_model):
    result = dreamgym(
        "play",
        "webshop",
        *TASK,
        "--world-model",
        copying_model,
        "--set",
        "guard=true",
        typed="1\nchair\nclick[x]\nquit\n",
    )
    assert result.exit_code == 0, result.output
    assert "webshop/test/3 in DreamGym/WebShop-v0" in result.output
    assert "answered by: model" in result.output
    assert "# 0 memories of this very action show it." in result.output
    assert "answered by: guard" in result.output


def test_the_seed_draws_the_task(dreamgym):
    first, again, other = (
        dreamgym("play", "webshop", "--real", "--split", "test", "--seed", seed, typed="quit\n").output
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_bytes_that_are_no_text_and_control_characters_do_no_harm():
    typed = b"search[\xff\xfe shoe]\nclick[\x1b[31mred]\n1\n\x1b[2J\xc3\x28\nquit\n"
    command = [sys.executable, "-m", "dreamgym_env.cli", "play", "webshop", "--real", *TASK]
    result = subprocess.run(command, input=typed, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert b"Left after 4 actions." in result.stdout
    assert b"\x1b" not in result.stdout
    assert b"Traceback" not in result.stderr


def test_an_output_that_knows_only_ascii_gets_escapes():
    command = [sys.executable, "-m", "dreamgym_env.cli", "play", "webshop", "--real", *TASK]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, input=b"search[caf\xc3\xa9]\nquit\n", capture_output=True, env=environment)
    assert result.returncode == 0, result.stderr


def test_ctrl_c_ends_the_game():
    command = [sys.executable, "-m", "dreamgym_env.cli", "play", "webshop", "--real", *TASK]
    game = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "search[<keywords>]" not in game.stdout.readline():
        pass
    game.send_signal(signal.SIGINT)
    out, errors = game.communicate()
    assert (game.returncode, errors) == (0, "")
    assert out.endswith("Left.\n")


def test_words_of_play_that_a_page_lists_are_actions(dreamgym, copying_model):
    play = ("play", "alfworld", "--world-model", copying_model, "--task-id", "alfworld/test/0")
    assert "Left after 1 actions." in dreamgym(*play, typed="look\nquit\n").output
    assert "Left after 0 actions." in dreamgym(*play, typed=":look\n:help\n:quit\n").output
