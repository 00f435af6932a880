"""Splitting a state into segments loses nothing, whatever the texts: a page serves every task."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dreamgym_env.domains.segments import PLACEHOLDER, join_segments, split_segments

SEPARATOR = " [SEP] "
PIECES = st.sampled_from(["a", "b", SEPARATOR, "[SEP]", " ", "Instruction:", "i", PLACEHOLDER, "\\"])
TEXT = st.lists(PIECES).map("".join)


@settings(max_examples=500)
@given(TEXT, TEXT, st.sampled_from(["", "Instruction:"]))
def test_splitting_is_lossless_for_any_text(state, instruction, marker):
    segments = split_segments(state, instruction, SEPARATOR, marker)
    assert join_segments(segments, instruction, SEPARATOR) == state


def test_a_page_of_one_task_is_rendered_for_another():
    segments = split_segments("Instruction: [SEP] buy tea [SEP] Back", "buy tea", SEPARATOR, "Instruction:")
    assert segments == ("Instruction:", PLACEHOLDER, "Back")
    assert join_segments(segments, "buy milk", SEPARATOR) == "Instruction: [SEP] buy milk [SEP] Back"
