"""The shop's protocol: what each action does on each page, and that nothing else does anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webshop.engine import Session, StepResult, WebShopEngine
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.products import Product, Review

BOTTLE = Product(
    "B000000001",
    'Steel Water Bottle 12"',
    "Keeps drinks cold.",
    ("Double wall", "", " Leak proof "),
    options={"size": ("12oz", "20oz"), "color": ("red", "o'navy & <white>")},
    attributes=("double wall",),
    query="water bottles",
    product_category="Kitchen › Drinkware",
    reviews=(Review("Good", "5", "Fine."), Review("Bad", "1")),
)
MUGS = tuple(Product(f"B1000000{n:02d}", f"Clay Mug {n}", pricing=(5.0,), price_text="$5.0") for n in range(24))
GOAL = Goal("B000000001", "find me a bottle", BOTTLE.title, query="water bottles", goal_options={"size": "20oz"})
HEAD = "Instruction: [SEP] find me a bottle [SEP] Back to Search"
INDEX = "WebShop [SEP] Instruction: [SEP] find me a bottle [SEP] Search"
ITEM = (
    f"{HEAD} [SEP] < Prev [SEP] size [SEP] 12oz [SEP] 20oz [SEP] color [SEP] red [SEP] o'navy & <white> [SEP] "
    'Steel Water Bottle 12" [SEP] Price: $100.0 [SEP] Rating: N.A. [SEP] Description [SEP] Features [SEP] '
    "Reviews [SEP] Buy Now"
)


@pytest.fixture(scope="module")
def engine() -> WebShopEngine:
    return WebShopEngine([BOTTLE, *MUGS])


def play(engine: WebShopEngine, *actions: str, goal: Goal = GOAL) -> tuple[Session, StepResult]:
    session = engine.start(goal)
    result = engine.view(session)
    for action in actions:
        session, result = engine.step(session, action)
    return session, result


def test_the_first_page_has_a_search_bar(engine: WebShopEngine) -> None:
    _, result = play(engine)
    assert result == StepResult(INDEX, 0.0, False, ("search",), True, True)


def test_results_list_ten_a_page_and_next_goes_on_beyond_the_last(engine: WebShopEngine) -> None:
    _, first = play(engine, "search[Mug]")
    assert first.observation.startswith(
        f"{HEAD} [SEP] Page 1 (Total results: 24) [SEP] Next > [SEP] B100000000 [SEP] Clay Mug"
    )
    assert first.clickables == ("back to search", "next >", *(f"b1000000{n:02d}" for n in range(10)))
    _, third = play(engine, "search[mug]", *["click[next >]"] * 2)
    assert third.clickables == ("back to search", "< prev", "next >", *(f"b1000000{n:02d}" for n in range(20, 24)))
    _, fourth = play(engine, "search[mug]", *["click[next >]"] * 3)
    assert fourth.observation == f"{HEAD} [SEP] Page 4 (Total results: 24) [SEP] < Prev [SEP] Next >"
    _, back = play(engine, "search[mug]", "click[next >]", "click[< prev]")
    assert back == first


def test_a_search_for_stop_words_finds_nothing(engine: WebShopEngine) -> None:
    _, result = play(engine, "search[and the]")
    assert result.observation == f"{HEAD} [SEP] Page 1 (Total results: 0) [SEP] Next >"
    assert result.valid


def test_an_item_page_shows_options_title_price_and_buttons(engine: WebShopEngine) -> None:
    _, result = play(engine, "search[bottle]", "click[B000000001]")
    assert result.observation == ITEM
    assert result.clickables == (
        *("back to search", "< prev", "description", "features", "reviews", "buy now"),
        *("12oz", "20oz", "red", "o'navy & <white>"),
    )


def test_an_option_is_kept_but_not_shown_and_the_last_click_counts(engine: WebShopEngine) -> None:
    session, result = play(engine, "search[bottle]", "click[b000000001]", "click[12oz]", "click[RED]", "click[20oz]")
    assert result.observation == ITEM
    assert dict(session.chosen) == {"size": "20oz", "color": "red"}


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("description", ["Keeps drinks cold."]),
        ("features", ["Double wall", "", "Leak proof"]),
        ("reviews", ['"Good"', "5", "Fine.", '"Bad"', "1"]),
    ],
)
def test_sub_pages_and_the_way_back_keep_the_options(engine: WebShopEngine, name: str, texts: list[str]) -> None:
    session, result = play(engine, "search[bottle]", "click[b000000001]", "click[20oz]", f"click[{name}]")
    assert result.observation == " [SEP] ".join([HEAD, "< Prev", *texts])
    assert result.clickables == ("back to search", "< prev")
    session, result = engine.step(session, "click[< prev]")
    assert result.observation == ITEM
    assert dict(session.chosen) == {"size": "20oz"}


def test_leaving_an_item_drops_its_options_and_returns_to_the_same_results(engine: WebShopEngine) -> None:
    _, second = play(engine, "search[mug]", "click[next >]")
    session, result = play(engine, "search[mug]", "click[next >]", "click[b100000012]", "click[< prev]")
    assert result == second
    session, _ = play(
        engine, "search[bottle]", "click[b000000001]", "click[20oz]", "click[< prev]", "click[b000000001]"
    )
    assert not session.chosen


def test_back_to_search_forgets_everything(engine: WebShopEngine) -> None:
    session, result = play(engine, "search[bottle]", "click[b000000001]", "click[20oz]", "click[back to search]")
    assert result.observation == INDEX
    assert session == engine.start(GOAL)


def test_a_search_works_on_every_page(engine: WebShopEngine) -> None:
    for before in ([], ["search[bottle]"], ["search[bottle]", "click[b000000001]", "click[features]"]):
        _, result = play(engine, *before, "search[mug]")
        assert result.valid
        assert "Total results: 24" in result.observation


def test_buying_ends_the_session_with_the_graded_score(engine: WebShopEngine) -> None:
    path = ["search[bottle]", "click[b000000001]", "click[o'navy & <white>]", "click[20oz]"]
    session, result = play(engine, *path, "click[buy now]")
    assert (result.done, result.reward, result.clickables) == (True, 1.0, ())
    assert session.purchase is not None
    assert '{"color": "o\\u0027navy \\u0026 \\u003cwhite\\u003e", "size": "20oz"}' in result.observation
    assert "[SEP] Your score (min 0.0, max 1.0) [SEP] 1.0 [SEP]" in result.observation
    _, partial = play(engine, *path[:2], "click[buy now]")
    assert partial.reward == 0.5
    for action in ("click[buy now]", "search[mug]"):
        after, repeated = engine.step(session, action)
        assert (after, repeated) == (session, replace(result, reward=0.0, valid=False))


PAGES = {
    "index": [],
    "results": ["search[bottle]"],
    "item": ["search[bottle]", "click[b000000001]"],
    "subpage": ["search[bottle]", "click[b000000001]", "click[reviews]"],
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "action",
    [
        *(
            "",
            "buy now",
            "click[nonexistent]",
            "click[search]",
            "search[]",
            "Click[Buy Now]",
            "SEARCH[mug]",
            " click[red]",
        ),
        *(
            "think[hello]",
            "click",
            "[",
            "click[]",
            "search[a\nb]",
            "click[b100000001]",
            "search[size [large]]",
            "click[size]",
        ),
        *(
            "x" * 100_000,
            "click[" + "x" * 100_000 + "]",
            "click[" * 1000,
            "\x00",
            "\ud800",
            "click[\ud800]",
            "click[𝒳]",
        ),
    ],
)
def test_anything_else_changes_nothing(engine: WebShopEngine, page: str, action: str) -> None:
    session, before = play(engine, *PAGES[page])
    after, result = engine.step(session, action)
    assert (after, result) == (session, replace(before, valid=False))


def test_a_huge_search_is_only_a_search(engine: WebShopEngine) -> None:
    _, result = play(engine, "search[" + "clay mug \u202e★ " * 10_000 + "]")
    assert "Total results: 24" in result.observation


@given(st.lists(st.text(max_size=30) | st.builds("click[{}]".format, st.text(max_size=10)), max_size=4))
def test_no_action_breaks_a_session(actions: list[str]) -> None:
    engine = WebShopEngine([BOTTLE])
    session, _ = play(engine, "search[bottle]", *actions)
    assert session.goal == GOAL


def test_a_step_leaves_the_given_session_as_it_was(engine: WebShopEngine) -> None:
    session, before = play(engine, "search[bottle]", "click[b000000001]")
    once = engine.step(session, "click[red]")
    assert engine.step(session, "click[red]") == once
    assert engine.view(session) == before


def test_a_value_that_two_options_share_sets_the_later_one() -> None:
    engine = WebShopEngine([Product("B000000001", "Cup", options={"inside": ("red",), "outside": ("red",)})])
    session, result = play(engine, "search[cup]", "click[b000000001]", "click[red]")
    assert dict(session.chosen) == {"outside": "red"}
    assert result.clickables.count("red") == 1


def test_a_product_without_texts_has_pages() -> None:
    engine = WebShopEngine([Product("B000000001", "", "cup")])
    _, result = play(engine, "search[cup]")
    assert result.observation.endswith("Next > [SEP] B000000001 [SEP] $100.0")
    for sub_page in ("description", "features", "reviews"):
        _, result = play(engine, "search[cup]", "click[b000000001]", f"click[{sub_page}]")
        assert result.observation.startswith(f"{HEAD} [SEP] < Prev")


def test_rich_text_marks_what_can_be_clicked_and_what_was() -> None:
    engine = WebShopEngine([BOTTLE, *MUGS], observation_mode="text_rich")
    session, result = play(engine)
    assert result.observation == "WebShop\nInstruction: \nfind me a bottle\n[button] Search [button_]\n"
    session, result = play(engine, "search[bottle]", "click[b000000001]", "click[20oz]", "click[red]")
    assert result.observation.startswith(
        "You have clicked red.\nYou have clicked 20oz.\nInstruction:\nfind me a bottle\n"
    )
    assert "  [clicked button] 20oz [clicked button_]\n" in result.observation
    assert "  [button] 12oz [button_]\n" in result.observation
    assert result.observation.endswith("[button] Buy Now [button_]\n")
    _, result = engine.step(session, "click[< prev]")
    assert "\n\n[clicked button] B000000001 [clicked button_]\nSteel" in result.observation


def test_an_unknown_observation_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="there are: text, text_rich"):
        WebShopEngine([BOTTLE], observation_mode="html")  # type: ignore[arg-type]
