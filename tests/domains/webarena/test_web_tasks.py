"""Web tasks: their format, the evaluators, and one sentence for everything that is wrong with a task file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webarena.tasks import (
    WebTask,
    bundled_ids,
    bundled_task,
    evaluate,
    read_task_file,
    resolve_url,
    task_from_record,
)
from dreamgym_env.domains.webarena.tasks.html_tree import parse_html, parse_selector
from dreamgym_env.domains.webarena.tasks.oracle import (
    Answer,
    Click,
    Fill,
    Goto,
    Select,
    steps_from_records,
    steps_to_records,
)
from dreamgym_env.domains.webarena.tasks.texts import equal, includes, normalised
from dreamgym_env.errors import UnknownTaskError, WebTaskError

URL = "http://shop.test/cart"


class Recorded:
    """Pages and query answers as they were."""

    def __init__(self, pages: dict[str, str] | None = None, answers: list[str] | None = None) -> None:
        self.pages, self.answers = pages or {}, answers or []

    def fetch(self, url: str) -> str:
        return self.pages.get(url, "")

    def query(self, name: str, *arguments: str) -> list[str]:
        return self.answers


def task(**evaluation: Any) -> WebTask:
    """A task judged so."""
    return task_from_record({"sites": ["shop"], "intent": "do it", "start_url": "__SHOP__/", "eval": evaluation})


def string_task(**references: Any) -> WebTask:
    return task(eval_types=["string_match"], reference_answers=references)


def page_task(locator: str, contents: dict[str, Any], url: str = "last") -> WebTask:
    target = {"url": url, "locator": locator, "required_contents": contents}
    return task(eval_types=["program_html"], program_html=[target])


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "reference", "found"),
        [
            ("It costs $1,250.50.", "1250.50", True),
            ("1250.5 dollars", "1,250.50", True),
            ("57", "57.00", True),
            ("31", "3", False),
            ("13", "3", False),
            ("3.5", "3", False),
            ("1,003", "3", False),
            ("There are 3.", "3", True),
            ("-3", "3", True),
            ("version 1.0.0", "1.0.0", True),
            ("“Quoted”  text", '"quoted" text', True),
            ("unsubscribe", "subscribe", False),
            ("On Feb 7, 2025.", "February 7, 2025 |OR| Feb 7, 2025", True),
            ("anything", "", False),
            ("", "x", False),
            ("Ada Lind and Bo Ek", "Ada Lind", True),
            ("Zürich", "zürich", True),
        ],
    )
    def test_includes(self, text: str, reference: str, found: bool):
        assert includes(text, reference) is found

    def test_equal(self):
        assert equal(' "Delivered." ', "delivered") and equal("12.50", "$12.5 |OR| 12.5") and equal("", "")
        assert not equal("not delivered", "delivered")

    @given(st.text())
    def test_normalising_never_fails_and_is_stable_for_what_it_finds(self, text: str):
        assert isinstance(normalised(text), str)
        assert not normalised(text) or includes(text, text) or "|OR|" in text


class TestStringMatch:
    @pytest.mark.parametrize(
        ("references", "answer", "score"),
        [
            ({"exact_match": "N/A"}, "n/a", 1),
            ({"exact_match": "N/A"}, "It is N/A", 0),
            ({"must_include": ["Ada", "3"]}, "Ada, 3 times", 1),
            ({"must_include": ["Ada", "3"]}, "Ada, 31 times", 0),
            ({"fuzzy_match": ["1 h 5 min |OR| 65 min"]}, "About 65 MIN.", 1),
            ({"fuzzy_match": "10 km"}, "10  km", 1),
            ({"must_include": ["Ada"], "exact_match": "Ada"}, "Ada!", 0),
            ({"must_include": ["__SHOP__/cart"]}, "See http://shop.test/cart", 1),
            ({"must_include": ["Ada"]}, " ", 0),
        ],
    )
    def test_answers(self, references: dict[str, Any], answer: str, score: int):
        assert evaluate(string_task(**references), answer, URL, Recorded()) == score


class TestUrlMatch:
    @pytest.mark.parametrize(
        ("reference", "url", "score"),
        [
            ("__SHOP__/cart", "http://shop.test/cart", 1),
            ("__SHOP__/cart", "http://shop.test/cart/?notice=added", 1),
            ("__SHOP__/cart", "http://shop.test/cart/1", 0),
            ("__SHOP__/cart", "http://forum.test/cart", 0),
            ("__SHOP__/cart", "https://shop.test/cart", 0),
            ("__SHOP__/search?q=tea+kettle&sort=price", "http://shop.test/search?sort=price&q=Tea%20Kettle&page=2", 1),
            ("__SHOP__/search?q=tea+kettle&sort=price", "http://shop.test/search?q=tea+kettle", 0),
            ("__SHOP__/a |OR| __SHOP__/b", "http://shop.test/b", 1),
            ("__SHOP__", "http://shop.test/", 1),
            ("__SHOP__/cart", "", 0),
            ("__SHOP__/cart", "http://[", 0),
        ],
    )
    def test_urls(self, reference: str, url: str, score: int):
        assert evaluate(task(eval_types=["url_match"], reference_url=reference), "", url, Recorded()) == score


class TestProgramHtml:
    PAGE = (
        '<title>No</title><body><h1>Cart</h1><p id="state">It is <b>open</b>.</p><ul class="a b"><li>one</li>'
        "<li>two</ul>"
        '<input name="q" value="3"><textarea id="t">\nx &amp; y</textarea><select id="s"><option>a'
        "<option selected value=1>b</select><script>var hidden</script>"
    )

    @pytest.mark.parametrize(
        ("locator", "contents", "score"),
        [
            ("#state", {"exact_match": "It is open."}, 1),
            ("p b", {"exact_match": "open"}, 1),
            ("ul.a.b li", {"must_include": ["one", "two"]}, 1),
            ("body > li", {"must_include": ["one"]}, None),
            ('input[name="q"]', {"exact_match": "3"}, 1),
            ("[value]", {"must_include": ["3"]}, 1),
            ("#t", {"exact_match": "x & y"}, 1),
            ("#s", {"exact_match": "b"}, 1),
            ("", {"must_include": ["Cart", "one"]}, 1),
            ("", {"must_include": ["hidden"]}, 0),
            ("", {"must_include": ["No"]}, 0),
            ("#nothing", {"must_include": ["Cart"]}, 0),
            ("#nothing", {"exact_match": ""}, 1),
        ],
    )
    def test_pages(self, locator: str, contents: dict[str, Any], score: int | None):
        if score is None:
            with pytest.raises(WebTaskError, match="is no locator"):
                page_task(locator, contents)
        else:
            evidence = Recorded({URL: self.PAGE})
            assert evaluate(page_task(locator, contents), "", URL, evidence) == score
            assert evaluate(page_task(locator, contents, "__SHOP__/cart"), "", "http://map.test/", evidence) == score

    def test_the_database(self):
        target = {"url": "database", "locator": "wishes", "required_contents": {"exact_match": "a\nb"}}
        judged = task(eval_types=["program_html"], program_html=[target])
        assert evaluate(judged, "", URL, Recorded(answers=["a", "b"])) == 1
        assert evaluate(judged, "", URL, Recorded(answers=["a"])) == 0

    def test_all_evaluators_have_to_agree(self):
        judged = task(
            eval_types=["string_match", "url_match"],
            reference_answers={"must_include": ["3"]},
            reference_url="__SHOP__/cart",
        )
        assert evaluate(judged, "3", URL, Recorded()) == 1
        assert evaluate(judged, "3", "http://shop.test/", Recorded()) == evaluate(judged, "4", URL, Recorded()) == 0

    @given(st.text())
    def test_any_text_is_a_page_with_a_text(self, text: str):
        assert isinstance(parse_html(text).text(), str)

    @given(st.text(max_size=30))
    def test_a_selector_is_read_or_refused_with_a_sentence(self, text: str):
        try:
            parse_selector(text)
        except ValueError as error:
            assert "is no locator" in str(error)


GOOD = {
    "sites": ["shop"],
    "task_id": 7,
    "intent": "x",
    "start_url": "__SHOP__",
    "eval": {"eval_types": ["string_match"], "reference_answers": {"must_include": ["x"]}},
}


def changed(**members: Any) -> dict[str, Any]:
    return {**GOOD, **members}


def judged(**members: Any) -> dict[str, Any]:
    return changed(eval={**GOOD["eval"], **members})  # type: ignore[dict-item]


def located(**members: Any) -> dict[str, Any]:
    target = {"url": "last", "locator": "", "required_contents": {"exact_match": "x"}, **members}
    return judged(eval_types=["program_html"], program_html=[target])


class TestTaskFiles:
    def test_lists_and_lines_are_read(self, tmp_path: Path):
        (tmp_path / "a.json").write_text(json.dumps([GOOD, GOOD]))
        (tmp_path / "b.jsonl").write_text(json.dumps(GOOD) + "\n\n")
        assert [found.id for found in read_task_file(tmp_path / "a.json")] == ["webarena/test/7"] * 2
        assert read_task_file(tmp_path / "b.jsonl")[0].intent == "x"

    @pytest.mark.parametrize(
        ("record", "told"),
        [
            (3, "A task is a JSON object"),
            (changed(intent=""), "needs a text 'intent'"),
            (changed(start_url=None), "needs a text 'start_url'"),
            (changed(sites=[]), "needs 'sites'"),
            (changed(sites=["gitlab"]), "no site 'gitlab'; there are: shop, shop_admin, forum, code, map"),
            (changed(eval=None), "needs 'eval'"),
            (judged(eval_types=[]), "needs 'eval_types'"),
            (
                judged(eval_types=["llm_judge"]),
                "no evaluator 'llm_judge'; there are: string_match, url_match, program_html",
            ),
            (judged(reference_answers=None), "'reference_answers' of string_match has to be an object"),
            (judged(reference_answers={"must_exclude": ["x"]}), "has no 'must_exclude'"),
            (judged(reference_answers={"must_include": "x"}), "has to be a list of texts"),
            (judged(reference_answers={"must_include": [""]}), "none of them empty"),
            (judged(eval_types=["url_match"]), "needs 'reference_url'"),
            (judged(eval_types=["url_match"], reference_url="x", url_note="EXACT"), "not 'EXACT'"),
            (judged(eval_types=["program_html"]), "needs 'program_html'"),
            (located(url=None), "needs the texts 'url' and 'locator'"),
            (located(locator="document.querySelector('h1').outerText"), "is no locator"),
            (located(url="database", locator="secrets"), "no query 'secrets'; there are: last_order"),
            (located(url="database", locator="product"), "needs 'arguments', a list of 1 texts"),
            (located(url="database", locator="product", arguments=[3]), "a list of 1 texts"),
            (located(required_contents={}), "'required_contents' of program_html has to be an object"),
            (changed(oracle=[{"do": "dance"}]), "no step of an oracle; steps are: click, fill, select, goto, answer"),
        ],
    )
    def test_one_sentence_for_what_is_wrong(self, tmp_path: Path, record: Any, told: str):
        path = tmp_path / "tasks.json"
        path.write_text(json.dumps([GOOD, record]))
        with pytest.raises(WebTaskError) as caught:
            read_task_file(path)
        assert str(caught.value).startswith(f"Task 2 of {path}: ") and told in str(caught.value)

    @pytest.mark.parametrize("content", [b"[", b"{not json", b"\xff\xfe"])
    def test_a_file_that_is_none(self, tmp_path: Path, content: bytes):
        path = tmp_path / "tasks.json"
        path.write_bytes(content)
        with pytest.raises(WebTaskError, match="cannot be read"):
            read_task_file(path)
        with pytest.raises(WebTaskError, match="cannot be read"):
            read_task_file(tmp_path / "missing.json")


class TestBundledTasks:
    def test_ids(self):
        ids = bundled_ids("test")
        assert ids[:2] == ["webarena/test/0", "webarena/test/1"] and bundled_task(ids[0]).split == "test"

    def test_unknown_ones(self):
        with pytest.raises(UnknownTaskError, match="no split 'dev'; they have: train, eval, test"):
            bundled_ids("dev")
        with pytest.raises(UnknownTaskError, match="no bundled task 'webarena/test/x'; there are"):
            bundled_task("webarena/test/x")

    def test_placeholders(self):
        assert resolve_url("__SHOP__/cart?x=__SHOP_ADMIN__") == "http://shop.test/cart?x=http://shop-admin.test"

    def test_reading_them_needs_no_extra(self):
        code = (
            "import sys; sys.modules.update(starlette=None, uvicorn=None, jinja2=None)\n"
            "from dreamgym_env.domains.webarena.sites import SITE_URLS\n"
            "from dreamgym_env.domains.webarena.tasks import bundled_ids, bundled_task\n"
            "assert bundled_task(bundled_ids('train')[0]).oracle and SITE_URLS"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_steps_are_written_and_read():
    steps = (
        Goto("__SHOP__/"),
        Click("link", "Next", 2),
        Fill("textbox", "Name", "x"),
        Select("combobox", "Sort by", "Price"),
        Answer(""),
    )
    records = steps_to_records(steps)
    assert records[1] == {"do": "click", "role": "link", "name": "Next", "nth": 2}
    assert records[2] == {"do": "fill", "role": "textbox", "name": "Name", "text": "x"}
    assert steps_from_records(json.loads(json.dumps(records))) == steps
