"""A page as a list of elements: the rules of the module, on accessibility trees made up and made wild."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.browser.elements import (
    INTERACTIVE,
    LONGEST_TEXT,
    MOST_ELEMENTS,
    Element,
    NodeFacts,
    read_elements,
)
from dreamgym_env.domains.browser.texts import PageText, numbered, read_lines


class Tree:
    """Builds the nodes of a tree as a browser gives them."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.facts: dict[str, NodeFacts] = {}

    def add(self, role: str, name: str = "", *children: int, **more: Any) -> int:
        """Add a node; returns its number."""
        key = len(self.nodes)
        bid = more.pop("bid", None if role in ("StaticText", "LineBreak") else str(key))
        facts = NodeFacts(more.pop("clickable", False), more.pop("inline", False))
        properties = [{"name": key, "value": {"value": value}} for key, value in more.pop("properties", {}).items()]
        node = {"nodeId": key, "role": {"value": role}, "name": {"value": name}, "childIds": list(children)}
        node |= {key: {"value": value} for key, value in more.items()}
        self.nodes.append({**node, "properties": properties, "browsergym_id": bid})
        if bid is not None:
            self.facts[bid] = facts
        return key

    def lines(self, *children: int) -> list[str]:
        """Return the lines of a page with these nodes."""
        root = self.add("RootWebArea", "Page", *children, bid=None)
        nodes = [self.nodes[root], *self.nodes[:root]]
        return [element.line for element in read_elements(nodes, self.facts)]


def text(tree: Tree, words: str) -> int:
    return tree.add("StaticText", words)


def test_what_can_be_acted_on_has_a_number_and_its_states():
    tree = Tree()
    lines = tree.lines(
        tree.add("heading", "Your cart", text(tree, "Your cart")),
        tree.add("textbox", "Search", text(tree, "red shoes"), value="red shoes", properties={"focused": True}),
        tree.add("checkbox", "Gift", properties={"checked": "true"}),
        tree.add("checkbox", "Fragile", properties={"checked": "false"}),
        tree.add("button", "Buy", text(tree, "Buy"), properties={"disabled": True}),
        tree.add("image", "A kettle"),
        tree.add("image", ""),
    )
    assert lines == [
        "heading: Your cart",
        '[1] textbox: Search, value "red shoes", focused',
        "[2] checkbox: Gift, checked",
        "[3] checkbox: Fragile",
        "[4] button: Buy, disabled",
        "image: A kettle",
    ]


def test_a_list_to_choose_from_shows_its_options():
    tree = Tree()
    options = [tree.add("option", name) for name in ("Ohio", 'New "York"', "A, B")]
    lines = tree.lines(tree.add("combobox", "State", tree.add("MenuListPopup", "", *options), value="Ohio"))
    assert lines == ['[1] combobox: State, value "Ohio", options ["Ohio", "New \\"York\\"", "A, B"]']
    (element,) = read_lines("URL: x\n" + lines[0])
    assert (element.name, element.value, element.options) == ("State", "Ohio", ("Ohio", 'New "York"', "A, B"))


def test_text_in_one_line_of_the_page_is_merged_and_blocks_are_not():
    tree = Tree()
    bold = tree.add("strong", "", text(tree, "very"), inline=True)
    lines = tree.lines(
        tree.add("paragraph", "", text(tree, "A "), bold, text(tree, " good kettle.")),
        tree.add("generic", "", text(tree, "Price:")),
        tree.add("generic", "", text(tree, "$12"), tree.add("LineBreak"), text(tree, "per piece")),
    )
    assert lines == ["text: A very good kettle.", "text: Price:", "text: $12", "text: per piece"]


def test_a_table_row_joins_its_cells_and_what_is_in_them_follows():
    tree = Tree()
    link = tree.add("link", "#17", text(tree, "#17"))
    cells = [tree.add("cell", "#17", link), tree.add("cell", "Shipped", text(tree, "Shipped"))]
    header = tree.add("row", "", tree.add("columnheader", "Order", text(tree, "Order")), text(tree, "Status"))
    lines = tree.lines(tree.add("table", "", header, tree.add("row", "", *cells)))
    assert lines[1:] == ["row: #17 | Shipped", "[1] link: #17"]


def test_what_listens_to_clicks_is_listed_though_its_role_does_not_say_so():
    tree = Tree()
    word = tree.add("generic", "", text(tree, "here"), clickable=True, inline=True)
    star = tree.add("image", "", clickable=True)
    lines = tree.lines(tree.add("paragraph", "", text(tree, "Click"), word, text(tree, "now.")), star)
    assert lines == ["text: Click", "[1] clickable: here", "text: now.", "[2] image:"]


def test_a_tab_and_the_link_in_it_are_one_line():
    tree = Tree()
    link = tree.add("link", "Reviews", text(tree, "Reviews"), bid="inner")
    tab = tree.add("tab", "Reviews", link, properties={"selected": True, "expanded": True})
    root = tree.add("RootWebArea", "", tab, bid=None)
    (element,) = read_elements([tree.nodes[root], *tree.nodes[:root]], tree.facts)
    assert (element.line, element.bid) == ("[1] tab: Reviews, selected, expanded", "inner")


def test_a_label_is_not_repeated_but_one_that_names_nothing_is_shown():
    tree = Tree()
    lines = tree.lines(
        tree.add("LabelText", "", text(tree, "Email")),
        tree.add("textbox", "Email"),
        tree.add("LabelText", "", text(tree, "Password")),
        tree.add("textbox", ""),
    )
    assert lines == ["[1] textbox: Email", "text: Password", "[2] textbox:"]


def test_a_date_field_is_one_element():
    tree = Tree()
    parts = [tree.add("spinbutton", name, bid="9") for name in ("Month", "Day", "Year")]
    lines = tree.lines(tree.add("Date", "Birthday", *parts, bid="9", value="2024-05-01"))
    assert lines == ['[1] date: Birthday, value "2024-05-01"']


def test_texts_are_cleaned_and_cut():
    tree = Tree()
    lines = tree.lines(
        tree.add("button", "a\x00b\x1b[2J\n  c\u202ed\u2066\u2069\ud800"),
        tree.add("generic", "", text(tree, "long " * 500)),
    )
    assert lines[0] == "[1] button: a b [2J c d"
    assert len(lines[1]) <= LONGEST_TEXT + len("text: ") and lines[1].endswith("…")


def test_a_long_page_is_cut_and_says_so():
    tree = Tree()
    lines = tree.lines(*[tree.add("button", f"B{number}") for number in range(MOST_ELEMENTS + 7)])
    assert len(lines) == MOST_ELEMENTS + 1 and lines[-1] == "text: … and 7 more lines, which are not shown"


def test_deeply_nested_pages_are_read():
    tree = Tree()
    inner = tree.add("button", "deep")
    for _ in range(3000):
        inner = tree.add("generic", "", inner)
    assert tree.lines(inner) == ["[1] button: deep"]


ROLES = st.sampled_from(
    [*sorted(INTERACTIVE), "generic", "paragraph", "StaticText", "row", "cell", "table", "heading", "image", "alert",
     "LabelText", "Date", "listitem", "LineBreak", "Iframe", "dialog"]
)  # fmt: skip


@st.composite
def wild_trees(draw: st.DrawFn) -> Tree:
    """Any nodes with any children, cycles and missing ones among them."""
    tree = Tree()
    size = draw(st.integers(1, 14))
    for _ in range(size):
        tree.add(
            draw(ROLES),
            draw(st.text(max_size=12)),
            *draw(st.lists(st.integers(0, size + 2), max_size=4)),
            clickable=draw(st.booleans()),
            inline=draw(st.booleans()),
            value=draw(st.none() | st.text(max_size=5) | st.integers()),
            properties=draw(st.dictionaries(st.sampled_from(["checked", "selected", "focused"]), st.booleans())),
        )
    return tree


@given(wild_trees())
def test_any_tree_gives_lines_that_can_be_read_again(tree: Tree):
    first, second = (read_elements(tree.nodes, tree.facts) for _ in range(2))
    assert first == second, "a page's text is a function of the page"
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for element in first for sign in element.line)
    assert [e.number for e in first if e.number] == list(range(1, 1 + sum(bool(e.number) for e in first)))
    state = PageText("", "x", tuple(element.line for element in first)).write("Do it.")
    assert [element.role for element in numbered(state).values()] == [e.role for e in first if e.number]
    assert list(numbered(state)) == [str(e.number) for e in first if e.number]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=20).map(str.strip)


@given(NAMES, NAMES, st.lists(NAMES.filter(bool), max_size=3))
def test_an_element_is_read_as_it_was_written(name: str, value: str, options: list[str]):
    if any(name.endswith(end) for end in ("checked", "selected", "focused", '"', "]")) or "  " in name:
        return
    element = Element("combobox", name, value, ("required",), tuple(options), "b1", 1)
    (read,) = read_lines("URL: x\n" + element.line)
    assert (read.name, read.value, read.states, read.options) == (name, value, ("required",), tuple(options))
