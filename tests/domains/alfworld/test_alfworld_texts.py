"""Texts split into sentences and back without loss, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.alfworld.texts import join_sentences, page_kind, split_sentences
from dreamgym_env.domains.segments import PLACEHOLDER

INSTRUCTION = "put a pen in the drawer."
START = f"-= Welcome to TextWorld, ALFRED! =-\n\nYou are in a room. You see a bed 1.\n\nYour task is to: {INSTRUCTION}"
PIECES = st.lists(st.sampled_from([*"ab .:\n\\", "Your task is to: ", PLACEHOLDER, INSTRUCTION]), max_size=12)


@given(PIECES.map("".join) | st.text(), st.sampled_from([INSTRUCTION, "a", "b a.", "", " ", "\n", PLACEHOLDER, " a"]))
def test_any_text_comes_back_to_the_letter(text: str, instruction: str):
    assert join_sentences(split_sentences(text, instruction), instruction) == text


def test_the_task_is_set_apart_from_the_house():
    sentences = split_sentences(START, INSTRUCTION)
    assert sentences[-2:] == ("\n\nYour task is to:", PLACEHOLDER)
    assert join_sentences(sentences, "wash a mug.") == START.replace(INSTRUCTION, "wash a mug.")


def test_an_answer_is_split_into_its_sentences():
    text = "You open the drawer 1. The drawer 1 is open. In it, you see a pen 1."
    assert split_sentences(text, INSTRUCTION) == (
        "You open the drawer 1.",
        "The drawer 1 is open.",
        "In it, you see a pen 1.",
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (START, "start"),
        ("Nothing happens.", "nothing"),
        ("You arrive at desk 1. On the desk 1, you see nothing.", "arrival"),
        ("You are carrying: a pen 1.", "inventory"),
        ("Who knows?", "other"),
    ],
)
def test_kinds_of_texts(text: str, kind: str):
    assert page_kind(text) == kind
