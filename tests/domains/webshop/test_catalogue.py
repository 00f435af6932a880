"""The shop's own catalogue regenerates to the byte, reads like a shop, and its goals decide between near-duplicates."""

from __future__ import annotations

import gzip
import itertools
import json
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.records import encode_records
from dreamgym_env.domains.webshop import catalogue
from dreamgym_env.domains.webshop.catalogue.departments import DEPARTMENTS
from dreamgym_env.domains.webshop.catalogue.instructions import INLINE_OPTIONS, TEMPLATES
from dreamgym_env.domains.webshop.catalogue.vocabulary import Department, has, is_, suits
from dreamgym_env.domains.webshop.goals import Goal, load_goals
from dreamgym_env.domains.webshop.products import Product, load_products
from dreamgym_env.domains.webshop.reward import attribute_matches, graded_reward, option_matches

DATA = Path(catalogue.__file__).resolve().parent.parent / "data"
PRODUCT_KEYS = "asin Title Description BulletPoints Reviews Rating Price pricing options Attributes category query"
PRODUCT_KEYS += " product_category name drawn_price"
GOAL_KEYS = (
    "index asin category query name product_category instruction_text attributes price_upper goal_options weight"
)
GOAL_KEYS += " split"


def _records(name: str) -> list[dict[str, Any]]:
    return _decode(gzip.decompress((DATA / name).read_bytes()))


def _decode(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return _records(catalogue.PRODUCTS_FILE)


@pytest.fixture(scope="module")
def goal_records() -> list[dict[str, Any]]:
    return _records(catalogue.GOALS_FILE)


@pytest.fixture(scope="module")
def products() -> dict[str, Product]:
    return {product.asin: product for product in load_products(DATA / catalogue.PRODUCTS_FILE)}


@pytest.fixture(scope="module")
def goals() -> tuple[Goal, ...]:
    return load_goals(DATA / catalogue.GOALS_FILE)


# --- regeneration


def test_shipped_files_are_what_the_script_writes(tmp_path: Path) -> None:
    for path in catalogue.write_files(tmp_path):
        shipped = (DATA / path.name).read_bytes()
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(shipped), f"{path.name} is out of date"


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = (catalogue.write_files(tmp_path / name) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_another_seed_makes_another_shop() -> None:
    shop, other = (encode_records(p.record for p in catalogue.generate_products(seed)) for seed in (1, 2))
    assert shop != other


def test_files_stay_small() -> None:
    assert (DATA / catalogue.PRODUCTS_FILE).stat().st_size <= 500_000
    assert (DATA / catalogue.GOALS_FILE).stat().st_size <= 250_000


def test_draws_are_a_fixed_stream() -> None:
    """The stream is numpy's raw PCG64, which numpy promises never to change."""
    draws = Draws(7, "fixed")
    assert [draws.between(1, 100) for _ in range(8)] == [53, 47, 45, 85, 56, 56, 42, 16]
    assert Draws(7, "fixed").shuffled("abcdef") != Draws(8, "fixed").shuffled("abcdef")
    assert draws.subset("abcdef", 9) == list("abcdef")


# --- products


def test_products_have_the_form_that_the_loader_reads(records: list[dict[str, Any]]) -> None:
    assert all(" ".join(record) == PRODUCT_KEYS for record in records)
    assert all(record["name"] == record["Title"] for record in records)


def test_there_are_enough_products_in_enough_departments(records: list[dict[str, Any]]) -> None:
    assert len(records) >= 1_500
    departments = Counter(record["category"] for record in records)
    assert len(departments) >= 8
    assert min(departments.values()) >= 100
    per_query = Counter(record["query"] for record in records)
    assert all(20 <= count <= 60 for count in per_query.values())


def test_every_product_can_be_told_apart(records: list[dict[str, Any]]) -> None:
    assert len({record["asin"] for record in records}) == len(records)
    assert all(len(asin) == 10 and asin.startswith("B0") and asin.isalnum() for asin in (r["asin"] for r in records))
    assert len({record["Title"].lower() for record in records}) == len(records)


def test_titles_and_texts_have_a_shop_s_lengths(records: list[dict[str, Any]]) -> None:
    assert all(50 <= len(record["Title"]) <= 160 for record in records)
    assert all(3 <= len(record["BulletPoints"]) <= 6 for record in records)
    assert all(len(set(record["BulletPoints"])) == len(record["BulletPoints"]) for record in records)
    without_description = sum(not record["Description"] for record in records) / len(records)
    without_options = sum(not record["options"] for record in records) / len(records)
    assert 0.05 < without_description < 0.4
    assert 0.02 < without_options < 0.2


def test_texts_have_no_loose_ends(records: list[dict[str, Any]]) -> None:
    for record in records:
        for text in (record["Title"], *record["BulletPoints"], record["Description"]):
            assert text == " ".join(text.split())
            assert not any(slip in text for slip in ("{", "}", "[]", "()", ", ,", ",,", "| |", "..", " ,", "[SEP]"))
            assert text == "" or text[-1] not in "-|,:"


def test_prices_are_what_the_page_says(records: list[dict[str, Any]]) -> None:
    for record in records:
        assert record["Price"] == " to ".join(f"${price:.2f}" for price in record["pricing"])
        assert record["pricing"] == sorted(record["pricing"])
        assert record["pricing"][0] <= record["drawn_price"] <= record["pricing"][-1]
    assert any(len(record["pricing"]) == 2 for record in records)
    assert any(record["drawn_price"] > 100 for record in records)


def test_attributes_mostly_stand_in_the_texts_but_not_always(records: list[dict[str, Any]]) -> None:
    shown = [
        attribute in " ".join((record["Title"], *record["BulletPoints"], record["Description"])).lower()
        for record in records
        for attribute in record["Attributes"]
    ]
    assert all(2 <= len(record["Attributes"]) <= 6 for record in records)
    assert 0.9 <= statistics.mean(shown) < 1.0


def test_values_of_an_option_are_told_apart_by_the_reward(records: list[dict[str, Any]]) -> None:
    for record in records:
        for name, values in record["options"].items():
            assert len(values) >= 2
            assert all(option_matches(value, value, name) for value in values), values
            for one, other in itertools.permutations(values, 2):
                assert not option_matches(one, other, name), (record["query"], name, one, other)


def test_exclusive_attributes_never_meet(records: list[dict[str, Any]]) -> None:
    slots = {(d.name, a.text): a.slot for d in DEPARTMENTS for a in d.attributes}
    for record in records:
        taken = [slots[record["category"], text] for text in record["Attributes"]]
        taken = [slot for slot in taken if slot]
        assert len(taken) == len(set(taken)), record["Attributes"]


# --- vocabulary


@pytest.mark.parametrize("department", DEPARTMENTS, ids=lambda department: department.name)
def test_a_department_names_only_what_it_defines(department: Department) -> None:
    texts = [attribute.text for attribute in department.attributes]
    assert len(texts) == len(set(texts))
    used = {text for product_type in department.types for text in product_type.attributes}
    assert used == set(texts)
    for product_type in department.types:
        assert len(set(product_type.attributes)) == len(product_type.attributes) >= 8
        assert len(product_type.path) >= 3
        assert product_type.price[0] < product_type.price[1]
        assert all(scale.name in INLINE_OPTIONS for scale in product_type.scales)
        assert all(scale.fewest <= scale.most <= len(scale.values) for scale in product_type.scales)


@pytest.mark.parametrize("department", DEPARTMENTS, ids=lambda department: department.name)
def test_attributes_of_a_department_are_told_apart_by_the_reward(department: Department) -> None:
    from rapidfuzz.fuzz import token_set_ratio

    texts = [attribute.text for attribute in department.attributes]
    alike = [pair for pair in itertools.combinations(texts, 2) if token_set_ratio(*pair) > 85]
    assert alike == []


def test_an_attribute_knows_its_text_and_its_phrase() -> None:
    assert (is_("non slip", "x").text, is_("non slip", "x").phrase) == ("non slip", "non slip")
    assert (has("a rubber sole", "x").text, has("a rubber sole", "x").phrase) == ("rubber sole", "a rubber sole")
    assert (has("memory foam", "x").text, has("an inner lid", "x").text) == ("memory foam", "inner lid")
    assert (suits("the home office", "x").text, suits("wide feet", "x").phrase) == ("home office", "wide feet")


# --- goals


def test_goals_have_the_form_that_the_loader_reads(goal_records: list[dict[str, Any]]) -> None:
    assert all(" ".join(record) == GOAL_KEYS for record in goal_records)
    assert [record["index"] for record in goal_records] == list(range(len(goal_records)))


def test_splits_have_their_sizes(goals: tuple[Goal, ...]) -> None:
    assert Counter(goal.split for goal in goals) == {"train": 1_500, "eval": 200, "test": 200}


def test_a_target_belongs_to_one_split(goals: tuple[Goal, ...]) -> None:
    splits = defaultdict(set)
    for goal in goals:
        splits[goal.asin].add(goal.split)
    assert all(len(names) == 1 for names in splits.values())
    assert all(count == 1 for count in Counter(g.asin for g in goals if g.split != "train").values())


def test_held_out_targets_have_near_duplicates_among_train_targets(
    goals: tuple[Goal, ...], products: dict[str, Product]
) -> None:
    train = Counter(products[asin].query for asin in {goal.asin for goal in goals if goal.split == "train"})
    assert all(train[goal.query] >= 5 for goal in goals)


def test_a_goal_asks_for_what_its_target_has(goals: tuple[Goal, ...], products: dict[str, Product]) -> None:
    for goal in goals:
        target = products[goal.asin]
        assert (goal.query, goal.name) == (target.query, target.title)
        assert 1 <= len(goal.attributes) <= 4
        assert len(goal.goal_options) <= 3
        assert set(goal.attributes) <= set(target.attributes)
        assert all(value in target.options[name] for name, value in goal.goal_options.items())
        assert goal.price_upper > max(target.pricing) >= target.price


def test_every_target_scores_one(goals: tuple[Goal, ...], products: dict[str, Product]) -> None:
    assert all(graded_reward(products[g.asin], g, g.goal_options).total == 1.0 for g in goals)


def test_few_other_products_score_one(goals: tuple[Goal, ...], products: dict[str, Product]) -> None:
    """Attributes, options and price decide: the median goal has one answer (checked on eval and test)."""
    answers = [_answers(goal, products) for goal in goals if goal.split != "train"]
    assert min(answers) == 1
    assert statistics.median(answers) == 1
    assert statistics.mean(answers) < 2


def _answers(goal: Goal, products: dict[str, Product]) -> int:
    """Count the products of the goal's department that satisfy it in full when the best options are chosen."""
    count = 0
    for product in products.values():
        if product.category != goal.category or product.price > goal.price_upper:
            continue
        if not all(attribute_matches(product, attribute) for attribute in goal.attributes):
            continue
        chosen = {
            name: next((v for v in product.options.get(name, ()) if option_matches(v, wanted, name)), "")
            for name, wanted in goal.goal_options.items()
        }
        if all(chosen.values()) and graded_reward(product, goal, chosen).total >= 1.0:
            count += 1
    return count


def test_price_excludes_near_duplicates(goals: tuple[Goal, ...], products: dict[str, Product]) -> None:
    prices = defaultdict(list)
    for product in products.values():
        prices[product.query].append(product.price)
    excluding = [any(price > goal.price_upper for price in prices[goal.query]) for goal in goals]
    assert statistics.mean(excluding) > 0.5


def test_an_instruction_says_all_that_counts(goals: tuple[Goal, ...], products: dict[str, Product]) -> None:
    for goal in goals:
        text = goal.instruction_text
        assert all(attribute in text.lower() for attribute in goal.attributes), text
        assert all(value in text for value in goal.goal_options.values()), text
        assert f"{goal.price_upper:.0f}" in text
        assert not any(slip in text for slip in ("{", "}", " ,", ",,", "..", " .", " an h", " a e", " a a ", "  "))


def test_wording_varies(goals: tuple[Goal, ...]) -> None:
    assert len(TEMPLATES) >= 25
    assert len({goal.instruction_text for goal in goals}) == len(goals)
    openings = Counter(" ".join(goal.instruction_text.split()[:2]).lower() for goal in goals)
    assert openings.most_common(1)[0][1] < 0.2 * len(goals)
