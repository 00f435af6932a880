"""Pages that are composed for a question, from recordings of a small library that nobody has built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.browser.composer import WebComposer
from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.types import Memory, Query, Source, Task, Transition, Turn

TASK = "Find the book."
SITE = "http://library.test"
TOP = ("[1] link: Library", "[2] textbox: Search", "[3] button: Search", "[4] link: Shelf")
BOOKS = {
    "Low Tide": ("1998", "sea", "2"),
    "High Wind": ("2004", "sea", "0"),
    "Red Clay": ("1987", "land", "1"),
    "Grey Clay": ("2011", "land", "4"),
}


def state(title: str, path: str, *lines: str, error: str = "", task: str = TASK) -> str:
    numbered, number = [], 0
    for line in lines:
        number += line.startswith("[")
        numbered.append(f"[{number}] {line.partition('] ')[2]}" if line.startswith("[") else line)
    return PageText(f"{title} - Library", f"{SITE}{path}", tuple(numbered), error=error).write(task)


def rows(names: Sequence[str]) -> list[str]:
    lines = ["row: Book | Year | About | Copies"] if names else []
    for name in names:
        lines += [f"row: {' | '.join((name, *BOOKS[name]))}", f"[] link: {name}"]
    return lines


def home() -> str:
    return state("Welcome", "/", *TOP, "heading: Welcome", *rows(sorted(BOOKS)), "[] link: Help")


def found(words: str) -> str:
    names = [name for name in sorted(BOOKS) if all(word in name.lower() for word in words.lower().split())]
    head = (TOP[0], f'[2] textbox: Search, value "{words}"' if words else TOP[1], *TOP[2:])
    return state(
        f"Search for {words}", f"/search?q={words.replace(' ', '+')}", *head, f"text: {len(names)} books.", *rows(names)
    )


def book(name: str, *notes: str, told: str = "") -> str:
    year, about, copies = BOOKS[name]
    path = f"/book/{name.lower().replace(' ', '-')}"
    return state(
        name,
        f"{path}?told=noted" if told else path,
        *TOP,
        f"heading: {name}",
        *([f"status: {told}"] if told else []),
        *("text: Year", f"text: {year}", "text: About", f"text: {about}", "text: Copies", f"text: {copies}"),
        f"heading: {len(notes)} notes",
        *(f"text: {note}" for note in notes),
        *("[] textbox: Note", "[] button: Add note"),
    )


def typed(before: str, label: str, text: str) -> str:
    return before.replace(f"textbox: {label}", f'textbox: {label}, value "{text}", focused', 1)


def steps(*turns: tuple[str, str, str], episode: str = "e", task_id: str = "t") -> list[Transition]:
    """Return the steps of an episode, each given as state, action and next state."""
    history = [Turn(before, action) for before, action, _ in turns]
    return [
        Transition(
            "webarena", task_id, TASK, "train", episode, at, tuple(history[:at]), before, action, after, 0.0, False
        )
        for at, (before, action, after) in enumerate(turns)
    ]


def number(text: str, name: str) -> str:
    return next(line for line in text.split("\n") if line.endswith(name)).partition("]")[0][1:]


def ask(
    known: Sequence[Transition], before: str, action: str, history: Sequence[Turn] = (), **exclude: bool
) -> Memory | None:
    composer = WebComposer(load_domain("webarena"), lambda: iter(known))
    query = Query(Task("asked", "webarena", TASK, before), tuple(history), before, action, "asking")
    return composer.compose(query, (), **exclude)


def answer(known: Sequence[Transition], before: str, action: str, history: Sequence[Turn] = ()) -> str | None:
    memory = ask(known, before, action, history)
    return memory.transition.next_state if memory else None


def visit(name: str, episode: str = "e") -> list[Transition]:
    return steps((home(), f"click('{number(home(), f'link: {name}')}')", book(name)), episode=episode)


def search(words: str, episode: str = "s") -> list[Transition]:
    filled = typed(home(), "Search", words)
    return steps((home(), f"fill('2', '{words}')", filled), (filled, "click('3')", found(words)), episode=episode)


def test_a_recorded_link_leads_where_it_led():
    memory = ask(visit("Low Tide"), home(), f"click('{number(home(), 'link: Low Tide')}')")
    assert memory is not None and memory.transition.source is Source.COMPOSED
    assert memory.transition.next_state == book("Low Tide") and not memory.certain


def test_without_the_recording_nothing_of_it_is_known():
    action = f"click('{number(home(), 'link: Low Tide')}')"
    assert answer([], home(), action) is None
    (step,) = visit("Low Tide")
    composer = WebComposer(load_domain("webarena"), lambda: iter([step]))
    asked = Query(Task("t", "webarena", TASK, ""), (), home(), action, "e")
    assert composer.compose(asked, ()) is not None
    assert composer.compose(asked, (), exclude_task=True) is None
    assert composer.compose(asked, (), exclude_episode=True) is None


def test_a_page_that_nobody_has_seen_follows_the_pattern_of_its_kind():
    known = [*visit("Low Tide"), *visit("Red Clay", "f"), *visit("High Wind", "g")]
    assert answer(known, home(), f"click('{number(home(), 'link: Grey Clay')}')") == book("Grey Clay")


def test_a_page_of_the_episode_is_the_same_for_certain_until_something_is_changed():
    seen = book("Low Tide", "Mine.")  # as no recording has shown it
    way = f"click('{number(home(), 'link: Low Tide')}')"
    memory = ask(visit("Low Tide"), home(), way, [Turn(home(), way), Turn(seen, "go_back()")])
    assert memory is not None and memory.certain and memory.transition.next_state == seen


def test_going_back_leads_to_the_page_before():
    way = f"click('{number(home(), 'link: Low Tide')}')"
    assert answer([], book("Low Tide"), "go_back()", [Turn(home(), way)]) == home()
    assert answer([], home(), "go_forward()") == home()
    empty = answer([], home(), "go_back()")
    assert empty is not None and empty.endswith("URL: about:blank")


def test_what_a_search_finds_is_built_from_rows_that_other_pages_have_shown():
    known = [*search("low tide"), *search("wind", "f")]
    filled = typed(home(), "Search", "clay")
    assert answer(known, filled, "click('3')", [Turn(home(), "fill('2', 'clay')")]) == found("clay")
    assert answer(known, filled, "press('2', 'Enter')", [Turn(home(), "fill('2', 'clay')")]) == found("clay")


def test_what_is_looked_for_by_its_name_is_found_though_nobody_has_seen_it():
    known = [*search("low tide"), *search("wind", "f")]
    page = answer(known, typed(home(), "Search", "Blue Clay"), "click('3')")
    assert page is not None and "link: Blue Clay" in page and "text: 1 books." in page


def note(name: str, text: str, *before: str, episode: str = "n") -> list[Transition]:
    page = book(name, *before)
    button = number(page, "button: Add note")
    filled = typed(page, "Note", text)
    return steps(
        (page, f"fill('{int(button) - 1}', '{text}')", filled),
        (filled, f"click('{button}')", book(name, *before, text, told="Your note is kept.")),
        episode=episode,
    )


def test_a_form_does_here_what_it_did_elsewhere():
    known = [*note("Low Tide", "Long."), *note("Red Clay", "Short.", episode="m")]
    page = book("Grey Clay", "Dull.", "Wet.")
    filled, button = typed(page, "Note", "Mine too."), number(page, "button: Add note")
    history = [Turn(page, f"fill('{int(button) - 1}', 'Mine too.')")]
    memory = ask(known, filled, f"click('{button}')", history)
    assert memory is not None and not memory.certain
    expected = book("Grey Clay", "Dull.", "Wet.", "Mine too.", told="Your note is kept.")
    assert memory.transition.next_state == expected


def test_a_page_of_before_a_change_is_not_certain():
    known = [*note("Low Tide", "Long."), *visit("Low Tide")]
    page, way = book("Low Tide"), f"click('{number(home(), 'link: Low Tide')}')"
    filled, button = typed(page, "Note", "x"), number(page, "button: Add note")
    kept = book("Low Tide", "x", told="Your note is kept.")
    history = [Turn(home(), way), Turn(page, f"fill('{int(button) - 1}', 'x')"), Turn(filled, f"click('{button}')")]
    memory = ask(known, kept, f"goto('{SITE}/book/low-tide')", history)
    assert memory is not None and not memory.certain


def test_local_changes_are_certain_once_they_have_always_been_so():
    often = [step for n in range(30) for step in search("low tide", f"e{n}")]
    filled = typed(home(), "Search", "x")
    for known, certain in (([], False), (often, True)):
        memory = ask(known, home(), "fill('2', 'x')")
        assert memory is not None and memory.transition.next_state == filled and memory.certain == certain


def test_where_an_address_tells_nothing_no_page_is_claimed():
    drawn = [
        step
        for n, name in enumerate([*BOOKS, *BOOKS])
        for step in steps(
            (state("A", "/", "[] link: Go"), "click('1')", state("A", "/drawn", f"text: {name} {n}", "[] link: Go")),
            episode=f"e{n}",
        )
    ]
    assert answer(drawn, state("A", "/", "[] link: Go"), "click('1')") is None


@pytest.mark.parametrize("action", ["click('99')", "dance", "fill('2')", "click(1)"])
def test_what_is_refused_is_the_guards_own_answer(action: str):
    domain = load_domain("webarena")
    memory = ask([], home(), action)
    assert memory is not None and memory.certain
    assert memory.transition.next_state == domain.guard(Task("t", "webarena", TASK, ""), (), home(), action)


@pytest.mark.parametrize("action", ["goto('http://[')", "tab_focus(7)", "tab_focus(-2)"])
def test_where_nothing_can_be_gone_to_the_page_stays_and_says_so(action: str):
    after = answer([], home(), action)
    assert after is not None and "\nError: " in after and "link: Low Tide" in after


def test_a_message_ends_the_episode_and_says_what_speaks_for_it():
    memory = ask([], book("Low Tide"), "send_msg_to_user('1998, in Oslo')")
    assert memory is not None and memory.transition.terminated
    assert memory.transition.reasoning.endswith("1 of 3 words of the answer were shown, 0 forms changed something")


def test_a_taught_step_is_the_composed_page_with_a_reason():
    domain = load_domain("webarena")
    (step,) = visit("Low Tide")
    memory = ask(visit("Low Tide"), step.state, step.action)
    assert memory is not None
    odd = Transition(**{**{name: getattr(step, name) for name in step.__slots__}, "next_state": home()})
    assert domain.teach(odd, [memory]).next_state == book("Low Tide")
    assert domain.teach(odd, [memory]).reasoning and domain.teach(odd, []).next_state == home()


def test_a_state_that_is_no_list_of_elements_gets_no_page():
    assert ask([], "What is this?", "go_back()") is None


def desk(*lines: str, error: str = "") -> str:
    return state("Desk", "/desk", *lines, error=error)


@pytest.mark.parametrize(
    ("role", "text", "takes"),
    [
        ("date", "2024-05-01", True),
        ("date", "05/01/2024", False),
        ("date", "2024-13-01", False),
        ("time", "23:13", True),
        ("time", "11:13 PM", False),
        ("time", "", True),
    ],
)
def test_a_field_for_dates_or_times_takes_them_in_one_form_only(role, text, takes):
    memory = ask([], desk(f"[1] {role}:"), f"fill('1', '{text}')")
    value = f' value "{text}"' if text else ""
    malformed = "Error: Locator.fill: Error: Malformed value"
    told = desk(f"[1] {role}:{value}") if takes else desk(f"[1] {role}:", error=malformed)
    assert memory is not None
    assert memory.transition.next_state == told


def test_what_is_typed_into_an_empty_field_of_a_row_stands_in_the_row():
    memory = ask([], desk("row: Genre", "[1] textbox:"), "fill('1', 'drama')")
    assert memory is not None
    assert memory.transition.next_state == desk("row: Genre | drama", '[1] textbox: value "drama", focused')
    full = ask([], desk("row: Genre | drama", "[1] textbox:"), "fill('1', 'x')")
    assert full is not None
    assert full.transition.next_state == desk("row: Genre | drama", '[1] textbox: value "x", focused')


def test_a_click_on_what_does_nothing_takes_the_focus():
    before = desk('[1] textbox: value "x", focused', "[2] clickable: Ring")
    memory = ask([], before, "click('2')")
    assert memory is not None
    assert memory.transition.next_state == desk('[1] textbox: value "x"', "[2] clickable: Ring")


def test_fields_without_names_keep_what_was_typed_into_each():
    before = desk('[1] textbox: value "kim"', '[2] textbox: value "••"', "[3] button: Enter")
    after = desk('[1] textbox: value "kim"', '[2] textbox: value "••"', "[3] button: Enter", "status: Welcome")
    mine = desk('[1] textbox: value "lou"', '[2] textbox: value "•••", focused', "[3] button: Enter")
    memory = ask(steps((before, "click('3')", after)), mine, "click('3')")
    assert memory is not None
    assert memory.transition.next_state == desk(
        '[1] textbox: value "lou"', '[2] textbox: value "•••"', "[3] button: Enter", "status: Welcome"
    )


def test_the_focus_is_gone_at_the_end_where_it_has_always_been():
    before, after = desk("[1] textbox:"), desk("[1] textbox:")
    recorded = [
        replace(step, terminated=True)
        for at in range(2)
        for step in steps((before, "focus('1')", after), episode=f"e{at}", task_id=f"t{at}")
    ]
    memory = ask(recorded, before, "focus('1')")
    assert memory is not None
    assert memory.transition.next_state == after
    assert memory.transition.terminated
