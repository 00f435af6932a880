"""State codecs are lossless for any texts and refuse what they cannot read (README: "unbreakable")."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamgym_env.world_model.codec import CODECS, CodecError

SEGMENT = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["C", "M1", "{C 1}", "\\{C 1}", "+ a", "{instruction}", "Price: $9.99", "$9.99", "\n", "\\n"]),
)
PAGE = st.lists(SEGMENT, max_size=8)
PAGES = st.dictionaries(st.sampled_from(["C", "P1", "M1", "M2"]), PAGE)

RESULTS = ("Instruction:", "{instruction}", "Back to Search", "Page 1", "B0AAAAAAAA", "Red shoe", "$9.99")
ITEM = ("Instruction:", "{instruction}", "Back to Search", "< Prev", "Red shoe", "Price: $9.99", "Buy Now")


@settings(max_examples=300)
@given(PAGE, PAGES)
def test_edits_are_lossless_for_any_page(page, pages):
    codec = CODECS["edits"]
    assert codec.decode(codec.encode(page, pages), pages) == tuple(page)


@settings(max_examples=300)
@given(PAGE.filter(bool), PAGES)
def test_full_is_lossless_for_any_page(page, pages):
    codec = CODECS["full"]
    assert codec.decode(codec.encode(page, pages), pages) == tuple(page)


@settings(max_examples=300)
@given(st.text(max_size=60), PAGES)
def test_edits_read_any_text_or_refuse_it(text, pages):
    try:
        segments = CODECS["edits"].decode(text, pages)
    except CodecError:
        return
    assert all(isinstance(segment, str) for segment in segments)


def test_a_page_that_was_shown_is_one_reference():
    assert CODECS["edits"].encode(ITEM, {"C": RESULTS, "M1": ITEM}) == "M1"


def test_an_unseen_page_is_built_from_what_was_shown():
    written = CODECS["edits"].encode(ITEM, {"C": RESULTS})
    assert written == "C 1-3\n+ < Prev\nC 6\n+ Price: {C 7}\n+ Buy Now"


@pytest.mark.parametrize("text", ["M9", "C 0", "C 4-2", "C 99", "C ~8", "X 1", "+ {C 99}", "hello"])
def test_a_wrong_reference_is_refused_with_a_sentence(text):
    with pytest.raises(CodecError, match=r"^Line 1"):
        CODECS["edits"].decode(text, {"C": RESULTS})


def test_a_program_cannot_grow_without_bound():
    with pytest.raises(CodecError, match="segments"):
        CODECS["edits"].decode("\n".join(["C"] * 100_000), {"C": RESULTS})
