"""Products and goals come back as they were written, and a bad file is refused by name and line."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webshop.goals import NO_PRICE_BOUND, Goal, load_goals
from dreamgym_env.domains.webshop.original_files import load_original_files
from dreamgym_env.domains.webshop.products import CatalogueFormatError, Product, load_products

PRODUCT = {"asin": "b000000001", "Title": "Cup", "pricing": [3.0, 5.0], "options": {"Size": ["s", "m"]}}
GOAL = {"asin": "B000000001", "instruction_text": "a cup", "name": "Cup", "goal_options": {"size": "s"}}


def write_lines(path: Path, *lines: str) -> Path:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["products.jsonl", "products.jsonl.gz"])
def test_a_products_file_is_read(tmp_path: Path, name: str) -> None:
    (product,) = load_products(write_lines(tmp_path / name, json.dumps(PRODUCT), ""))
    assert product.asin == "B000000001"
    assert product.price_text == "$3.0 to $5.0"
    assert product.price == 4.0
    assert dict(product.options) == {"size": ("s", "m")}
    assert Product.from_dict(product.to_dict()) == product


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2: this is no JSON"),
        ("[]", "line 2: this is no JSON object"),
        ("{}", "line 2: this is no product: 'asin' is missing"),
        (json.dumps(PRODUCT | {"pricing": "3"}), "line 2: .*'pricing' should be a list"),
        (json.dumps(PRODUCT | {"pricing": [True]}), "line 2: .*'pricing' should hold a number"),
        (json.dumps(PRODUCT | {"options": {"size": [1]}}), "line 2: .*should hold texts only"),
        (json.dumps(PRODUCT), "line 2: asin B000000001 occurs a second time"),
    ],
)
def test_a_bad_product_is_refused_by_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = write_lines(tmp_path / "p.jsonl", json.dumps(PRODUCT), line)
    with pytest.raises(CatalogueFormatError, match=f"{re.escape(str(path))}.*{complaint}"):
        load_products(path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{}", "'asin' should be a text"),
        (json.dumps(GOAL | {"goal_options": 3}), "'goal_options' should map names to texts"),
        (json.dumps(GOAL | {"attributes": "red"}), "'attributes' should hold texts"),
        (json.dumps(GOAL | {"price_upper": None}), "'price_upper' should be a number"),
    ],
)
def test_a_bad_goal_is_refused_by_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = write_lines(tmp_path / "g.jsonl", json.dumps(GOAL), line)
    with pytest.raises(CatalogueFormatError, match=f"line 2: this is no goal: {complaint}"):
        load_goals(path)


@pytest.mark.parametrize("load", [load_products, load_goals])
def test_files_that_are_missing_empty_or_not_gzip_are_refused(tmp_path: Path, load: Any) -> None:
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe{}")
    for name in ("missing.jsonl", "plain.jsonl.gz", "latin.jsonl"):
        with pytest.raises(CatalogueFormatError, match=f"{name} cannot be read"):
            load(tmp_path / name)
    with pytest.raises(CatalogueFormatError, match="holds no"):
        load(write_lines(tmp_path / "empty.jsonl", ""))


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(
    st.builds(
        Goal,
        asin=names,
        instruction_text=names,
        name=st.text(max_size=8),
        attributes=st.lists(names, max_size=3).map(tuple),
        goal_options=st.dictionaries(names, names, max_size=3),
        price_upper=st.floats(0, 1e6),
    )
)
def test_a_goal_survives_json(goal: Goal) -> None:
    assert Goal.from_dict(json.loads(json.dumps(goal.to_dict()))) == goal


def test_a_goal_of_people_survives_json() -> None:
    goal = Goal.from_dict(GOAL | {"goal_options": ["s", "red"]})
    assert not goal.options_named
    assert list(goal.goal_options.values()) == ["s", "red"]
    assert Goal.from_dict(json.loads(json.dumps(goal.to_dict()))) == goal


def original_article(**changes: Any) -> dict[str, Any]:
    article = {
        "asin": "B000000001",
        "name": "Cup",
        "full_description": "A cup.",
        "small_description": ["Blue"],
        "pricing": "$1,003.50 - $2,000",
        "customization_options": {"Size": [{"value": " S/M "}, {"value": "L"}], "Color": None},
        "category": "kitchen",
        "query": " Cups ",
        "product_category": "Kitchen › Cups",
        "images": ["cup.jpg"],
    }
    return article | changes


def write_folder(folder: Path, articles: Any, about: Any, human: Any = None) -> Path:
    (folder / "items_shuffle_1000.json").write_text(json.dumps(articles))
    (folder / "items_ins_v2_1000.json").write_text(json.dumps(about))
    if human is not None:
        (folder / "items_human_ins.json").write_text(json.dumps(human))
    return folder


ABOUT = {
    "B000000001": {"attributes": ["blue"], "instruction": "Find me cups", "instruction_attributes": ["blue"]},
    "B000000002": {"attributes": ["tall"], "instruction": None},
}


def test_original_articles_become_products(tmp_path: Path) -> None:
    articles = [
        original_article(),
        original_article(name="again"),
        original_article(asin="nan"),
        original_article(asin="B000000002", pricing=None, small_description="One text", customization_options=""),
    ]
    (cup, plain), goals = load_original_files(write_folder(tmp_path, articles, ABOUT))
    assert (cup.title, cup.query, cup.attributes) == ("Cup", "cups", ("blue",))
    assert (cup.pricing, cup.price_text) == ((1003.5, 2000.0), "$1003.5 to $2000.0")
    assert 1003.5 <= cup.price <= 2000
    assert dict(cup.options) == {"size": ("s | m", "l")}
    assert (plain.price, plain.price_text, plain.bullet_points, dict(plain.options)) == (
        100,
        "$100.0",
        ("One text",),
        {},
    )
    assert {goal.instruction_text for goal in goals} == {"Find me cups with size: s | m", "Find me cups with size: l"}
    assert {goal.price_upper for goal in goals} == {NO_PRICE_BOUND}


def test_price_bounds_are_above_the_price_and_named_in_the_instruction(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [original_article(pricing="$12.00")], ABOUT)
    _, goals = load_original_files(folder)
    assert all(goal.price_upper in (30, 40, 50) for goal in goals)
    assert all(
        goal.instruction_text.endswith(f", and price lower than {goal.price_upper:.2f} dollars") for goal in goals
    )
    assert load_original_files(folder)[1] == goals


def test_goals_of_people_are_read(tmp_path: Path) -> None:
    human = {
        "B000000001": [
            {"instruction": "i want a cup.", "instruction_attributes": ["blue"], "instruction_options": ["l"]},
            {"instruction": "no attributes", "instruction_attributes": [], "instruction_options": []},
        ]
    }
    folder = write_folder(tmp_path, [original_article(pricing="$990")], ABOUT, human)
    _, (goal,) = load_original_files(folder, human_goals=True)
    assert (goal.instruction_text, tuple(goal.goal_options.values()), goal.options_named) == (
        "i want a cup",
        ("l",),
        False,
    )


@pytest.mark.parametrize(
    ("articles", "about", "complaint"),
    [
        ({}, {}, "items_shuffle_1000.json should hold a JSON array"),
        ([3], {}, "items_shuffle_1000.json, article 1: this is no product"),
        ([original_article(pricing="$ - $")], {}, "items_shuffle_1000.json, article 1: this is no product"),
        ([original_article()], [], "items_ins_v2_1000.json should hold a JSON object"),
        ([original_article()], {"B000000001": {"instruction": "x"}}, "items_ins_v2_1000.json: an instruction lacks"),
    ],
)
def test_bad_original_files_are_refused_by_name(tmp_path: Path, articles: Any, about: Any, complaint: str) -> None:
    with pytest.raises(CatalogueFormatError, match=complaint):
        load_original_files(write_folder(tmp_path, articles, about))


def test_missing_original_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFormatError, match=r"items_shuffle.json cannot be read"):
        load_original_files(tmp_path)
    (tmp_path / "items_shuffle_1000.json").write_text("[\n{")
    with pytest.raises(CatalogueFormatError, match=r"items_shuffle_1000.json is no JSON: .*line 2"):
        load_original_files(tmp_path)


def test_the_original_order_and_prices_of_all_goals_are_reproduced(real_data: Path, tmp_path: Path) -> None:
    """Written back into WebShop's own form, its 1,000 products give its 6,910 goals, in its order, with its bounds."""
    products = load_products(real_data / "webshop" / "products_1000.jsonl.gz")
    goals = load_goals(real_data / "webshop" / "goals_6910.jsonl.gz")
    about: dict[str, Any] = {product.asin: {"attributes": product.attributes} for product in products}
    for goal in goals:
        options = ", and ".join(f"{name}: {value}" for name, value in goal.goal_options.items())
        text = re.sub(r", and price lower than [\d.]+ dollars$", "", goal.instruction_text)
        about[goal.asin]["instruction"] = text.removesuffix(f" with {options}")
        about[goal.asin]["instruction_attributes"] = goal.attributes
    articles = [
        original_article(
            asin=product.asin,
            name=product.title,
            full_description=product.description,
            small_description=product.bullet_points,
            pricing=" - ".join(f"${price}" for price in product.pricing),
            customization_options={n: [{"value": v} for v in values] for n, values in product.options.items()},
            category=product.category,
            query=product.query,
            product_category=product.product_category,
        )
        for product in products
    ]
    assert load_original_files(write_folder(tmp_path, articles, about)) == (products, goals)
