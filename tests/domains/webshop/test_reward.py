"""The graded reward follows WebShop's formula, and works on products known only in part."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webshop.colours import COLOUR_WORDS, normalise_colour
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.nouns import nouns, title_score
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.reward import graded_reward, option_matches

SHIRT = Product(
    "B000000001",
    "Northfold Men's Oxford Shirt Long Sleeve",
    "Machine wash warm.",
    ("Button closure",),
    price=29.9,
    options={"color": ("navy", "white"), "size": ("large", "x-large")},
    attributes=("long sleeve", "regular fit"),
    query="men's dress shirts",
    product_category="Clothing › Men › Shirts",
)
GOAL = Goal(
    "B000000001",
    "a shirt",
    SHIRT.title,
    query=SHIRT.query,
    product_category=SHIRT.product_category,
    attributes=("long sleeve", "machine wash"),
    goal_options={"color": "navy", "size": "large"},
    price_upper=40.0,
)
WANTED = {"color": "navy", "size": "large"}


def test_the_target_with_its_options_scores_one() -> None:
    details = graded_reward(SHIRT, GOAL, WANTED)
    assert (details.total, details.r_type, details.attributes_matched, details.options_matched) == (1.0, 1.0, 2, 2)
    assert details.price_ok


@pytest.mark.parametrize(
    ("chosen", "price", "score"),
    [
        ({}, None, 3 / 5),
        ({"color": "white", "size": "large"}, None, 4 / 5),
        ({"size": "large", "color": "navy"}, 40.01, 4 / 5),
        ({"color": "navy heather", "size": "large"}, 40.0, 4 / 5),  # heather comes before navy
        ({"color": "navy blue", "size": "large"}, 40.0, 4 / 5),  # blue comes before navy
        ({"color": "deep navy", "size": "large"}, 40.0, 5 / 5),
        ({"color": "large", "size": "navy"}, 40.0, 5 / 5),  # whatever their names
    ],
)
def test_options_and_price_count_one_part_each(chosen: dict[str, str], price: float | None, score: float) -> None:
    assert graded_reward(SHIRT, GOAL, chosen, price).total == score


def test_an_attribute_counts_from_the_texts_too() -> None:
    goal = replace(GOAL, attributes=("button closure", "oxford shirt", "machine wash", "slim fit"))
    assert graded_reward(SHIRT, goal, WANTED).attributes_matched == 3


def test_a_colour_word_inside_a_value_replaces_it_as_in_the_original() -> None:
    assert normalise_colour("rectangular") == "tan"
    assert not option_matches("rectangular", "rectangular", "item shape")
    assert option_matches("rectangular", "rectangular")
    assert option_matches("black-gray", "black-gray", "color")
    assert option_matches("black", "black", "color")
    assert list(COLOUR_WORDS) == sorted(COLOUR_WORDS)


def test_goals_of_people_compare_values_alone() -> None:
    goal = replace(GOAL, goal_options={"option 1": "rectangular"}, options_named=False, attributes=())
    assert graded_reward(SHIRT, goal, {"item shape": "rectangular"}).options_matched == 1


@pytest.mark.parametrize(
    ("title", "query", "category", "r_type"),
    [
        ("Ceramic Mug", "mugs", "Kitchen › Drinkware › Mugs", 0.0),
        ("Ceramic Mug", SHIRT.query, SHIRT.product_category, 0.0),  # no noun shared, same kind: still nothing
        ("Oxford Shirt", "mugs", "", 1.0),  # title score 2/6
        ("Shirt", "mugs", "", 0.5),  # 1/6
        ("Shirt", "mugs", "Clothing › Men › Belts", 1.0),
        ("Shirt", SHIRT.query, "", 1.0),
    ],
)
def test_the_kind_of_product_scales_the_score(title: str, query: str, category: str, r_type: float) -> None:
    product = replace(SHIRT, title=title, query=query, product_category=category)
    assert graded_reward(product, GOAL, WANTED).r_type == r_type


def test_one_noun_of_more_than_ten_makes_a_tenth() -> None:
    goal = replace(GOAL, name="Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Shirt")
    assert graded_reward(replace(SHIRT, title="Shirt"), goal, WANTED).r_type == 0.1


def test_a_product_known_by_title_and_price_alone_can_be_graded() -> None:
    details = graded_reward(Product("B000000001", SHIRT.title), GOAL, WANTED, price=20.0)
    assert (details.r_type, details.attributes_matched, details.options_matched) == (1.0, 1, 2)


def test_nouns_of_titles() -> None:
    assert nouns("Women's Long-Sleeve Shirts for Work, 3.4oz (Pack of 2)") == (
        *("women", "long", "sleeve", "shirts", "work", "oz", "pack"),
    )
    assert nouns("Perfect for Running and very soft") == ("running",)
    assert nouns("") == ()
    assert title_score("Shirt", "") == 0.2
    assert title_score("Shirt", "Shirt Shirt Mug") == 1 / 3


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=30), st.text(max_size=30))
def test_any_texts_give_a_score_between_zero_and_one(title: str, name: str, attribute: str, option: str) -> None:
    goal = replace(GOAL, name=name, attributes=(attribute,), goal_options={"color": option})
    assert 0 <= graded_reward(replace(SHIRT, title=title), goal, {"size": option}).total <= 1
