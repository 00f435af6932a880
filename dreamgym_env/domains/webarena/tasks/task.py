"""A task in WebArena's format, checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.webarena.sites.directory import SITES
from dreamgym_env.domains.webarena.sites.queries import QUERIES
from dreamgym_env.domains.webarena.tasks.html_tree import parse_selector
from dreamgym_env.domains.webarena.tasks.oracle import Step, steps_from_records
from dreamgym_env.errors import WebTaskError

__all__ = ["EVALUATORS", "WebTask", "task_from_record"]

EVALUATORS = ("string_match", "url_match", "program_html")
_ANSWER_RULES: Mapping[str, tuple[type, ...]] = {
    "exact_match": (str,),
    "must_include": (list,),
    "fuzzy_match": (str, list),
}
_CONTENT_RULES: Mapping[str, tuple[type, ...]] = {"exact_match": (str,), "must_include": (list,)}


@dataclass(frozen=True, slots=True)
class WebTask:
    """What is asked, where it starts, and how it is judged."""

    id: str
    """``"webarena/<split>/<number>"`` for a shipped one."""
    split: str
    sites: tuple[str, ...]
    """Names of the sites that it is about."""
    intent: str
    """What the agent is asked to do."""
    intent_template: str
    instantiation_dict: Mapping[str, Any]
    start_url: str
    """With a placeholder, such as ``__SHOP__/cart``."""
    eval: Mapping[str, Any]
    oracle: tuple[Step, ...] = ()
    """Steps that solve it; none where nobody wrote them."""


def task_from_record(record: Any) -> WebTask:
    """Return the task that a JSON object holds.

    Raises:
        WebTaskError: it holds none; the message says what is missing or unknown.
    """
    _demand(isinstance(record, dict), "a task is a JSON object")
    for name in ("intent", "start_url"):
        _demand(isinstance(record.get(name), str) and record[name], f"a task needs a text {name!r}")
    sites = record.get("sites")
    _demand(isinstance(sites, list) and sites, "a task needs 'sites', a list of names")
    for site in sites:
        _demand(site in SITES, f"there is no site {site!r:.60}; there are: {', '.join(SITES)}")
    _check_evaluation(record.get("eval"))
    try:
        oracle = steps_from_records(record.get("oracle", ()))
    except ValueError as error:
        raise WebTaskError(str(error)) from error
    split = str(record.get("split", "test"))
    return WebTask(
        id=str(record.get("id") or f"webarena/{split}/{record.get('task_id', 0)}"),
        split=split,
        sites=tuple(sites),
        intent=record["intent"],
        intent_template=str(record.get("intent_template", record["intent"])),
        instantiation_dict=dict(record.get("instantiation_dict") or {}),
        start_url=record["start_url"],
        eval=record["eval"],
        oracle=oracle,
    )


def _demand(met: object, sentence: str) -> None:
    if not met:
        raise WebTaskError(f"{sentence[0].upper()}{sentence[1:]}.")


def _check_evaluation(evaluation: Any) -> None:
    _demand(isinstance(evaluation, dict), "a task needs 'eval', an object")
    kinds = evaluation.get("eval_types")
    _demand(isinstance(kinds, list) and kinds, "a task's 'eval' needs 'eval_types', a list of evaluators")
    for kind in kinds:
        _demand(kind in EVALUATORS, f"there is no evaluator {kind!r:.60}; there are: {', '.join(EVALUATORS)}")
    if "string_match" in kinds:
        _check_contents(evaluation.get("reference_answers"), _ANSWER_RULES, "'reference_answers' of string_match")
    if "url_match" in kinds:
        url = evaluation.get("reference_url")
        _demand(isinstance(url, str) and url, "url_match needs 'reference_url', a text")
        note = evaluation.get("url_note", "GOLD in PRED")
        _demand(note == "GOLD in PRED", f"the 'url_note' of url_match can be 'GOLD in PRED', not {note!r:.60}")
    if "program_html" in kinds:
        targets = evaluation.get("program_html")
        _demand(isinstance(targets, list) and targets, "program_html needs 'program_html', a list of objects")
        for target in targets:
            _check_target(target)


def _check_target(target: Any) -> None:
    members = ("url", "locator")
    _demand(
        isinstance(target, dict) and all(isinstance(target.get(name), str) for name in members),
        "each item of 'program_html' needs the texts 'url' and 'locator'",
    )
    if target["url"] == "database":
        name, arguments = target["locator"], target.get("arguments", [])
        _demand(name in QUERIES, f"there is no query {name!r:.60}; there are: {', '.join(QUERIES)}")
        wanted = QUERIES[name].count("?")
        _demand(
            isinstance(arguments, list)
            and len(arguments) == wanted
            and all(isinstance(argument, str) for argument in arguments),
            f"the query {name!r} needs 'arguments', a list of {wanted} texts",
        )
    elif target["locator"]:
        try:
            parse_selector(target["locator"])
        except ValueError as error:
            raise WebTaskError(str(error)) from error
    _check_contents(target.get("required_contents"), _CONTENT_RULES, "'required_contents' of program_html")


def _check_contents(contents: Any, rules: Mapping[str, tuple[type, ...]], name: str) -> None:
    _demand(isinstance(contents, dict) and contents, f"{name} has to be an object with {' or '.join(rules)}")
    for rule, wanted in contents.items():
        _demand(rule in rules, f"{name} has no {rule!r:.60}; it has: {', '.join(rules)}")
        _demand(isinstance(wanted, rules[rule]), f"{rule!r} in {name} has to be {_described(rules[rule])}")
        if isinstance(wanted, list):
            _demand(
                wanted and all(isinstance(text, str) and text for text in wanted),
                f"{rule!r} in {name} has to be a list of texts, none of them empty",
            )


def _described(kinds: Sequence[type]) -> str:
    return " or ".join("a text" if kind is str else "a list of texts" for kind in kinds)
