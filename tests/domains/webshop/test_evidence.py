"""What is said for and against an order depends on what the page shows and on what may be known of the product."""

from __future__ import annotations

import pytest

from dreamgym_env.domains.webshop.composers.evidence import evidence, instruction_terms
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.verifier import Order

INSTRUCTION = "I need a waterproof trail running shoe, color: deep red, and size: 9, under 60 dollars"
WANTED = instruction_terms("waterproof trail running shoe deep red 9")
SHOWN = {"color": ("deep red", "red", "blue"), "size": ("9", "10")}


def order(price: str = "$45.00", title: str = "Fellhawk Trail Running Shoe", **options: str) -> Order:
    return Order("B0", title, price, options)


def told(bought: Order, product: Product | None = None) -> str:
    return evidence(INSTRUCTION, bought, SHOWN, WANTED, product)


def test_an_order_that_fits():
    bought = order(color="deep red", size="9")
    assert told(bought) == "most words fit, every named option chosen, price within the limit"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"color": "deep red"}, "1 of 2 named options missing"),
        ({"color": "red", "size": "9"}, "1 of 2 named options missing"),  # the longest name is meant
        ({}, "2 of 2 named options missing"),
    ],
)
def test_options_that_the_instruction_names_and_nobody_chose(options, said):
    assert said in told(order(**options))


def test_options_that_the_page_does_not_offer_are_not_missed():
    assert "no option named" in evidence(INSTRUCTION, order(), {"style": ("plain",)}, WANTED, None)


@pytest.mark.parametrize(
    ("price", "said"),
    [("$60.00", "within"), ("$60.01", "over"), ("$55.00 to $80.00", "within"), ("ask us", "no price limit")],
)
def test_the_price_is_held_against_the_limit(price, said):
    assert said in told(order(price)).rpartition(", ")[2]


def test_an_instruction_without_a_limit_has_none():
    assert evidence("a red shoe", order(), SHOWN, WANTED, None).endswith("no price limit")


def test_the_limit_is_no_word_to_fit():
    assert not instruction_terms("under 60 dollars") & {"60", "dollar"}


def test_what_is_known_of_the_product_counts_as_its_title_does():
    plain = order(title="Fellhawk", color="blue", size="10")
    assert told(plain).startswith("hardly any")
    product = Product("B0", "Fellhawk", bullet_points=("For trail running",), description="A waterproof shoe")
    assert told(plain, product).startswith("most")


def test_without_a_word_about_products_nothing_fits():
    assert evidence("please", order(), SHOWN, frozenset(), None).startswith("hardly any")
