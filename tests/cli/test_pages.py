"""Promises of two pages side by side: nothing is lost, nothing is too wide, and differences are in sight."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from dreamgym_env.cli.pages import PageRow, align, excerpts, shorten

PAGES = st.lists(st.sampled_from("abcdef"), max_size=12)


@given(PAGES, PAGES)
def test_every_segment_of_both_pages_is_there_in_order(left, right):
    rows = align(left, right)
    assert [row.left for row in rows if row.left] == left
    assert [row.right for row in rows if row.right] == right
    assert all(row.same == (row.left == row.right) for row in rows)


@given(PAGES, PAGES)
def test_shortening_hides_no_page_that_differs(left, right):
    rows = align(left, right)
    kept = shorten(rows)
    assert len(kept) <= len(rows)
    assert any(not row.same for row in kept) == (left != right)


@given(st.integers(8, 60))
def test_what_was_left_out_is_counted(extra):
    rows = [PageRow("same", "same", same=True)] * (6 + extra)
    assert [row.left for row in shorten(rows)] == ["same"] * 6 + [f"… {extra} more lines, the same"]


@given(st.text(max_size=80), st.text(max_size=80), st.integers(10, 60))
@example("\x1b[2J", "\x9b2J", 20)
def test_an_excerpt_fits_its_column_on_one_line(left, right, width):
    for text in excerpts(PageRow(left, right, same=left == right), width):
        assert len(text) <= width
        assert not any(character < " " for character in text)


@given(st.integers(0, 200), st.integers(12, 60))
def test_where_two_texts_begin_to_differ_is_in_sight(shared, width):
    beginning = "x" * shared
    left, right = excerpts(PageRow(f"{beginning}1{'y' * 99}", f"{beginning}2{'y' * 99}", same=False), width)
    assert "1" in left
    assert "2" in right
