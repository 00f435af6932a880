"""Texts put in place of others, changes carried over, tables and their sums."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.browser.analogy import Substitution, carried_over
from dreamgym_env.domains.browser.page import Page
from dreamgym_env.domains.browser.sums import Sums, repeated_rows
from dreamgym_env.domains.browser.tables import Order, find_table, find_tables, learn_order, sort_key

WORDS = ("alpha", "beta", "gamma", "delta")
LINES = st.lists(
    st.builds("{}: {}".format, st.sampled_from(["text", "[] link", "heading"]), st.sampled_from(WORDS)), max_size=8
)
NOTHING = Substitution.of([])


@given(LINES, LINES)
def test_a_change_is_carried_over_to_the_same_page_as_it_was(before: list[str], after: list[str]):
    assert carried_over(before, after, before, NOTHING) == tuple(after)


@given(LINES, LINES)
def test_no_change_carries_nothing_over(before: list[str], here: list[str]):
    assert carried_over(before, before, here, NOTHING) == tuple(here)


@given(st.text(max_size=60))
def test_without_pairs_a_text_stays(text: str):
    assert NOTHING.text(text) == text and NOTHING.line(f"text: {text}") == f"text: {text}"


def test_texts_are_replaced_as_a_whole_or_as_words():
    texts = Substitution.of([("ann", "bo"), ("2", "7"), ("a tree", "the sea")], [("Stock", "4", "9")])
    assert texts.line("text: ann joined, annie did not") == "text: bo joined, annie did not"
    assert texts.line("row: ann | 2 | 12") == "row: bo | 7 | 12"
    assert texts.line('[] textbox: Name, value "a tree", focused') == '[] textbox: Name, value "the sea", focused'
    assert texts.line("text: 4 in stock, 14 sold") == "text: 9 in stock, 14 sold"
    assert texts.line("text: 4 of them") == "text: 4 of them"


def test_what_counts_on_elsewhere_counts_on_here():
    before = ["heading: 2 notes", "text: Note 2", "[] button: Add"]
    after = ["heading: 3 notes", "text: Note 2", "text: Note 3", "[] button: Add"]
    here = ["heading: 7 notes", "text: Note 7", "[] button: Add"]
    assert carried_over(before, after, here, NOTHING) == (
        *("heading: 8 notes", "text: Note 7", "text: Note 8", "[] button: Add"),
    )


def test_a_list_of_words_grows_and_shrinks():
    def labels(*lines: str) -> tuple[str, ...]:
        return carried_over(*([f"text: Labels: {line}"] for line in lines), NOTHING)

    assert labels("none", "bug", "feature") == ("text: Labels: bug, feature",)
    assert labels("bug", "none", "bug, feature") == ("text: Labels: feature",)
    assert labels("none", "bug", "none") == ("text: Labels: bug",)


def test_other_words_are_changed_where_they_stand():
    assert carried_over(
        ["text: by ann on Monday. State: Open"],
        ["text: by ann on Monday. State: Closed"],
        ["text: by bo on Friday. State: Open"],
        NOTHING,
    ) == ("text: by bo on Friday. State: Closed",)


TABLE = (
    *("row: Thing | Price | Count | Sum", "row: Cup | $2.50 | 2 | $5.00", "[] link: Cup"),
    *("row: Jug | $1,000.00 | 1 | $1,000.00", "[] link: Jug", "text: Total: $1,005.00", "[] link: Pay"),
)


def test_a_table_is_its_head_and_rows_with_what_stands_in_them():
    table = find_table(Page("", "", ("text: x", *TABLE)))
    assert table is not None and table.start == 1 and table.head == "Thing | Price | Count | Sum"
    assert [row.name for row in table.rows] == ["Cup", "Jug"] and table.rows[0].elements == ("[] link: Cup",)
    assert find_table(Page("", "", ("text: row",))) is None


def test_products_and_totals_are_worked_out_as_they_were_recorded():
    sums = Sums([Page("", "", TABLE)])
    changed = [line.replace("| 2 |", "| 3 |") for line in TABLE]
    assert sums.worked_out(changed) == (
        *("row: Thing | Price | Count | Sum", "row: Cup | $2.50 | 3 | $7.50", "[] link: Cup"),
        *("row: Jug | $1,000.00 | 1 | $1,000.00", "[] link: Jug", "text: Total: $1,007.50", "[] link: Pay"),
    )
    assert sums.worked_out(TABLE) == TABLE
    assert Sums([]).worked_out(changed) == tuple(changed)


def test_rows_that_the_next_page_repeats_are_those_of_this_page():
    there = Page("", "", ("row: Thing | Count", "row: Cup | 2", "[] link: Cup"))
    after = Page("", "", ("heading: Order", "row: What | How many | Price", "row: Cup | 2 | $5", "text: Thanks"))
    here = Page("", "", ("row: Thing | Count", "row: Jug | 1", "[] link: Jug", "row: Pan | 4", "[] link: Pan"))
    prices = {"Jug": "$9", "Pan": "$3"}
    lines = repeated_rows(there, after, here, lambda name, title: prices[name] if title == "Price" else None)
    assert lines == (
        *("heading: Order", "row: What | How many | Price", "row: Jug | 1 | $9", "row: Pan | 4 | $3", "text: Thanks"),
    )
    assert repeated_rows(there, here, here, lambda name, title: None) is None


def test_an_order_is_that_of_the_first_column_that_fits_all():
    def rows(*cells: str) -> list:
        lines = ["row: A | B", *(f"row: {cell}" for cell in cells)]
        return list(next(find_tables(lines)).rows)

    assert learn_order([rows("b | $2.00", "a | $10.00", "c | $11.50")]) == Order(1, False)
    assert learn_order([rows("c | 1", "b | 3", "a | 2")]) == Order(0, True)
    assert learn_order([rows("a | 1", "c | 3", "b | 2")]) is None
    assert learn_order([rows("a | 1")]) is None


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_cells_can_be_sorted(cells: list[str]):
    keys = sorted(map(sort_key, cells))
    assert all(first <= second for first, second in itertools.pairwise(keys))


def test_numbers_in_texts_are_sorted_by_size():
    cells = ["#10 Bees", "#9 Ants", "$2.00", "none"]
    assert sorted(cells, key=sort_key) == ["#9 Ants", "#10 Bees", "none", "$2.00"]
