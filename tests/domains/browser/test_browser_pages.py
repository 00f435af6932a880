"""Pages taken apart, what actions change on them, and the history of tabs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.browser.episode import read_course
from dreamgym_env.domains.browser.grammar import parse
from dreamgym_env.domains.browser.local import local_change, refused_address
from dreamgym_env.domains.browser.page import Page, element_of, read_page, written
from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.types import Turn

TASK = "Find it."
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


def page(*lines: str, url: str = "http://a.test/", title: str = "A", error: str = "") -> str:
    return PageText(title, url, lines, error=error).write(TASK)


def change(state: str, action: str) -> str | None:
    before, parsed = read_page(state, TASK), parse(action)
    assert before is not None and parsed is not None
    after = local_change(before, parsed)
    return None if after is None else after.write(TASK)


@given(
    LINES, LINES, st.lists(st.tuples(st.booleans(), LINES), max_size=6), st.sampled_from(["", "Error", "ValueError: x"])
)
def test_a_page_is_read_as_it_was_written(title: str, url: str, lines: list[tuple[bool, str]], error: str):
    count, texts = 0, []
    for numbered, text in lines:
        count += numbered
        texts.append(f"[{count}] link: {text}" if numbered else f"text: {text}")
    state = PageText(title, url, tuple(texts), error=error).write(TASK)
    found = read_page(state, TASK)
    assert found is not None and found.write(TASK) == state
    assert len(found.lines) == len(lines) and found.error == error


@given(st.text(max_size=200))
def test_any_text_is_a_page_or_none(text: str):
    found = read_page(text, TASK)
    assert found is None or found.write(TASK) == text


@pytest.mark.parametrize(
    "state", ["", "Task:\nOther.\nPage: A\nURL: u", f"Task:\n{TASK}\nPage: A\nURL: u\n[2] link: x"]
)
def test_what_is_no_list_of_elements_is_none(state: str):
    assert read_page(state, TASK) is None


@pytest.mark.parametrize(
    "line",
    ["[] link: Home", "text: a, b", '[] textbox: Name, value "x \\"y\\"", required, focused', "row: a | b", "image: ü"],
)
def test_a_line_is_written_as_it_was_read(line: str):
    assert written(element_of(line)) == line


FORM = page('[1] textbox: From, value "a", focused', "[2] textbox: To", "[3] checkbox: Now", "[4] button: Go")


def test_a_field_that_is_filled_gets_the_focus():
    assert change(FORM, "fill('2', 'two  words\\n')") == page(
        '[1] textbox: From, value "a"', '[2] textbox: To, value "two words", focused', *FORM.split("\n")[-2:]
    )


def test_what_is_cleared_is_empty():
    assert change(FORM, "clear('1')") == page("[1] textbox: From, focused", *FORM.split("\n")[-3:])


def test_a_box_is_ticked_and_takes_the_focus():
    ticked = change(FORM, "click('3')")
    assert ticked is not None and "[3] checkbox: Now, checked" in ticked and "focused" not in ticked
    assert change(ticked, "click('3')") == ticked.replace(", checked", "")


def test_of_radio_buttons_one_is_checked():
    state = page("[1] radio: a, checked", "[2] radio: b", "[3] link: c", "[4] radio: d, checked")
    assert change(state, "click('2')") == page(
        "[1] radio: a", "[2] radio: b, checked", "[3] link: c", "[4] radio: d, checked"
    )


def test_an_option_is_chosen_without_the_focus():
    state = page("[1] textbox: a, focused", '[2] combobox: b, value "x", options ["x", "y"]')
    assert change(state, "select_option('2', 'y')") == state.replace('value "x"', 'value "y"')
    assert change(state, "select_option('2', 'z')") is None


def test_a_field_in_a_table_shows_in_its_row():
    state = page("row: Thing | Count", "row: Kettle | 1 | $5", "[1] link: Kettle", '[2] textbox: Count, value "1"')
    changed = change(state, "fill('2', '3')")
    assert changed is not None and "row: Kettle | 3 | $5" in changed


@pytest.mark.parametrize("action", ["noop()", "scroll(0, 5)", "hover('1')", "send_msg_to_user('x')"])
def test_what_changes_nothing_but_removes_the_error(action: str):
    assert change(page("[1] link: a", error="E"), action) == page("[1] link: a")


@pytest.mark.parametrize("action", ["click('4')", "goto('http://a.test/')", "go_back()", "press('1', 'Enter')"])
def test_what_may_lead_elsewhere_is_left_open(action: str):
    assert change(FORM, action) is None


def test_what_is_no_address_is_refused():
    refused, taken = parse("goto('red shoes')"), parse("goto('http://a.test/')")
    assert refused is not None and "Only http and https" in refused_address(refused)
    assert taken is not None and refused_address(taken) == ""


@pytest.mark.parametrize("url", ["http://[", "http://", "http://a.test:x/", "http://a.test:99999/", "http://a]b/"])
def test_an_address_that_cannot_be_taken_apart_is_refused_and_on_no_page(url: str):
    """Neither an agent nor a model that makes such a thing up stops an episode."""
    asked = parse(f"goto({url!r})")
    assert asked is not None and "Cannot navigate to invalid URL" in refused_address(asked)
    assert read_page(page("[1] link: a", url=url), TASK) is None


def test_half_a_character_is_typed_as_browsers_take_it():
    changed = change(FORM, r"fill('2', 'x\ud800 \ud83e\uded6')")
    assert changed is not None and '[2] textbox: To, value "x\ufffd 🫖", focused' in changed


def test_going_back_shows_the_page_as_it_was_loaded():
    first = page("[1] textbox: Search", "[2] link: On")
    typed = page('[1] textbox: Search, value "x", focused', "[2] link: On")
    second = page("text: there", url="http://a.test/on")
    turns = [Turn(first, "fill('1', 'x')"), Turn(typed, "click('2')")]
    course = read_course(turns, second, TASK)
    assert course is not None
    back = course.trail.tab.moved(-1)
    assert back.live.write(TASK) == first
    assert back.moved(1).live.write(TASK) == second
    assert course.trail.tab.moved(1) is course.trail.tab
    assert course.shown("http://a.test/") == read_page(first, TASK)


def test_a_form_that_was_sent_is_a_change_and_its_notes_are_kept_as_typed():
    form = page("[1] textbox: Note", "[2] button: Save")
    typed = page('[1] textbox: Note, value "a b", focused', "[2] button: Save")
    saved = page("status: Saved.", "text: a", "text: b", url="http://a.test/?notice=saved")
    course = read_course([Turn(form, "fill('1', 'a\\nb')"), Turn(typed, "click('2')")], saved, TASK)
    assert course is not None
    (one,) = course.changes
    assert one.typed == {("Note", 0): "a\nb"} and one.sent.key.button == "Save"
    assert course.since("http://a.test/") == [one] and not course.since("http://a.test/?notice=saved")


def test_enter_in_a_large_field_sends_nothing():
    form = page("[1] textbox: Note", "[2] button: Save")
    after = page("[1] textbox: Note, focused", "[2] button: Save")
    course = read_course([Turn(form, "press('1', 'Enter')")], after, TASK)
    assert course is not None and not course.changes


def test_tabs_keep_what_they_show():
    first, blank = page("[1] link: a"), PageText("", "about:blank", (), ("A", " (active)")).write(TASK)
    course = read_course([Turn(first, "new_tab()")], blank, TASK)
    assert course is not None and course.trail.active == 1
    assert course.trail.tabs[0].live == Page("A", "http://a.test/", ("[] link: a",))
