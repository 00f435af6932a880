"""The search ranks as Lucene does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.search import SearchEngine, document_text, round_length
from dreamgym_env.domains.webshop.text_analysis import index_terms, tokenize

SHOES = Product("B000000003", "Red Running Shoes", "Light shoes for men", ("Rubber sole", "second bullet"))
BOOTS = Product("B000000002", "Brown Boots", "Warm", options={"color": ("brown", "chestnut"), "size": ("8", "9")})
LAMP = Product("B000000001", "Table Lamp", "A lamp", ("For the desk",))
TWIN = Product("B000000000", "Table Lamp", "A lamp", ("For the desk",))


@pytest.fixture(scope="module")
def engine() -> SearchEngine:
    return SearchEngine([SHOES, BOOTS, LAMP, TWIN])


# What Lucene's own analyser says of these texts.
@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Men's T-Shirts, 2.5oz & 3,000 pcs", ["men", "t", "shirt", "2.5oz", "3,000", "pc"]),
        (
            "color:red color: blue can't wi-fi u.s.a. foo_bar",
            ["color:r", "color", "blue", "can't", "wi", "fi", "u.s.a", "foo_bar"],
        ),
        ("assembly technologies possibly trekking", ["assembl", "technolog", "possibl", "trek"]),
        ("running conditional generously ponies sky", ["run", "condit", "gener", "poni", "sky"]),
        ("Women’s café ½ cup ™ ★ 日本", ["women", "café", "cup", "™", "★", "日", "本"]),
        ("it is not with us", ["us"]),
        ("", []),
        ("  ---  ", []),
    ],
)
def test_terms_are_those_of_lucene(text: str, terms: list[str]) -> None:
    assert index_terms(text) == terms


def test_words_longer_than_255_characters_are_cut() -> None:
    assert [len(token) for token in tokenize("a" * 600)] == [255, 255, 90]


@given(st.text(max_size=200))
def test_any_text_has_terms_without_spaces(text: str) -> None:
    assert all(term and not term.isspace() for term in index_terms(text))


@pytest.mark.parametrize(
    ("length", "rounded"), [(0, 0), (39, 39), (40, 40), (41, 40), (42, 42), (56, 56), (59, 56), (100, 96), (1000, 984)]
)
def test_lengths_are_rounded_to_what_a_byte_codes(length: int, rounded: int) -> None:
    assert round_length(length) == rounded


def test_a_document_is_title_description_first_bullet_and_options() -> None:
    assert document_text(SHOES) == "red running shoes light shoes for men rubber sole "
    assert document_text(BOOTS) == "brown boots warm  color: brown, chestnut, and size: 8, 9"


def test_only_products_with_a_word_are_found(engine: SearchEngine) -> None:
    assert engine.search("shoe") == [0]
    assert engine.search("second") == []
    assert engine.search("chestnut shoe") in ([0, 1], [1, 0])


def test_equal_scores_come_by_asin(engine: SearchEngine) -> None:
    assert engine.search("lamp") == [3, 2]
    assert engine.search("lamp", k=1) == [3]


@pytest.mark.parametrize("keywords", ["", " ", "the and of", "zzz", "\x00\ud800", "★" * 10])
def test_a_search_may_find_nothing(engine: SearchEngine, keywords: str) -> None:
    assert engine.search(keywords) == []


def test_a_rarer_word_weighs_more_and_repeating_a_word_weighs_double() -> None:
    many = [Product(f"B{n:09d}", "shirt") for n in range(9)] + [Product("B100000000", "velvet")]
    engine = SearchEngine(many)
    assert engine.search("shirt velvet")[0] == 9
    assert engine.search("shirt " * 30 + "velvet")[0] == 0


def test_at_most_fifty_are_found_and_the_cut_keeps_the_best() -> None:
    products = [Product(f"B{n:09d}", "lamp " * (1 + n % 7) + "table " * (n % 3)) for n in range(400)]
    engine = SearchEngine(products)
    assert len(engine.search("lamp")) == 50
    assert engine.search("lamp table", k=400)[:50] == engine.search("lamp table")


def test_an_empty_shop_can_be_searched() -> None:
    assert SearchEngine([]).search("lamp") == []


class TestChangedProducts:
    """An engine with a few other products ranks as one that was indexed with them."""

    @pytest.fixture(scope="class")
    def domain(self):
        return WebShop()

    def test_it_finds_what_a_new_index_finds(self, domain):
        products = list(domain.shop.products)
        engine = SearchEngine(products)
        changes = {
            place: None if place % 2 else replace(products[place], description="", bullet_points=())
            for place in range(0, 200, 5)
        }
        changed = engine.changed(changes)
        kept = [changes.get(place, product) for place, product in enumerate(products)]
        anew = SearchEngine([product for product in kept if product is not None])
        places = [place for place, product in enumerate(kept) if product is not None]
        shared = []
        for product in products[:200:7]:
            found = changed.search(product.title, k=10)
            expected = [places[at] for at in anew.search(product.title, k=10)]
            shared.append(len(set(found) & set(expected)) / len(expected))
            assert not [place for place in found if kept[place] is None]
        assert np.mean(shared) > 0.97, "how rare words are changes a little"

    def test_the_engine_that_it_came_from_stays_what_it_was(self, domain):
        engine = SearchEngine(domain.shop.products)
        title = domain.shop.products[0].title
        before = engine.search(title)
        assert engine.changed({0: None}).search(title) != before == engine.search(title)

    def test_a_product_that_is_the_same_keeps_its_score(self, domain):
        engine = SearchEngine(domain.shop.products)
        same = engine.changed(dict(enumerate(domain.shop.products[:50])))
        for product in domain.shop.products[:50]:
            assert same.search(product.title) == engine.search(product.title)
